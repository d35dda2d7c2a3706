"""Masks as COCO's compressed run-length encoding, as text that JSON holds."""

from __future__ import annotations

from typing import TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco


class Rle(TypedDict):
    """What pycocotools reads back.

    Attributes:
        size: (height, width) of the mask [px].
        counts: The runs.
    """

    size: tuple[int, int]
    counts: str


def rle_of(mask: NDArray[np.bool_]) -> Rle:
    """The encoding of a ``(H, W)`` mask."""
    # COCO counts along columns; cv2.transpose is ten times as fast as np.asfortranarray.
    rle = coco.encode(cv2.transpose(np.ascontiguousarray(mask).view(np.uint8)).T)
    height, width = (int(length) for length in rle["size"])
    return {"size": (height, width), "counts": rle["counts"].decode("ascii")}
