"""When a frame was taken, on the wall clock that robots' tools order everything by."""

from __future__ import annotations

import time

from streamer.data.result import Result

_NS = 1_000_000_000


class Stamps:
    """The wall clock at capture. Where nobody knows it (a recording), it is media time, counted from now on."""

    def __init__(self) -> None:
        self._start_ns = time.time_ns()

    def of(self, result: Result) -> int:
        """Nanoseconds since the Unix epoch."""
        if result.stamp_ns is not None:
            return result.stamp_ns
        return self._start_ns + round(result.time_s * _NS)
