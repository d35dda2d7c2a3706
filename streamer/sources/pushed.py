"""Frames that the caller's own code has: from a callback of ROS, a message of gRPC, shared memory."""

from __future__ import annotations

import threading
import time
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.data.frame import Frame, StampOrigin
from streamer.data.source import BaseSource, SourceInfo, exact_rate
from streamer.errors import SourceError

_BELIEVABLE_S = 10.0
"""A stamp that is further from now is of another clock (a simulation, a log that is played back)."""


class Pushed(BaseSource):
    """A live source without a camera: what is pushed is its present frame, and the newest wins.

    Args:
        size: (width, height) of every frame [px].
        rate_hz: How often frames are to be expected, where that is known: only told in the outputs [Hz].
        name: Short name for people and for output files.

    Raises:
        SourceError: The size or the rate makes no sense.
    """

    def __init__(self, size: tuple[int, int], rate_hz: Fraction | float | None = None, name: str = "pushed") -> None:
        super().__init__()
        if min(size) < 1:
            raise SourceError(f"There are no frames of {size[0]}x{size[1]} pixels: give (width, height) in pixels.")
        rate = None if rate_hz is None else exact_rate(rate_hz)
        self._info = SourceInfo(name, (int(size[0]), int(size[1])), rate, live=True, renewable=False)
        self._changed = threading.Condition()
        self._waiting: Frame | None = None
        self._index = 0
        self._first_at_s: float | None = None

    def push(self, image_rgb: NDArray[np.uint8], stamp_ns: int | None = None) -> int:
        """Give the next frame; returns at once. May be called from any thread.

        Args:
            image_rgb: ``(H, W, 3)`` uint8, RGB. Copied, so that the caller may reuse it.
            stamp_ns: Wall clock at capture, since the Unix epoch [ns], which comes back in the result; None where only
                the time of this call is known. Of another clock than this machine's it comes back all the same, but
                latency is measured from this call.

        Returns:
            The index that its result will have, if no newer frame comes before it is taken.

        Raises:
            SourceError: It is no such array, of another size, or the source has been closed.
        """
        if self._closed.is_set():
            raise SourceError("This source has been closed, so it takes no more frames.")
        image = _checked(image_rgb, self._info.size)
        with self._changed:
            self._waiting = self._frame(image, stamp_ns)
            self._index += 1
            self._changed.notify_all()
            return self._waiting.index

    def close(self) -> None:
        """Take no more frames: who iterates over the results ends after the last one."""
        super().close()
        with self._changed:
            self._changed.notify_all()

    def _frame(self, image_rgb: NDArray[np.uint8], stamp_ns: int | None) -> Frame:
        now_s, now_ns = time.monotonic(), time.time_ns()
        if self._first_at_s is None:
            self._first_at_s = now_s
        captured_at_s, origin = now_s, StampOrigin.ARRIVAL
        if stamp_ns is not None:
            origin, age_s = StampOrigin.PUSHED, (now_ns - stamp_ns) / 1e9
            captured_at_s = now_s - age_s if 0 <= age_s < _BELIEVABLE_S else now_s
        stamp_ns = now_ns if stamp_ns is None else int(stamp_ns)
        time_s = now_s - self._first_at_s
        return Frame(self._index, time_s, image_rgb, captured_at_s, stamp_ns=stamp_ns, stamp_origin=origin)

    def _read(self) -> Frame | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is not None or self._closed.is_set())
            frame, self._waiting = self._waiting, None
            return frame


def _checked(image: Any, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A copy of an image that is what was promised.

    Raises:
        SourceError: It is not.
    """
    width, height = size
    shape, dtype = getattr(image, "shape", None), getattr(image, "dtype", None)
    if shape != (height, width, 3) or dtype != np.uint8:
        what = type(image).__name__ if shape is None else f"{shape} {dtype}"
        raise SourceError(f"A pushed image must be a ({height}, {width}, 3) uint8 RGB array, but it is {what}.")
    return np.array(image, order="C")
