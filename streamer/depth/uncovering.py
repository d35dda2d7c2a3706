"""What a near thing uncovers when it moves away: the background behind it, instead of a smear."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.depth.parameters import BACKGROUND_REACH_PX, HOLE_BLUR_PX, UNCOVERED_CROWDING, UNCOVERED_TRUST
from streamer.motion.anchors import Anchor
from streamer.motion.pyramid import Pyramid, sparse


def filled(carried: NDArray[np.float32], anchor: Anchor, present: Pyramid, step: float) -> NDArray[np.float32]:
    """The carried map with the background where a near thing has moved away.

    Pulling leaves the thing's depth there. What has come to light pulls from where the thing itself does, does not look
    like it, and lies beside something that is farther by a ``step``.
    """
    half = np.ascontiguousarray(sparse(carried))
    background = cv2.blur(cv2.erode(half, np.ones((BACKGROUND_REACH_PX + 1,) * 2, np.uint8)), (3, 3))
    uncovered = (anchor.crowding() > UNCOVERED_CROWDING) & (anchor.trust(present) < UNCOVERED_TRUST)
    holes = uncovered & (half - background > step)
    if not holes.any():
        return carried
    size = carried.shape[1::-1]
    # Single pixels are rather noise, and a hole with hard borders is uglier than the smear that it replaces.
    share = np.clip(2 * cv2.blur(holes.astype(np.float32), (HOLE_BLUR_PX,) * 2) - 0.5, 0, 1)
    share, behind = (cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in (share, background))
    behind -= carried
    behind *= share
    return np.add(carried, behind, out=behind)
