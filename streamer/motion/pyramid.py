"""A frame at the sizes at which it is looked at.

==========  ===================  ==============================================================================
level       long side            what happens there
==========  ===================  ==============================================================================
frame       the source's own     models look, results are drawn
flow        ``max_side_px``      the dense flow is found
grid        ``grid_side_px``     masks and depth live and are carried
half        half of the grid     flow is composed, colors and edges are compared
sparse      every second pixel   figures of which a sample tells enough: `sparse`
==========  ===================  ==============================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

_SIDE_MULTIPLE_PX = 8
"""DIS pads other sizes, which costs more than it saves."""
_LEAST_SIDE_PX = 32
"""DIS finds nothing on thinner images, so theirs are stretched."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A level of the pyramid: the frame shrunk so that its long side is at most so many pixels.

    Attributes:
        frame_size: (width, height) of the frame [px].
        size: (width, height) of the level [px].
    """

    frame_size: tuple[int, int]
    size: tuple[int, int]

    @classmethod
    def of(cls, frame_size: tuple[int, int], max_side_px: int) -> Grid:
        """The level of a frame of this (width, height) whose long side has at most ``max_side_px`` pixels."""
        scale = min(1.0, max_side_px / max(frame_size))
        multiple = _SIDE_MULTIPLE_PX
        width, height = (max(_LEAST_SIDE_PX, round(side * scale / multiple) * multiple) for side in frame_size)
        return cls(frame_size, (width, height))

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) [px]."""
        width, height = self.size
        return height, width

    @property
    def half_size(self) -> tuple[int, int]:
        """(width, height) of the level below this one [px]."""
        width, height = self.size
        return width // 2, height // 2

    @property
    def _scale(self) -> NDArray[np.float32]:
        return np.divide(self.size, self.frame_size, dtype=np.float32)

    def from_frame(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(N, 2)`` pixel coordinates of the frame, as coordinates of the grid (pixel centers are whole numbers)."""
        return ((points + 0.5) * self._scale - 0.5).astype(np.float32)

    def to_frame(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """The way back of :meth:`from_frame`."""
        return ((points + 0.5) / self._scale - 0.5).astype(np.float32)

    def shrink(self, image: NDArray) -> NDArray:
        """Bring an image or map of the frame to the grid."""
        return shrink(image, self.size)


@dataclass(frozen=True, eq=False)
class Pyramid:
    """One frame on every level.

    Attributes:
        grid: The working grid.
        flow_gray: ``(H_f, W_f)`` uint8, the level on which flow is found.
        image_rgb: ``(h, w, 3)`` uint8 on the grid.
        half_rgbx: ``(h / 2, w / 2, 4)`` uint8 on the half level. The fourth channel is padding: OpenCV pulls four
            channels as fast as one, and has no fast path for three.
    """

    grid: Grid
    flow_gray: NDArray[np.uint8]
    image_rgb: NDArray[np.uint8]
    half_rgbx: NDArray[np.uint8]

    @classmethod
    def of(cls, image_rgb: NDArray[np.uint8], flow_level: Grid, grid: Grid) -> Pyramid:
        """Every level of a ``(H, W, 3)`` uint8 RGB frame."""
        while image_rgb.shape[1] > 2 * flow_level.size[0]:
            # Averaging over larger areas in one go takes several times as long.
            image_rgb = halve(image_rgb)
        fine = flow_level.shrink(image_rgb)
        on_grid = shrink(fine, grid.size)
        half_rgbx = cv2.cvtColor(halve(on_grid), cv2.COLOR_RGB2RGBA)
        return cls(grid, cv2.cvtColor(fine, cv2.COLOR_RGB2GRAY), on_grid, half_rgbx)

    @cached_property
    def gray(self) -> NDArray[np.uint8]:
        """``(h, w)`` uint8 on the grid."""
        return cv2.cvtColor(self.image_rgb, cv2.COLOR_RGB2GRAY)

    @cached_property
    def half_gray(self) -> NDArray[np.uint8]:
        """``(h / 2, w / 2)`` uint8 on the half level."""
        return cv2.cvtColor(self.half_rgbx, cv2.COLOR_RGBA2GRAY)

    @property
    def half_rgb(self) -> NDArray[np.uint8]:
        """``(h / 2, w / 2, 3)`` uint8, a view of the half level."""
        return self.half_rgbx[..., :3]


def shrink(image: NDArray, size: tuple[int, int]) -> NDArray:
    """Resize to (width, height). Area averaging costs ten times as much and is only needed to shrink by more than 2."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    area = width > 2 * size[0] and height > 2 * size[1]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if area else cv2.INTER_LINEAR)


def halve(image: NDArray) -> NDArray:
    """An image, mask or map one level down: the mean of every four pixels."""
    height, width = image.shape[:2]
    return cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


def sparse(image: NDArray) -> NDArray:
    """Every second pixel both ways, a view: where a sample tells enough, since averaging costs more than it tells."""
    return image[::2, ::2]
