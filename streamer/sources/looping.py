"""A recording that begins again at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from streamer.data.frame import Frame
from streamer.data.source import BaseSource, Source

_LEAST_FRAME_S = 0.04
"""How long the last frame of a recording without a rate is shown [s]."""


class LoopingSource(BaseSource):
    """Gives the frames of a recording again and again; indices and times go on.

    Args:
        source: The first round.
        reopen: Makes the source of each further round, or raises `SourceError`.
    """

    def __init__(self, source: Source, reopen: Callable[[], Source]) -> None:
        super().__init__()
        self._source, self._reopen = source, reopen
        # Its sound would have to be looped as well, and it has no end to hope for.
        self._info = replace(source.info, path=None, address=None, frame_count=None)
        self._next_index, self._next_s = 0, 0.0
        self._first_index, self._shift_s = 0, 0.0

    @property
    def damage(self) -> str | None:
        return self._source.damage

    @property
    def remark(self) -> str | None:
        return self._source.remark

    def _read(self) -> Frame | None:
        frame = self._source.read()
        if frame is None:
            if self._next_index == self._first_index:  # a round without frames would be followed by another for ever
                return None
            self._source.close()
            self._source = self._reopen()
            self._first_index, self._shift_s = self._next_index, self._next_s
            frame = self._source.read()
        if frame is None:
            return None
        rate_hz = self._info.rate_hz
        index, time_s = self._first_index + frame.index, self._shift_s + frame.time_s
        self._next_index, self._next_s = index + 1, time_s + (float(1 / rate_hz) if rate_hz else _LEAST_FRAME_S)
        return replace(frame, index=index, time_s=time_s)

    def _release(self) -> None:
        self._source.close()
