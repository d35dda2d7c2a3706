"""Colors by their names, as people use them: which share of a patch would be called red."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_LAB = {
    # Centers in CIELAB of the eleven basic color terms (Berlin & Kay, 1969), as sRGB screens show them.
    "red": ((45, 60, 38), (35, 48, 28)),
    "orange": ((67, 38, 65), (58, 40, 52)),
    "yellow": ((88, -5, 78), (78, 2, 62)),
    "green": ((50, -42, 36), (32, -22, 18), (72, -38, 44)),
    "blue": ((42, 12, -52), (62, -8, -38), (24, 8, -30)),
    "purple": ((38, 42, -42), (50, 48, -22)),
    "pink": ((72, 38, 4), (62, 55, -2)),
    "brown": ((38, 18, 28), (26, 12, 18)),
    "white": ((96, 0, 0), (85, 0, 1)),
    "gray": ((62, 0, 0), (45, 0, 0)),
    "black": ((8, 0, 0), (20, 0, 0)),
}
COLORS = {**{name: name for name in _LAB}, "grey": "gray", "violet": "purple", "golden": "yellow", "silver": "gray"}
"""What people call them, and the name that is meant."""
_NAMES = tuple(name for name, centers in _LAB.items() for _ in centers)
_CENTERS = np.array([center for centers in _LAB.values() for center in centers], np.float32)
_SIDE_PX = 32


def share_of_color(image_rgb: NDArray[np.uint8], box_xyxy: tuple[float, float, float, float], color: str) -> float:
    """Share of the inner ellipse of a box whose nearest basic color is this one, 0 to 1.

    Args:
        image_rgb: ``(H, W, 3)`` uint8 RGB.
        box_xyxy: x0, y0, x1, y1 [px].
        color: A value of `COLORS`.
    """
    height, width = image_rgb.shape[:2]
    x0, y0 = max(0, round(box_xyxy[0])), max(0, round(box_xyxy[1]))
    x1, y1 = min(width, max(x0 + 1, round(box_xyxy[2]))), min(height, max(y0 + 1, round(box_xyxy[3])))
    patch = image_rgb[y0:y1, x0:x1]
    if patch.size == 0:
        return 0.0
    small = cv2.resize(patch, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    nearest = np.linalg.norm(lab[:, :, None] - _CENTERS, axis=3).argmin(axis=2)
    named = np.isin(nearest, [place for place, name in enumerate(_NAMES) if name == color])
    inside = cv2.ellipse(np.zeros((_SIDE_PX, _SIDE_PX), np.uint8), (16, 16), (12, 12), 0, 0, 360, 1, -1) > 0
    return float(named[inside].mean())
