"""From the tracker's soft masks to what is shown: each pixel to one object, at the size of the frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.mask import box_of
from streamer.motion.pyramid import Grid
from streamer.tracking.parameters import DEPTH_FALLOFF, DEPTH_SAMPLES
from streamer.tracking.soft_masks import INSIDE, Mask, SoftMask, around, is_empty

__all__ = ["INSIDE", "on_frame", "separated"]

Box = tuple[float, float, float, float]


def separated(
    soft_masks: Sequence[SoftMask], scores: Sequence[float], inverse_depth: NDArray[np.float32] | None
) -> list[SoftMask]:
    """Give every pixel that several objects claim to one of them.

    It goes to the one that is surer of it, whose depth it has, and that has less besides: what lies wholly on
    something larger is in front of it, or else it could not be seen.

    Args:
        soft_masks: ``(h, w)`` uint8 each.
        scores: How sure each object is, 0 to 1.
        inverse_depth: ``(h, w)`` float32 on the same grid, where it is known.
    """
    masks = [soft_mask > INSIDE for soft_mask in soft_masks]
    claimed = np.zeros((1, 1), np.uint8)
    for place, mask in enumerate(masks):
        claimed = mask.view(np.uint8) if place == 0 else cv2.add(claimed, mask.view(np.uint8))
    contested = claimed > 1
    if not contested.any():
        return list(soft_masks)
    claims = np.stack(
        [
            soft_mask[contested] * np.float32((0.5 + score) * (1 + _share(contested, mask)))
            for soft_mask, mask, score in zip(soft_masks, masks, scores, strict=True)
        ]
    )
    if inverse_depth is not None:
        claims = claims * _fits_depth(masks, contested, inverse_depth)
    owner = claims.argmax(axis=0)
    separate = []
    for place, soft_mask in enumerate(soft_masks):
        kept = soft_mask.copy()
        kept[contested] = np.where(owner == place, kept[contested], 0)
        separate.append(kept)
    return separate


def _share(contested: Mask, mask: Mask) -> float:
    """How much of a mask others claim too, 0 to 1."""
    return int(np.count_nonzero(contested & mask)) / max(int(np.count_nonzero(mask)), 1)


def _fits_depth(masks: Sequence[Mask], contested: Mask, inverse_depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """How well the depth of each contested pixel fits each object, ``(objects, pixels)`` from 0.5 to 1."""
    spread = float(np.ptp(inverse_depth)) or 1.0
    own = [inverse_depth[mask & ~contested] for mask in masks]
    samples = [values[:: max(1, len(values) // DEPTH_SAMPLES)] for values in own]
    middles = np.array([np.median(values) if len(values) else np.inf for values in samples], np.float32)
    distance = np.abs(inverse_depth[contested][None] - middles[:, None]) / spread
    return np.float32(0.5) + np.float32(0.5) * np.exp(-DEPTH_FALLOFF * distance)


def on_frame(soft_mask: SoftMask, grid: Grid) -> tuple[Mask, Box | None]:
    """A ``(h, w)`` soft mask of the grid as ``(H, W)`` bool on the frame, and the box around it as of `box_of`.

    The mask is the one that enlarging all of it gives, pixel by pixel.
    """
    mask, part = np.zeros(grid.frame_size[::-1], bool), around(soft_mask > INSIDE, 1)
    if is_empty(part):
        return mask, None
    sides = map(_aligned, part, grid.size[::-1], grid.frame_size[::-1])
    (rows, large_rows), (columns, large_columns) = sides
    left, top = large_columns.start, large_rows.start
    size = large_columns.stop - left, large_rows.stop - top
    inside = cv2.resize(soft_mask[rows, columns], size, interpolation=cv2.INTER_LINEAR) > INSIDE
    mask[large_rows, large_columns] = inside
    box = box_of(inside)
    return mask, None if box is None else (box[0] + left, box[1] + top, box[2] + left, box[3] + top)


def _aligned(side: slice, grid_px: int, frame_px: int) -> tuple[slice, slice]:
    """The side of a region, grown until both its ends lie between two pixels of the frame as well, and those there."""
    step = grid_px // math.gcd(grid_px, frame_px)
    start, stop = side.start // step * step, min(-(-side.stop // step) * step, grid_px)
    return slice(start, stop), slice(start * frame_px // grid_px, stop * frame_px // grid_px)
