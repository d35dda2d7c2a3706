"""Masks at the size of the frame: enlarged where there is something to enlarge, for most of most masks is empty."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.mask import box_of
from streamer.motion.pyramid import Grid
from streamer.tracking.refine import INSIDE
from streamer.tracking.regions import around, is_empty

Box = tuple[float, float, float, float]


def on_frame(soft: NDArray[np.uint8], grid: Grid) -> tuple[NDArray[np.bool_], Box | None]:
    """A ``(h, w)`` soft mask of the grid as ``(H, W)`` bool on the frame, and the box around it as of `box_of`.

    The mask is the one that enlarging all of it gives, pixel by pixel.
    """
    mask, part = np.zeros(grid.frame_size[::-1], bool), around(soft > INSIDE, 1)
    if is_empty(part):
        return mask, None
    sides = map(_aligned, part, grid.size[::-1], grid.frame_size[::-1])
    (rows, large_rows), (columns, large_columns) = sides
    left, top = large_columns.start, large_rows.start
    size = large_columns.stop - left, large_rows.stop - top
    inside = cv2.resize(soft[rows, columns], size, interpolation=cv2.INTER_LINEAR) > INSIDE
    mask[large_rows, large_columns] = inside
    box = box_of(inside)
    return mask, None if box is None else (box[0] + left, box[1] + top, box[2] + left, box[3] + top)


def _aligned(side: slice, grid_px: int, frame_px: int) -> tuple[slice, slice]:
    """The side of a region, grown until both its ends lie between two pixels of the frame as well, and those there."""
    step = grid_px // math.gcd(grid_px, frame_px)
    start, stop = side.start // step * step, min(-(-side.stop // step) * step, grid_px)
    return slice(start, stop), slice(start * frame_px // grid_px, stop * frame_px // grid_px)
