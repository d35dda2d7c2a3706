"""Frames made of two half frames, half a frame time apart: one whole frame out of each, without combs."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from fractions import Fraction
from itertools import islice

import av
from av.filter import Graph

from streamer.sources.combs import Combs

_HELD = 12
"""Frames that wait at the beginning, so that combs that are found in them are gone from the first frame on."""


def deinterlaced(frames: Iterable[av.VideoFrame], time_base: Fraction | None) -> Generator[av.VideoFrame, None, None]:
    """Every frame at its time; those that are interlaced put together by FFmpeg's `bwdif`.

    Where frames are marked, the marked ones are: nothing is touched before the first of them. Where none is marked and
    combs are seen, all are from there on.

    Args:
        frames: What the decoder gives.
        time_base: Unit of their timestamps [s].
    """
    unit = time_base or Fraction(1, 90_000)
    combs = Combs()
    graph: Graph | None = None
    shape: tuple[int, int, str] | None = None
    for frame in _looked_at(frames, combs, unit):
        this_shape = (frame.width, frame.height, frame.format.name)
        if graph is not None and this_shape != shape:
            yield from _rest(graph, unit)
            graph = None
        if graph is None and (frame.interlaced_frame or combs.parity is not None):
            graph, shape = _graph(frame, unit, combs.parity), this_shape
        if graph is None:
            yield frame
            continue
        frame.time_base = unit
        graph.push(frame)
        yield from _ready(graph, unit)
    if graph is not None:
        yield from _rest(graph, unit)


def _looked_at(frames: Iterable[av.VideoFrame], combs: Combs, unit: Fraction) -> Iterator[av.VideoFrame]:
    """The same frames, the first few only once all of these have been looked at."""
    coming = iter(frames)
    held = []
    for frame in islice(coming, _HELD):
        held.append(frame)
        combs.done = combs.done or frame.interlaced_frame
        if not combs.done:
            combs.look(frame, unit)
        if combs.done:
            break
    yield from held
    for frame in coming:
        if not combs.done:
            combs.look(frame, unit)
        yield frame


def _graph(frame: av.VideoFrame, unit: Fraction, parity: str | None) -> Graph:
    graph = Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=unit)
    which = "deint=interlaced" if parity is None else f"deint=all:parity={parity}"
    graph.link_nodes(source, graph.add("bwdif", f"mode=send_frame:{which}"), graph.add("buffersink"))
    graph.configure()
    return graph


def _ready(graph: Graph, unit: Fraction) -> Iterator[av.VideoFrame]:
    while True:
        try:
            frame: av.VideoFrame = graph.pull()
        except (BlockingIOError, EOFError):
            return
        if frame.pts is not None and frame.time_base:
            frame.pts = round(frame.pts * frame.time_base / unit)
            frame.time_base = unit
        yield frame


def _rest(graph: Graph, unit: Fraction) -> Iterator[av.VideoFrame]:
    graph.push(None)
    yield from _ready(graph, unit)
