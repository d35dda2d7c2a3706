"""Frames made of two half frames, half a frame time apart: one whole frame out of each, without combs."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from fractions import Fraction

import av
from av.filter import Graph


def deinterlaced(frames: Iterable[av.VideoFrame], time_base: Fraction | None) -> Generator[av.VideoFrame, None, None]:
    """Every frame at its time, those that are marked as interlaced put together by FFmpeg's `bwdif`.

    Nothing is touched before the first marked frame; from there on the others pass through the filter as they are.

    Args:
        frames: What the decoder gives.
        time_base: Unit of their timestamps [s].
    """
    unit = time_base or Fraction(1, 90_000)
    graph: Graph | None = None
    shape: tuple[int, int, str] | None = None
    for frame in frames:
        this_shape = (frame.width, frame.height, frame.format.name)
        if graph is not None and this_shape != shape:
            yield from _rest(graph, unit)
            graph = None
        if graph is None and frame.interlaced_frame:
            graph, shape = _graph(frame, unit), this_shape
        if graph is None:
            yield frame
            continue
        frame.time_base = unit
        graph.push(frame)
        yield from _ready(graph, unit)
    if graph is not None:
        yield from _rest(graph, unit)


def _graph(frame: av.VideoFrame, unit: Fraction) -> Graph:
    graph = Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=unit)
    graph.link_nodes(source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink"))
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
