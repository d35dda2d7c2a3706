"""Outlines that snap to where the colors change: GrabCut, told by SAM where to look.

SAM says which object is meant and where about it ends, GrabCut (Rother et al., SIGGRAPH 2004) where exactly: it may
only decide within a narrow band around SAM's outline. In a box that a person drew this wins 1 to 4 points of IoU, on
real pictures too. On every keyframe it would lose more than it wins: once it has taken the wrong side of an edge, SAM
is asked with that.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.tracking.refine import INSIDE
from streamer.tracking.regions import around

_BAND, _LEAST_BAND_PX = 0.06, 2
_LEAST_PX = 64
"""Fewer pixels on either side tell nothing of its colors."""


def snapped(soft: NDArray[np.uint8], picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The ``(h, w)`` soft mask of an object of the ``(h, w, 3)`` uint8 picture, its outline moved to edges near it.

    Near is within 6 % of the side of a square as large as the object.
    """
    area = int(np.count_nonzero(soft > INSIDE))
    if area < _LEAST_PX:
        return soft
    reach = max(_LEAST_BAND_PX, round(_BAND * area**0.5))
    region = around(soft > INSIDE, 3 * reach)
    inside = (soft[region] > INSIDE).view(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    surely, perhaps = cv2.erode(inside, disc) > 0, cv2.dilate(inside, disc) > 0
    if min(np.count_nonzero(surely), np.count_nonzero(~perhaps)) < _LEAST_PX:
        return soft
    sides = np.where(inside, np.uint8(cv2.GC_PR_FGD), np.uint8(cv2.GC_PR_BGD))
    sides[surely], sides[~perhaps] = cv2.GC_FGD, cv2.GC_BGD
    cv2.setRNGSeed(0)  # of this thread, so that the same picture always gives the same
    cv2.grabCut(np.ascontiguousarray(picture[region]), sides, None, None, None, 1, cv2.GC_INIT_WITH_MASK)
    smooth = cv2.blur((sides & 1) * np.uint8(255), (3, 3))
    moved = soft.copy()
    np.copyto(moved[region], smooth, where=perhaps & ~surely)
    return moved
