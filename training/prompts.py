"""Prompts as people (and the tracker) give them: clicks, boxes, corrections, masks from before."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.mask import innermost_of
from streamer.data.prompt import BACKGROUND, FOREGROUND
from streamer.models.sam.painting import BOX_CORNER_0, BOX_CORNER_1

Mask = NDArray[np.uint8]
NOT_A_POINT = -1
# As the tracker asks: see streamer/tracking/points.py and configs/tiny.yaml.
_FOLLOWED, _BESIDE, _DRIFT_PX, _RING_PX = 8, 4, 1.0, (4, 16)


def random_point(mask: Mask, rng: np.random.Generator) -> tuple[float, float]:
    """A random (x, y) [px] inside: half of the time rather deep inside, as people click."""
    chosen = mask
    if rng.random() < 0.5:
        distance = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
        chosen = (distance >= rng.uniform(0.3, 1.0) * distance.max()).astype(np.uint8)
    inside = np.flatnonzero(chosen)
    y, x = divmod(int(inside[rng.integers(len(inside))]), mask.shape[1])
    return float(x), float(y)


def tight_box(mask: Mask) -> NDArray[np.float32]:
    """``(4,)`` x0, y0, x1, y1 [px] around the mask, its last pixels included."""
    x, y, width, height = cv2.boundingRect(mask)
    return np.array([x, y, x + width, y + height], np.float32)


def jittered_box(mask: Mask, rng: np.random.Generator) -> NDArray[np.float32]:
    """The tight box with its corners moved by about a tenth of its size, 20 px at most; a third of the time not."""
    box = tight_box(mask)
    if rng.random() < 0.33:
        return box
    spread = np.minimum(0.1 * (box[2:] - box[:2]), 20.0)
    height, width = mask.shape
    moved = box + np.concatenate([spread, spread]) * rng.normal(0, 0.7, 4).clip(-2, 2)
    return moved.clip(0, [width, height, width, height]).astype(np.float32)


def first_prompt(mask: Mask, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """A click or a box, as ``(2, 2)`` points [px] and ``(2,)`` labels; a click is padded, as upstream pads it."""
    if rng.random() < 0.4:
        points = np.array([random_point(mask, rng), (0, 0)], np.float32)
        return points, np.array([FOREGROUND, NOT_A_POINT])
    return jittered_box(mask, rng).reshape(2, 2), np.array([BOX_CORNER_0, BOX_CORNER_1])


def carried_prompt(
    mask: Mask, worn: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What the tracker says at a keyframe beside the worn mask: ``(14, 2)`` points [px] and ``(14,)`` labels.

    Points that were followed on the object, points in a ring around it, and the box around the ``(h, w)`` worn logits.
    """
    near, ring = (cv2.dilate(mask, np.ones((2 * reach + 1,) * 2, np.uint8)) for reach in _RING_PX)
    ring = ring & (1 - near)
    beside = BACKGROUND if ring.any() else NOT_A_POINT
    points = [random_point(mask, rng) for _ in range(_FOLLOWED)]
    points += [random_point(ring, rng) if beside == BACKGROUND else (0.0, 0.0) for _ in range(_BESIDE)]
    # The tracker drops points that leave the frame.
    drifted = np.array(points) + rng.normal(0, _DRIFT_PX, (len(points), 2))
    drifted = drifted.clip(0, [mask.shape[1] - 1, mask.shape[0] - 1])
    x, y, width, height = cv2.boundingRect((worn > 0).astype(np.uint8))
    stride = mask.shape[1] / worn.shape[1]
    box = np.array([x, y, x + width, y + height]) * stride if width else tight_box(mask)
    labels = [FOREGROUND] * _FOLLOWED + [beside] * _BESIDE + [BOX_CORNER_0, BOX_CORNER_1]
    return np.concatenate([drifted, box.reshape(2, 2)]).astype(np.float32), np.array(labels)


def corrective_point(error: Mask, rng: np.random.Generator | None) -> tuple[float, float]:
    """A click (x, y) [px] on the largest piece of ``error`` (1 where a mask is wrong).

    With ``rng`` it is a random place in it, otherwise the innermost one.
    """
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(error, connectivity=4)
    if count < 2:
        return error.shape[1] / 2, error.shape[0] / 2
    largest = (pieces == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())).astype(np.uint8)
    return innermost_of(largest) if rng is None else random_point(largest, rng)


def worn_logits(mask: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Low-resolution logits of a mask that was carried for a while: shifted, grown or shrunk, softened.

    Args:
        mask: ``(h, w)`` float32, share of each cell that is inside (0 to 1).
    """
    height, width = mask.shape
    spread_px = 0.1 * np.sqrt(max(float(mask.sum()), 1.0))
    matrix = np.eye(2, 3, dtype=np.float32)
    matrix[:, :2] += rng.normal(0, 0.05, (2, 2)).astype(np.float32)
    center = np.array([width / 2, height / 2], np.float32)
    matrix[:, 2] = center - matrix[:, :2] @ center + rng.normal(0, spread_px, 2)
    worn = cv2.warpAffine(mask, matrix, (width, height))
    worn = cv2.GaussianBlur(worn, (0, 0), rng.uniform(0.3, 2.0))
    threshold, steepness = rng.uniform(0.3, 0.7), rng.uniform(6, 24)
    return ((worn - threshold) * steepness).astype(np.float32)
