"""Combs in frames that nobody has marked as interlaced: whoever encoded them did not know."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Literal

import av
import numpy as np
from av.filter import Graph
from numpy.typing import NDArray

Parity = Literal["tff", "bff"]

_LEAST_LINES = 240
"""No interlaced video has fewer."""
_SURE = 6
"""Frames with combs of one parity that decide, where nearly no other frame says otherwise."""
_OTHERS = 0.1
"""The part of all frames with a verdict that may say otherwise."""
_COMBED = 0.9
"""How much a row differs from the next, where things move, as a part of how much it does from the one after that. With
combs it is 0.94 and more, for hand-held cameras too, else 0.57 to 0.66. Test pictures that fool `idet` have 0.6."""
_MOVING = 10
"""How much a pixel's level must change to be moving, of 255."""
_COLUMNS = 4
"""Every so many columns are looked at."""
_ENOUGH = 40
"""Frames with a verdict after which a video without combs has none."""
_LONGEST = 1500
"""Frames that are looked at, with a verdict or not: a minute."""


class Combs:
    """Looks at frames as they come, by FFmpeg's `idet`: half a millisecond for each at 1280x720, until it is sure.

    Attributes:
        parity: Which half frame comes first, once combs have been found; None before.
        done: Whether there is nothing more to be found.
    """

    def __init__(self) -> None:
        self._verdicts: Counter[str] = Counter()
        self._looked = 0
        self._last: NDArray[np.int32] | None = None
        self._to_next = self._to_second = 0
        self._graph: Graph | None = None
        self._shape: tuple[int, int, str] | None = None
        self.parity: Parity | None = None
        self.done = False

    def look(self, frame: av.VideoFrame, unit: Fraction) -> None:
        """Take the next frame into account.

        Args:
            frame: Decoded, in the order of time.
            unit: Of its timestamps [s].
        """
        shape = (frame.width, frame.height, frame.format.name)
        if not frame.format.is_planar or frame.format.is_rgb or frame.height < _LEAST_LINES:
            self.done = True
        if self.done:
            return
        if self._graph is None or shape != self._shape:
            self._graph, self._shape = _graph(frame, unit), shape
        frame.time_base = unit
        self._graph.push(frame)
        while True:
            try:
                seen = self._graph.pull()
            except (BlockingIOError, EOFError):
                break
            self._verdicts[seen.metadata.get("lavfi.idet.single.current_frame", "")] += 1
        self._looked += 1
        self._compare(_luma(frame))
        self._decide()

    def _compare(self, luma: NDArray[np.int32]) -> None:
        """Add up how rows of this frame differ from those below them, where something moves."""
        last, self._last = self._last, luma
        if last is None or last.shape != luma.shape:
            return
        moving = np.abs(luma - last)[:-2] > _MOVING
        self._to_next += int(np.abs(luma[:-2] - luma[1:-1])[moving].sum())
        self._to_second += int(np.abs(luma[:-2] - luma[2:])[moving].sum())

    def _decide(self) -> None:
        top, bottom, whole = (self._verdicts[name] for name in ("tff", "bff", "progressive"))
        sure, most = top + bottom + whole, max(top, bottom)
        combed = self._to_next > _COMBED * self._to_second
        if combed and most >= _SURE and most >= (1 - _OTHERS) * sure:
            self.parity, self.done = ("tff" if top > bottom else "bff"), True
        elif sure >= _ENOUGH or self._looked >= _LONGEST:
            self.done = True
        if self.done:
            self._graph = self._last = None


def _luma(frame: av.VideoFrame) -> NDArray[np.int32]:
    """Some columns of the luma plane, from 0 to 255."""
    plane, bits = frame.planes[0], frame.format.components[0].bits
    kind = np.uint8 if bits == 8 else np.uint16
    rows = np.frombuffer(plane, kind).reshape(-1, plane.line_size // np.dtype(kind).itemsize)
    return rows[: frame.height, : frame.width : _COLUMNS].astype(np.int32) >> (bits - 8)


def _graph(frame: av.VideoFrame, unit: Fraction) -> Graph:
    graph = Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=unit)
    graph.link_nodes(source, graph.add("idet"), graph.add("buffersink"))
    graph.configure()
    return graph
