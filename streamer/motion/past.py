"""Where what was pointed at on a frame of a moment ago is now.

Whoever watches from elsewhere points at a frame that is a few frames old when word of it arrives. What was pointed at
is then followed from that frame to the present one, frame by frame, as every click is followed from then on. Only the
frames are kept for it, 6 MB of them; nothing is computed until somebody points.

The map of an anchor, inverted, leads there as well, and was measured: ten frames later it lags by 2 to 7 px of a ball
that moves by 4 px a frame, and loses its rim to the ground. Followed, a point stays within 0.1 px inside, 3 px there.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.motion.point_tracks import inside, there_by_lucas_kanade
from streamer.motion.pyramid import Pyramid

Points = NDArray[np.float32]

FRAMES = 60
"""Two seconds at 30 Hz: who answers later than that has not seen what he points at."""
_COVERED_LEVELS = 45.0
"""Difference in brightness [gray levels] from which it is something else: as between two objects, not two lights."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A frame on the working grid, ``(h, w)`` uint8 gray."""

    index: int
    gray: NDArray[np.uint8]


class Past:
    """The last frames of a scene.

    Args:
        frames: How many are kept.
    """

    def __init__(self, frames: int = FRAMES) -> None:
        self._moments: deque[Moment] = deque(maxlen=frames)

    def add(self, index: int, present: Pyramid) -> None:
        """Take in the present frame."""
        self._moments.append(Moment(index, present.gray))

    def forget(self) -> None:
        """Another scene: nothing leads to what was before."""
        self._moments.clear()

    def to_present(self, points: Points, index: int, present: Pyramid) -> tuple[Points, NDArray[np.bool_]]:
        """Where ``(N, 2)`` points (x, y) [px of the frame] of frame ``index`` are on the present one.

        Returns:
            The points, ``(N, 2)``, and ``(N,)`` bool: False for what has left the frame or is covered now.

        Raises:
            LookupError: That frame is too long ago, or of another scene.
        """
        since = [moment for moment in self._moments if moment.index >= index]
        if not since or since[0].index != index:
            raise LookupError(f"frame {index} is not remembered")
        if len(since) == 1 or len(points) == 0:
            return points, np.ones(len(points), bool)
        start = there = present.grid.from_frame(points)
        found = np.ones(len(points), bool)
        for before, after in pairwise(since):
            there, _ = there_by_lucas_kanade(there, before.gray, after.gray)
            found &= inside(there, present.grid)
        change = np.abs(_brightness(start, since[0].gray) - _brightness(there, since[-1].gray))
        return present.grid.to_frame(there), found & (change < _COVERED_LEVELS)


def _brightness(points: Points, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The mean of nine pixels around ``(N, 2)`` points of the grid, ``(N,)``."""
    columns, rows = np.rint(points).astype(int).T
    height, width = gray.shape
    blurred = cv2.blur(gray, (3, 3)).astype(np.float32)
    return blurred[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
