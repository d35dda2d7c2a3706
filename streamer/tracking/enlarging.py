"""Masks at the size of the frame: enlarged where there is something to enlarge, for most of most masks is empty."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.grid import Grid
from streamer.prompts import box_of
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
    rows, columns = map(_aligned, part, grid.size[::-1], grid.frame_size[::-1])
    large = slice(*_on_frame(rows, 1, grid)), slice(*_on_frame(columns, 0, grid))
    size = large[1].stop - large[1].start, large[0].stop - large[0].start
    inside = cv2.resize(soft[rows, columns], size, interpolation=cv2.INTER_LINEAR) > INSIDE
    mask[large] = inside
    box, (left, top) = box_of(inside), (large[1].start, large[0].start)
    return mask, None if box is None else (box[0] + left, box[1] + top, box[2] + left, box[3] + top)


def _aligned(side: slice, grid_px: int, frame_px: int) -> slice:
    """The side of a region, grown until both its ends lie between two pixels of the frame as well."""
    step = grid_px // math.gcd(grid_px, frame_px)
    return slice(side.start // step * step, min(-(-side.stop // step) * step, grid_px))


def _on_frame(side: slice, axis: int, grid: Grid) -> tuple[int, int]:
    """The ends of an aligned side, in pixels of the frame."""
    grid_px, frame_px = grid.size[axis], grid.frame_size[axis]
    return side.start * frame_px // grid_px, side.stop * frame_px // grid_px
