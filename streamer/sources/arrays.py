"""Pictures that the caller's own code makes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sized
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.data.frame import Frame, StampOrigin
from streamer.data.source import BaseSource, SourceInfo, exact_rate
from streamer.errors import SourceError


class ArraySource(BaseSource):
    """Frames from any iterable of pictures, taken one at a time.

    Args:
        images_rgb: ``(H, W, 3)`` uint8 arrays, RGB, all of one size. Not copied where they are C-contiguous, so the
            caller must not write into them afterwards.
        rate_hz: Frame n gets the time ``n / rate_hz``; where ``live``, only said in the info.
        live: Images come when they are there, as a camera's do: each gets the time at which it came.

    Raises:
        SourceError: There is no picture in it, or one is not ``(H, W, 3)`` uint8 (from `read`: or of another size).
    """

    def __init__(
        self, images_rgb: Iterable[NDArray[np.uint8]], rate_hz: Fraction | float = 30, live: bool = False
    ) -> None:
        super().__init__()
        self._images: Iterator[NDArray[np.uint8]] = iter(images_rgb)
        first = next(self._images, None)
        if first is None:
            raise SourceError("The iterable holds no picture: give at least one (H, W, 3) uint8 RGB array.")
        self._rate_hz = exact_rate(rate_hz)
        self._index = 0
        self._first: NDArray[np.uint8] | None = _checked(first, 0)
        height, width = self._first.shape[:2]
        count = len(images_rgb) if isinstance(images_rgb, Sized) else None
        time_base = None if live else 1 / self._rate_hz
        self._started_at_s = time.monotonic() if live else None
        self._info = SourceInfo(
            "arrays", (width, height), self._rate_hz, time_base, frame_count=count, live=live, renewable=False
        )

    def _read(self) -> Frame | None:
        image, self._first = self._first, None
        if image is None:
            image = next(self._images, None)
        if image is None:
            return None
        index = self._index
        self._index += 1
        now_s = time.monotonic()
        time_s = float(index / self._rate_hz) if self._started_at_s is None else now_s - self._started_at_s
        frame = Frame(index, time_s, _checked(image, index), now_s, **self._stamp())
        if frame.size != self._info.size:
            raise SourceError(
                f"Picture {index} is {frame.size[0]}x{frame.size[1]} but the first was "
                f"{self._info.size[0]}x{self._info.size[1]}: give pictures of one size."
            )
        return frame

    def _stamp(self) -> dict[str, Any]:
        return {"stamp_ns": time.time_ns(), "stamp_origin": StampOrigin.ARRIVAL} if self._info.live else {}

    def _release(self) -> None:
        close = getattr(self._images, "close", None)
        if close is not None:
            close()


def _checked(image: Any, index: int) -> NDArray[np.uint8]:
    if (
        not isinstance(image, np.ndarray)
        or image.ndim != 3
        or image.shape[2] != 3
        or image.dtype != np.uint8
        or not image.size
    ):
        what = f"{image.shape} {image.dtype}" if isinstance(image, np.ndarray) else type(image).__name__
        raise SourceError(f"Picture {index} must be an (H, W, 3) uint8 RGB array, but it is {what}.")
    return np.ascontiguousarray(image)
