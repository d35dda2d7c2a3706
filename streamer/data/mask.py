"""What can be read off a mask."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray


def box_of(mask: NDArray[np.bool_]) -> tuple[float, float, float, float] | None:
    """Tightest box around a ``(H, W)`` mask: x0, y0, x1, y1 [px], x1 and y1 exclusive; None where it is empty."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    return (float(x), float(y), float(x + width), float(y + height)) if width else None


def centroid_of(mask: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Mean (x, y) of the pixels of a ``(H, W)`` mask [px]; None where it is empty."""
    moments = cv2.moments(mask.view(np.uint8), binaryImage=True)
    area = moments["m00"]
    return (moments["m10"] / area, moments["m01"] / area) if area else None


def innermost_of(mask: NDArray[Any]) -> tuple[float, float]:
    """The (x, y) of a ``(H, W)`` mask that lies farthest from its edge; the frame's border counts as edge [px]."""
    padded = np.pad(mask.astype(np.uint8), 1)
    _, _, _, (x, y) = cv2.minMaxLoc(cv2.distanceTransform(padded, cv2.DIST_L2, 5))
    return float(x - 1), float(y - 1)
