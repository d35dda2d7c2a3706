"""A recording played at its own rate, as though a camera were showing it now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from streamer.data.frame import Frame, StampOrigin
from streamer.data.source import BaseSource, Source, exact_rate

LATEST_S = 1.0


class PacedSource(BaseSource):
    """Gives each frame of another source when its time has come, and not before.

    Frames that come late (slow decoding) are given at once, so the clock is caught up with, as it would be with a
    camera; after a pause of more than a second (the process was suspended) playing goes on from there instead.

    Args:
        source: What to play; closed with this one.
        rate_hz: Play at this rate instead of the recorded timestamps: frame n then has the time ``n / rate_hz``.
        clock: Monotonic clock [s].
        wait: Called with seconds to wait; the default ends early when the source is closed.

    Raises:
        SourceError: The rate is not positive.
    """

    def __init__(
        self,
        source: Source,
        rate_hz: Fraction | float | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        super().__init__()
        self._source = source
        self._rate_hz = None if rate_hz is None else exact_rate(rate_hz)
        self._clock = clock
        self._wait = wait or self._closed.wait
        self._started_at_s: float | None = None
        self._paused_at_s: float | None = None
        self._peeked: Frame | None = None
        self._going = threading.Event()
        self._going.set()
        self._info = replace(source.info, live=True)
        if self._rate_hz is not None:  # the file's own timestamps, and with them its audio, no longer fit
            self._info = replace(self._info, rate_hz=self._rate_hz, time_base=None, path=None, address=None)

    @property
    def damage(self) -> str | None:
        return self._source.damage

    @property
    def remark(self) -> str | None:
        return self._source.remark

    def _read(self) -> Frame | None:
        frame, self._peeked = self._peeked or self._source.read(), None
        if frame is None:
            return None
        time_s = frame.time_s if self._rate_hz is None else float(frame.index / self._rate_hz)
        self._going.wait()
        now_s = self._clock()
        if self._started_at_s is None or now_s - (self._started_at_s + time_s) > LATEST_S:
            self._started_at_s = now_s - time_s
        while not self._closed.is_set() and (ahead_s := self._started_at_s + time_s - self._clock()) > 0:
            self._wait(ahead_s)
            self._going.wait()
        if self._closed.is_set():
            return None
        # As a camera's: a program that is tried out on a recording finds the stamps that it will find later.
        return replace(
            frame,
            time_s=time_s,
            captured_at_s=self._clock(),
            stamp_ns=time.time_ns(),
            stamp_origin=StampOrigin.ARRIVAL,
        )

    def peek(self) -> Frame | None:
        """The first frame, before its time: `read` gives it again. Not to be called once it has been read."""
        self._peeked = self._peeked or self._source.read()
        return self._peeked

    def pause(self) -> None:
        """Give no more frames until `resume`. May be called from another thread than `read`."""
        if self._paused_at_s is None:
            self._paused_at_s = self._clock()
            self._going.clear()

    def resume(self) -> None:
        """Go on where it was: the time away is not part of the recording."""
        if self._paused_at_s is not None:
            if self._started_at_s is not None:
                self._started_at_s += self._clock() - self._paused_at_s
            self._paused_at_s = None
            self._going.set()

    def close(self) -> None:
        super().close()
        self._going.set()
        self._source.close()
