"""The part of the picture that a mask is in: what is done with masks costs by the pixel, and most of them are small."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Region = tuple[slice, slice]


def around(mask: NDArray[np.bool_] | NDArray[np.uint8], margin_px: int = 0) -> Region:
    """The rows and columns of what is not zero in ``(h, w)``, and so many pixels more on each side where there are.

    Where all is zero they are empty.
    """
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    if width == 0:
        return np.s_[0:0, 0:0]
    return np.s_[max(0, y - margin_px) : y + height + margin_px, max(0, x - margin_px) : x + width + margin_px]


def corner(region: Region) -> NDArray[np.float32]:
    """(x, y) of the region's first pixel."""
    rows, columns = region
    return np.array([columns.start, rows.start], np.float32)


def is_empty(region: Region) -> bool:
    """Whether the region has no pixels."""
    return any(side.start == side.stop for side in region)
