"""A detection on an earlier frame, moved to the present one by the flow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.detection import Box, Detection
from streamer.data.mask import box_of, centroid_of
from streamer.motion.anchors import Anchor
from streamer.tracking.soft_masks import INSIDE

MIDDLE = 0.6
"""Share of a box's sides that mostly shows the thing in it."""
MIN_SIDE_PX = 2
"""Of a box on the frame; less is nothing that could be followed."""


def carry(detection: Detection, anchor: Anchor) -> Detection | None:
    """A detection on the anchor's frame, moved to the present one; None where nothing is left of it there."""
    if anchor.age == 0:
        return detection if _has_area(detection.box_xyxy) else None
    if detection.mask is not None:
        here = anchor.carry(anchor.grid.shrink(detection.mask.astype(np.uint8) * 255)) > INSIDE
        mask = _enlarged(here, detection.mask.shape)
        box = box_of(mask)
        return replace(detection, box_xyxy=box, mask=mask) if box is not None and _has_area(box) else None
    move = _movement(detection.box_xyxy, anchor)
    if move is None:
        return None
    x0, y0, x1, y1 = move(detection.box_xyxy)
    width, height = anchor.grid.frame_size
    box = max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))
    point = None if detection.point is None else _inside(move(detection.point), (width, height))
    return replace(detection, box_xyxy=box, point=point) if _has_area(box) else None


def _movement(box: Box, anchor: Anchor) -> Callable[[Sequence[float]], list[float]] | None:
    """Moves and grows x, y, ... as what lies in the middle of a box: its corners show the background, which goes
    another way."""
    corners = np.asarray(box, np.float32).reshape(2, 2)
    (x0, y0), (x1, y1) = anchor.grid.from_frame(corners).astype(float)
    axes = round(MIDDLE * (x1 - x0) / 2), round(MIDDLE * (y1 - y0) / 2)
    there = np.zeros(anchor.grid.shape, np.uint8)
    cv2.ellipse(there, (round((x0 + x1) / 2), round((y0 + y1) / 2)), axes, 0, 0, 360, 255, -1)
    here = anchor.carry(there) > INSIDE
    before, after = centroid_of(there > 0), centroid_of(here)
    if before is None or after is None:
        return None
    start, end = anchor.grid.to_frame(np.asarray([before, after], np.float32))
    growth = (np.count_nonzero(here) / np.count_nonzero(there)) ** 0.5

    def move(points: Sequence[float]) -> list[float]:
        moved: list[float] = ((np.reshape(points, (-1, 2)) - start) * growth + end).ravel().tolist()
        return moved

    return move


def _inside(point: Sequence[float], size: tuple[int, int]) -> tuple[float, float] | None:
    """The point where it lies on a frame of this (width, height)."""
    x, y = point
    return (x, y) if 0 <= x < size[0] and 0 <= y < size[1] else None


def _enlarged(mask: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    return cv2.resize(mask.astype(np.uint8) * 255, shape[::-1], interpolation=cv2.INTER_LINEAR) > INSIDE


def _has_area(box: Sequence[float]) -> bool:
    return box[2] - box[0] >= MIN_SIDE_PX and box[3] - box[1] >= MIN_SIDE_PX
