"""The working grid: a shrunken frame, on which everything that is carried lives."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_GRID_MULTIPLE_PX = 8
"""DIS pads other sizes, which costs more than it saves."""
_LEAST_SIDE_PX = 32
"""DIS finds nothing on thinner pictures, so theirs are stretched."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The working grid: the frame shrunk so that its long side is at most so many pixels.

    Attributes:
        frame_size: (width, height) of the frame [px].
        size: (width, height) of the grid [px].
    """

    frame_size: tuple[int, int]
    size: tuple[int, int]

    @classmethod
    def of(cls, frame_size: tuple[int, int], max_side_px: int) -> Grid:
        scale = min(1.0, max_side_px / max(frame_size))
        multiple = _GRID_MULTIPLE_PX
        width, height = (max(_LEAST_SIDE_PX, round(side * scale / multiple) * multiple) for side in frame_size)
        return cls(frame_size, (width, height))

    @property
    def _scale(self) -> NDArray[np.float32]:
        return np.divide(self.size, self.frame_size, dtype=np.float32)

    def from_frame(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(N, 2)`` pixel coordinates of the frame, as coordinates of the grid (pixel centres are whole numbers)."""
        return ((points + 0.5) * self._scale - 0.5).astype(np.float32)

    def to_frame(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """The way back of :meth:`from_frame`."""
        return ((points + 0.5) / self._scale - 0.5).astype(np.float32)

    def shrink(self, image: NDArray) -> NDArray:
        """Bring an image or map of the frame to the grid."""
        return shrink(image, self.size)

    def enlarge(self, image: NDArray) -> NDArray:
        """Bring an image or map of the grid to the frame."""
        if self.size == self.frame_size:
            return image
        return cv2.resize(image, self.frame_size, interpolation=cv2.INTER_LINEAR)


def shrink(image: NDArray, size: tuple[int, int]) -> NDArray:
    """Resize to (width, height). Area averaging costs ten times as much and is only needed to shrink by more than 2."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    area = width > 2 * size[0] and height > 2 * size[1]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if area else cv2.INTER_LINEAR)


def halved(image: NDArray) -> NDArray:
    """An image or map at half the size: the mean of every four pixels."""
    height, width = image.shape[:2]
    return cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
