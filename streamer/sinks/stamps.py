"""When a frame was taken, on the wall clock that robots' tools order everything by."""

from __future__ import annotations

import time

from streamer.data.result import Result

_NS = 1_000_000_000


class Stamps:
    """The wall clock at capture: media time, counted from the moment at which the first result's frame arrived."""

    def __init__(self) -> None:
        self._start_ns: int | None = None

    def of(self, result: Result) -> int:
        """Nanoseconds since the Unix epoch."""
        if self._start_ns is None:
            age_s = time.monotonic() - result.frame.captured_at_s
            self._start_ns = time.time_ns() - round((age_s + result.time_s) * _NS)
        return self._start_ns + round(result.time_s * _NS)
