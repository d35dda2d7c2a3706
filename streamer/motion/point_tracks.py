"""Points that are followed from frame to frame: sparse flow, checked by the dense one."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.motion.anchors import look_up
from streamer.motion.flow import Maps
from streamer.motion.pyramid import Grid, Pyramid

Points = NDArray[np.float32]

_LUCAS_KANADE: dict[str, Any] = {"winSize": (15, 15), "maxLevel": 3}
_ASTRAY_PX = 2.0
"""Of the grid. At 1 px a fifth of the frames become keyframes without tracking any better, at 2.5 px it gets worse:
docs/tracking.md."""


def follow(points: Points, before: Pyramid, present: Pyramid, step: Maps) -> tuple[Points, NDArray[np.bool_]]:
    """Follow ``(N, 2)`` points (x, y) [px of the frame] from one frame to the next.

    There by pyramidal Lucas-Kanade, and back (Kalal et al., ICPR 2010) by the dense flow, which is at hand.

    Returns:
        The points on the present frame, ``(N, 2)``, and ``(N,)`` bool: False where the two disagree by more than two
        pixels of the grid, or where the point left the frame.
    """
    grid = present.grid
    start = grid.from_frame(points)
    there, found = there_by_lucas_kanade(start, before.gray, present.gray)
    good = found & (np.linalg.norm(look_up(there, *step) - start, axis=1) < _ASTRAY_PX) & inside(there, grid)
    return grid.to_frame(there), good


def there_by_lucas_kanade(
    points: Points, before: NDArray[np.uint8], present: NDArray[np.uint8]
) -> tuple[Points, NDArray[np.bool_]]:
    """Where ``(N, 2)`` points of the grid of one ``(h, w)`` gray image are on another, and ``(N,)`` whether found."""
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, present, points[:, None], None, **_LUCAS_KANADE)
    return there.reshape(-1, 2), found.ravel() == 1


def inside(points: Points, grid: Grid) -> NDArray[np.bool_]:
    """Which of ``(N, 2)`` points lie on the grid, ``(N,)``."""
    x, y = points.T
    width, height = grid.size
    return (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
