"""The colors of objects and of what is around them (Swain and Ballard, Color Indexing, IJCV 1991)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.tracking.parameters import (
    COLOR_LEVELS,
    COLOR_MEMORY,
    MAX_LOG_RATIO,
    OTHERS_WEIGHT,
    OUTSIDE,
    RING_PX,
)
from streamer.tracking.soft_masks import INSIDE, SoftMask, around

Frequencies = NDArray[np.float32]
"""``(4096,)``, how often each color is there; in all 1."""
Bins = NDArray[np.intp]

INDIFFERENT: NDArray[np.float32] = np.ones(COLOR_LEVELS**3, np.float32)
"""What colors say where none are known: nothing."""
_FLOOR = 1e-6
_SMOOTHING = (2 * np.eye(COLOR_LEVELS) + np.eye(COLOR_LEVELS, k=1) + np.eye(COLOR_LEVELS, k=-1)) / 4


def bins_of(image: NDArray[np.uint8]) -> Bins:
    """``(h, w)`` number of the color bin of every pixel of a ``(h, w, 3 or 4)`` image, 16 levels per channel."""
    red, green, blue = cv2.split(image >> 4)[:3]
    return ((red.astype(np.uint16) << 8) | (green << 4 | blue)).astype(np.intp)


def frequencies(bins: Bins) -> Frequencies:
    """How often each color, or one next to it, is among ``(N,)`` bins."""
    counts = np.bincount(bins, minlength=COLOR_LEVELS**3).astype(np.float64)
    for _ in range(3):
        # The channel that was first is smoothed and becomes the last one.
        counts = counts.reshape(COLOR_LEVELS, -1).T @ _SMOOTHING
    return (counts.ravel() / counts.sum()).astype(np.float32)


def intersection(first: Frequencies, second: Frequencies) -> float:
    """How much two histograms share, at most 1."""
    return float(np.minimum(first, second).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Colors:
    """The colors of one object, and those around it."""

    inside: Frequencies
    outside: Frequencies

    @classmethod
    def of(cls, bins: Bins, soft_mask: SoftMask) -> Colors | None:
        """Learn them from an object's soft mask, both ``(h / 2, w / 2)``; None where either is missing."""
        region = around(soft_mask > INSIDE, RING_PX)
        soft_mask, bins = soft_mask[region], bins[region]
        mask = soft_mask > INSIDE
        near = cv2.dilate(mask.view(np.uint8), np.ones((2 * RING_PX + 1,) * 2, np.uint8)) if mask.size else mask
        inside, outside = bins[mask], bins[(near > 0) & (soft_mask < OUTSIDE)]
        return cls(frequencies(inside), frequencies(outside)) if len(inside) and len(outside) else None

    def joined(self, newer: Colors | None) -> Colors:
        """These, faded, with newer ones."""
        if newer is None:
            return self
        old, new = COLOR_MEMORY, 1 - COLOR_MEMORY
        return Colors(old * self.inside + new * newer.inside, old * self.outside + new * newer.outside)

    def against(self, others: Iterable[Colors]) -> Colors:
        """These where other objects are about, whose colors are of the surroundings too, in so far as they count."""
        outside = self.outside
        for other in others:
            outside = np.maximum(outside, OTHERS_WEIGHT * other.inside)
        return Colors(self.inside, outside)

    def ratio(self) -> NDArray[np.float32]:
        """How much more each color speaks for the object than against it, ``(4096,)``, within e^-3 to e^3."""
        log_ratio = np.log((self.inside + _FLOOR) / (self.outside + _FLOOR))
        return np.exp(np.clip(log_ratio, -MAX_LOG_RATIO, MAX_LOG_RATIO))
