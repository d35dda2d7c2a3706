"""Points to ask SAM about, chosen from a mask: spread out, well inside, on strong corners where there are any."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.prompt import BACKGROUND, FOREGROUND
from streamer.tracking.parameters import (
    CORNER_CANDIDATES,
    CORNER_DISTANCE_PX,
    CORNER_QUALITY,
    CORNER_REACH_PX,
    EROSION_SHARE,
    MAX_EROSION_PX,
    MEDOID_ROUNDS,
    NEGATIVE_RING_PX,
    POINT_CANDIDATES,
)
from streamer.tracking.soft_masks import Mask, around, corner

Points = NDArray[np.float32]

_NO_POINTS = np.empty((0, 2), np.float32)


def inside(mask: Mask, points: Points) -> Mask:
    """Which of ``(N, 2)`` points lie on a ``(h, w)`` mask, ``(N,)``."""
    height, width = mask.shape
    columns, rows = np.rint(points).astype(int).T
    within = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    return within & mask[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]


def positive(mask: Mask, gray: NDArray[np.uint8], count: int, kept: Points = _NO_POINTS) -> Points:
    """``(count, 2)`` points (fewer on a tiny mask) spread over a ``(h, w)`` mask: those ``kept``, and new ones.

    The new ones are medoids of the mask, which is eroded first so that none sits on an edge, and of its corners
    (Shi and Tomasi, CVPR 1994), which count as much as the rest.
    """
    region = around(mask, CORNER_REACH_PX)
    core = _eroded(mask[region])
    corners = cv2.goodFeaturesToTrack(
        gray[region], CORNER_CANDIDATES, CORNER_QUALITY, CORNER_DISTANCE_PX, mask=core.view(np.uint8)
    )
    candidates = _sampled(core)
    if corners is not None:
        candidates = np.concatenate([candidates, np.repeat(corners.reshape(-1, 2), 2, axis=0)])
    return medoids(candidates + corner(region), count, kept)


def negative(mask: Mask, others: Mask, count: int) -> Points:
    """Up to ``(count, 2)`` points around a ``(h, w)`` mask and on ``others``, which are other objects."""
    region = around(mask, NEGATIVE_RING_PX[1])
    distance = cv2.distanceTransform((~mask[region]).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    beside = distance > NEGATIVE_RING_PX[0]
    candidates = _sampled(beside & (distance <= NEGATIVE_RING_PX[1])) + corner(region)
    elsewhere = others.copy()
    elsewhere[region] &= beside
    if elsewhere.any():
        candidates = np.concatenate([candidates, _sampled(elsewhere, POINT_CANDIDATES // 2)])
    return medoids(candidates, count)


def medoids(candidates: Points, count: int, kept: Points = _NO_POINTS, rounds: int = MEDOID_ROUNDS) -> Points:
    """k-medoids on position: ``kept`` and as many of the ``(N, 2)`` candidates as make up ``(count, 2)``.

    Starts from the farthest points (Gonzalez, 1985) and then moves each new one to the middle of what is nearest to it.
    """
    chosen = list(kept[:count])
    if len(candidates) == 0 or len(chosen) >= count:
        return np.asarray(chosen, np.float32).reshape(-1, 2)
    fixed = len(chosen)
    if not chosen:
        chosen.append(candidates[_squares(candidates, candidates.mean(axis=0)[None])[:, 0].argmin()])
    nearest = _squares(candidates, np.stack(chosen)).min(axis=1)
    while len(chosen) < min(count, len(candidates)):
        chosen.append(candidates[nearest.argmax()])
        nearest = np.minimum(nearest, _squares(candidates, chosen[-1][None])[:, 0])
    medoid = np.stack(chosen).astype(np.float32)
    for _ in range(rounds):
        members = _squares(candidates, medoid).argmin(axis=1)[:, None] == np.arange(fixed, len(medoid))
        sizes = members.sum(axis=0)
        centers = members.T.astype(np.float32) @ candidates / np.maximum(sizes, 1)[:, None].astype(np.float32)
        middle = np.where(members, _squares(candidates, centers), np.inf).argmin(axis=0)
        moved = np.where(sizes[:, None] > 0, candidates[middle], medoid[fixed:])
        if np.array_equal(moved, medoid[fixed:]):
            break
        medoid[fixed:] = moved
    return medoid


def labelled(positives: Points, negatives: Points) -> tuple[Points, NDArray[np.int32]]:
    """Both kinds of points as one array with SAM's labels."""
    labels = np.repeat(np.array([FOREGROUND, BACKGROUND], np.int32), [len(positives), len(negatives)])
    return np.concatenate([positives, negatives]), labels


def _squares(points: Points, centers: Points) -> NDArray[np.float32]:
    """Squared distances ``(points, centers)``."""
    across, down = (points[:, None, axis] - centers[None, :, axis] for axis in range(2))
    return across * across + down * down


def _sampled(mask: Mask, limit: int = POINT_CANDIDATES) -> Points:
    """Pixels of the mask at regular steps, at most about ``limit``."""
    places = np.flatnonzero(mask)
    places = places[:: max(1, len(places) // limit)]
    return np.stack([places % mask.shape[1], places // mask.shape[1]], axis=1).astype(np.float32)


def _eroded(mask: Mask) -> Mask:
    """The mask without its rim; thin masks keep their middle."""
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    return depth >= min(MAX_EROSION_PX, EROSION_SHARE * float(depth.max())) if depth.any() else mask
