"""Where two objects claim the same pixel."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.tracking.refine import INSIDE

_SAMPLES = 500


def apart(
    softs: Sequence[NDArray[np.uint8]], scores: Sequence[float], inverse_depth: NDArray[np.float32] | None
) -> list[NDArray[np.uint8]]:
    """Give every pixel that several objects claim to one of them.

    It goes to the one that is surer of it, whose depth it has, and that has less besides: what lies wholly on
    something larger is in front of it, or else it could not be seen.
    """
    masks = [soft > INSIDE for soft in softs]
    claimed = np.zeros((1, 1), np.uint8)
    for place, mask in enumerate(masks):
        claimed = mask.view(np.uint8) if place == 0 else cv2.add(claimed, mask.view(np.uint8))
    contested = claimed > 1
    if not contested.any():
        return list(softs)
    claims = np.stack(
        [
            soft[contested] * np.float32((0.5 + score) * (1 + _share(contested, mask)))
            for soft, mask, score in zip(softs, masks, scores, strict=True)
        ]
    )
    if inverse_depth is not None:
        claims = claims * _fits_depth(masks, contested, inverse_depth)
    owner = claims.argmax(axis=0)
    separate = []
    for place, soft in enumerate(softs):
        kept = soft.copy()
        kept[contested] = np.where(owner == place, kept[contested], 0)
        separate.append(kept)
    return separate


def _share(contested: NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    """How much of a mask others claim too, 0 to 1."""
    return int(np.count_nonzero(contested & mask)) / max(int(np.count_nonzero(mask)), 1)


def _fits_depth(
    masks: Sequence[NDArray[np.bool_]], contested: NDArray[np.bool_], inverse_depth: NDArray[np.float32]
) -> NDArray[np.float32]:
    """How well the depth of each contested pixel fits each object, ``(objects, pixels)`` from 0.5 to 1."""
    spread = float(np.ptp(inverse_depth)) or 1.0
    own = [inverse_depth[mask & ~contested] for mask in masks]
    samples = [values[:: max(1, len(values) // _SAMPLES)] for values in own]
    middles = np.array([np.median(values) if len(values) else np.inf for values in samples], np.float32)
    distance = np.abs(inverse_depth[contested][None] - middles[:, None]) / spread
    return np.float32(0.5) + np.float32(0.5) * np.exp(-8 * distance)
