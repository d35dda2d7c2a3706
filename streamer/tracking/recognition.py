"""Knowing an object again by what SAM's own features say it looks like (PerSAM, Zhang et al., ICLR 2024)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Look = NDArray[np.float32]
"""Unit vector ``(C,)``: mean and maximum of the features inside a mask, against the mean of the whole frame."""
Bank = tuple[Look, ...]
_BANK_SIZE = 6
_MIN_COVERAGE = 0.5


def described(features: NDArray[np.float32], soft: NDArray[np.uint8]) -> Look | None:
    """The look of what a soft mask covers in ``(h, w, C)`` features; None where it covers nothing."""
    rows, columns = features.shape[:2]
    weights = cv2.resize(soft, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    if weights.max() <= 0.1:
        return None
    centred = _centred(features)
    mean = np.tensordot(weights, centred, axes=2) / weights.sum()
    strongest = centred[weights >= min(_MIN_COVERAGE, float(weights.max()))].max(axis=0)
    return _unit(_unit(mean) + 0.5 * _unit(strongest))


def likeness(look: Look | None, bank: Bank) -> float:
    """Cosine of a look and the one of the bank that it is most like; 0 where there is nothing to compare."""
    return max((float(look @ known) for known in bank), default=0.0) if look is not None else 0.0


def likeness_map(features: NDArray[np.float32], bank: Bank) -> NDArray[np.float32]:
    """``(h, w)`` cosine of every feature of a frame with the one of the bank that it is most like."""
    centred = _centred(features)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=2, keepdims=True), 1e-6)
    return (unit @ np.stack(bank).T).max(axis=2)


def place_of(
    features: NDArray[np.float32], bank: Bank, rivals: Bank = (), taken: NDArray[np.bool_] | None = None
) -> tuple[int, int]:
    """(column, row) of the feature that looks most like the object, and less like its rivals.

    Where ``taken`` ``(H, W)``, whatever its size, something else is known to be.
    """
    likely = likeness_map(features, bank)
    if rivals:
        likely = likely - np.maximum(likeness_map(features, rivals) - likely, 0)
    likely = cv2.blur(likely, (3, 3))
    if taken is not None:
        rows, columns = likely.shape
        share = cv2.resize(taken.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
        likely[share > _MIN_COVERAGE] = -2
    _, _, _, place = cv2.minMaxLoc(likely)
    return int(place[0]), int(place[1])


def remember(bank: Bank, look: Look | None) -> Bank:
    """The bank with one more look: the first stays, the oldest of the others goes."""
    if look is None:
        return bank
    return (*bank[:1], *[*bank[1:], look][-(_BANK_SIZE - 1) :]) if bank else (look,)


def _centred(features: NDArray[np.float32]) -> NDArray[np.float32]:
    return features - features.mean(axis=(0, 1), keepdims=True)


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return vector / max(float(np.linalg.norm(vector)), 1e-6)
