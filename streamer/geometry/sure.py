"""Which pixels of an object have a depth of their own, and not one between it and what lies behind."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.mask import box_of

JUMP_SHARE = 0.12
"""Of its inverse depth, by which a pixel may differ within the 3x3 around it. Sweep: docs/meters.md."""
OUTLYING = 4.0
"""Standard deviations from the object's median (by its median absolute deviation) beyond which a pixel is of something
else: a mask that spills over onto the background. A whole person or table lies within 3."""
_LEAST_SPREAD_SHARE = 0.02
"""Of the object's inverse depth: a flat one has no deviation to be judged by."""
_AROUND = np.ones((3, 3), np.uint8)


def smooth_depth(inverse_depth: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where ``(h, w)`` inverse depth [1/m] goes on without a jump: False on both sides of one."""
    near, far = cv2.dilate(inverse_depth, _AROUND), cv2.erode(inverse_depth, _AROUND)
    return near - far < np.float32(JUMP_SHARE) * inverse_depth


def sure_pixels(
    inverse_depth: NDArray[np.float32], smooth: NDArray[np.bool_], mask: NDArray[np.bool_], border_px: int = 1
) -> NDArray[np.bool_]:
    """The pixels of a ``(h, w)`` mask whose inverse depth [1/m] is surely the object's own.

    Left out are its border, jumps (flying pixels), and what is at quite another depth than the rest of it.
    """
    sure, box = np.zeros_like(mask), box_of(mask)
    if box is None:
        return sure
    left, top, right, bottom = map(int, box)
    # Only around the object: most are small, and this is asked about each on every frame.
    part = np.s_[max(0, top - border_px) : bottom + border_px, max(0, left - border_px) : right + border_px]
    sure[part] = _sure_part(inverse_depth[part], smooth[part], mask[part], border_px)
    return sure


def _sure_part(
    inverse_depth: NDArray[np.float32], smooth: NDArray[np.bool_], mask: NDArray[np.bool_], border_px: int
) -> NDArray[np.bool_]:
    around = np.ones((2 * border_px + 1,) * 2, np.uint8)
    sure = cv2.erode(mask.view(np.uint8), around, borderType=cv2.BORDER_CONSTANT, borderValue=1).view(bool) & smooth
    values = inverse_depth[sure]
    if len(values):
        center = np.median(values)
        spread = max(1.4826 * float(np.median(np.abs(values - center))), _LEAST_SPREAD_SHARE * float(center))
        sure &= np.abs(inverse_depth - center) <= OUTLYING * spread
    return sure
