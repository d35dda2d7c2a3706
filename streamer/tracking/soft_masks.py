"""What can be read off a soft mask, and where in the image it is: most masks are small, and work costs by the pixel.

A soft mask is ``(h, w)`` uint8 on the working grid, or on half of it; above `INSIDE` a pixel belongs to the object.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.tracking.parameters import GAP_PX, LOGIT_RANGE, SCRAP, STEEPNESS

SoftMask = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Region = tuple[slice, slice]

INSIDE = 127
"""The middle of uint8."""
_STEEPER = np.rint(np.clip((np.arange(256) - 127.5) * STEEPNESS + 127.5, 0, 255)).astype(np.uint8)


def around(mask: Mask | SoftMask, margin_px: int = 0) -> Region:
    """The rows and columns of what is not zero in ``(h, w)``, and so many pixels more on each side where there are.

    Where all is zero they are empty.
    """
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    if width == 0:
        return np.s_[0:0, 0:0]
    return np.s_[max(0, y - margin_px) : y + height + margin_px, max(0, x - margin_px) : x + width + margin_px]


def corner(region: Region) -> NDArray[np.float32]:
    """``(2,)`` (x, y) of the region's first pixel."""
    rows, columns = region
    return np.array([columns.start, rows.start], np.float32)


def is_empty(region: Region) -> bool:
    """Whether the region has no pixels."""
    return any(side.start == side.stop for side in region)


def area_of(soft_mask: SoftMask) -> int:
    """How many pixels are inside [px]."""
    return int(np.count_nonzero(soft_mask > INSIDE))


def overlap(first: Mask, second: Mask) -> float:
    """IoU of two ``(h, w)`` masks; 0 where both are empty."""
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 0.0


def box_overlap(first: NDArray[np.float32], second: tuple[float, float, float, float] | None) -> float:
    """IoU of two boxes x0, y0, x1, y1; 0 without a second one."""
    if second is None:
        return 0.0
    other = np.asarray(second)
    sides = np.clip(np.minimum(first[2:], other[2:]) - np.maximum(first[:2], other[:2]), 0, None)
    areas = [float(np.prod(box[2:] - box[:2])) for box in (first, other)]
    shared = float(np.prod(sides))
    return shared / max(sum(areas) - shared, 1e-6)


def pieces_of(soft_mask: SoftMask) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """``(h, w)`` number of the piece that each pixel belongs to, from 1 (0 is outside), and ``(N,)`` areas [px]."""
    if not soft_mask.size:
        return np.zeros(soft_mask.shape, np.int32), np.empty(0, np.int32)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats((soft_mask > INSIDE).view(np.uint8))
    return pieces, stats[1:, cv2.CC_STAT_AREA]


def smallest_piece(soft_mask: SoftMask) -> float:
    """The area of the smallest piece of a soft mask as a share of that of the largest."""
    _, areas = pieces_of(soft_mask)
    return float(areas.min() / areas.max()) if len(areas) else 1.0


def coherence(soft_mask: SoftMask) -> float:
    """Share of a soft mask that lies in its largest piece, where pieces within a few pixels of each other are one.

    1 for an empty one.
    """
    region = around(soft_mask > INSIDE, 2 * GAP_PX)
    if is_empty(region):
        return 1.0
    _, areas = pieces_of(cv2.dilate(soft_mask[region], np.ones((2 * GAP_PX + 1, 2 * GAP_PX + 1), np.uint8)))
    return float(areas.max() / areas.sum())


def without_scraps(soft_mask: SoftMask, smallest: float = SCRAP) -> SoftMask:
    """The soft mask without pieces that have less than ``smallest`` of its largest piece's area.

    What an object leaves behind where it passed something, and what it picked up there, are such pieces.
    """
    region = around(soft_mask > INSIDE)
    pieces, areas = pieces_of(soft_mask[region])
    if len(areas) < 2 or (areas >= smallest * areas.max()).all():
        return soft_mask
    scrap = np.concatenate([[False], areas < smallest * areas.max()])
    kept = soft_mask.copy()
    # The soft rim of a scrap belongs to no piece, and is weak enough to be left.
    kept[region][scrap[pieces]] = 0
    return kept


def harden(soft_mask: SoftMask) -> SoftMask:
    """A soft mask with a steeper edge, so that it does not dissolve when it is refined again and again."""
    return cv2.LUT(soft_mask, _STEEPER)


def soft(logits: NDArray[np.float32]) -> SoftMask:
    """Mask logits as a soft mask."""
    # A straight line through the decision is enough, and much quicker than a sigmoid.
    clipped = np.clip(logits, -LOGIT_RANGE, LOGIT_RANGE)
    return cv2.convertScaleAbs(clipped, alpha=255 / (2 * LOGIT_RANGE), beta=127.5)
