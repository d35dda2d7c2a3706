"""What an object looks like: to SAM (PerSAM, Zhang et al., ICLR 2024), and by its colors.

SAM's features tell a person from a wall, but hardly one person from another; colors do (Swain and Ballard, Color
Indexing, IJCV 1991). Where they agree it is the object.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.tracking.parameters import (
    CAUTION,
    COLOR_LEVELS,
    COLOR_MEMORY,
    FOREIGN_PIECE,
    GALLERY_SIZE,
    MAX_LOG_RATIO,
    MIN_COVERAGE,
    OTHERS_WEIGHT,
    OUTSIDE,
    OWN_PIECE,
    PIECE_GAP,
    RING_PX,
    SCRAP,
    STRONGEST_WEIGHT,
)
from streamer.tracking.soft_masks import INSIDE, SoftMask, around, pieces_of

Frequencies = NDArray[np.float32]
"""``(4096,)``, how often each color is there; in all 1."""
Bins = NDArray[np.intp]

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

    def ratios(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """How much more a color speaks for the object than against it, ``(4096,)``, within e^-3 to e^3; twice.

        The second one is cautious: the closer to 1, the more the object and its surroundings have the same colors. It
        is for masks that are right but for their outlines: plain things gain by colors, real ones would rather lose.
        """
        log_ratio = np.log((self.inside + _FLOOR) / (self.outside + _FLOOR))
        log_ratio = np.clip(log_ratio, -MAX_LOG_RATIO, MAX_LOG_RATIO)
        apart = 1 - intersection(self.inside, self.outside)
        return np.exp(log_ratio), np.exp(log_ratio * np.float32(apart**CAUTION))


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """What an object looks like.

    Attributes:
        features: Unit vector ``(C,)`` float32: mean and maximum of the features inside, against the frame's mean.
        colors: ``(4096,)`` float32 frequencies of its colors.
    """

    features: NDArray[np.float32]
    colors: Frequencies


Gallery = tuple[Appearance, ...]
"""What an object looked like: at first, and lately."""


@dataclass(frozen=True, eq=False)
class ImageFeatures:
    """What appearances are taken from: SAM's ``(h, w, C)`` float32 features of a frame, and its ``(H, W)`` bins."""

    features: NDArray[np.float32]
    bins: Bins

    @cached_property
    def centered(self) -> NDArray[np.float32]:
        """``(h, w, C)`` features against their mean over the whole frame."""
        return self.features - self.features.mean(axis=(0, 1), keepdims=True)

    @cached_property
    def directions(self) -> NDArray[np.float32]:
        """``(h, w, C)`` unit vectors of them."""
        return self.centered / np.maximum(np.linalg.norm(self.centered, axis=2, keepdims=True), _FLOOR)

    @cached_property
    def colors(self) -> Frequencies:
        """Of the whole frame."""
        return frequencies(self.bins.ravel())

    def appearance(self, soft_mask: SoftMask) -> Appearance | None:
        """Of what a ``(H, W)`` soft mask covers; None where it covers nothing."""
        rows, columns = self.features.shape[:2]
        weights = cv2.resize(soft_mask, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        inside = self.bins[soft_mask > INSIDE]
        if weights.max() <= 0.1 or not len(inside):
            return None
        mean = np.tensordot(weights, self.centered, axes=2) / weights.sum()
        strongest = self.centered[weights >= min(MIN_COVERAGE, float(weights.max()))].max(axis=0)
        return Appearance(_unit(_unit(mean) + STRONGEST_WEIGHT * _unit(strongest)), frequencies(inside))


def similarity(appearance: Appearance | None, gallery: Gallery) -> float:
    """To the one of the gallery that it is most like, at most 1; 0 with nothing to compare.

    The mean of the cosine of the features and the intersection of the histograms.
    """
    if appearance is None:
        return 0.0
    return max(
        (
            float(appearance.features @ known.features + intersection(appearance.colors, known.colors)) / 2
            for known in gallery
        ),
        default=0.0,
    )


def color_similarity(bins: Bins, gallery: Gallery) -> float:
    """Of the colors of ``(N,)`` pixels to those of the appearance that they are most like, at most 1."""
    if not len(bins):
        return 0.0
    colors = frequencies(bins)
    return max((intersection(colors, known.colors) for known in gallery), default=0.0)


def mean_colors(gallery: Gallery) -> Frequencies | float:
    """``(4096,)`` float32, of all its appearances; 0 without any."""
    return np.mean([known.colors for known in gallery], axis=0) if gallery else 0.0


def remember(gallery: Gallery, appearance: Appearance | None) -> Gallery:
    """The gallery with one more: the first stays, the oldest of the others goes."""
    if appearance is None:
        return gallery
    return (*gallery[:1], *[*gallery[1:], appearance][-(GALLERY_SIZE - 1) :]) if gallery else (appearance,)


def without_foreign_pieces(image: ImageFeatures, soft_mask: SoftMask, gallery: Gallery) -> SoftMask:
    """A ``(H, W)`` soft mask without pieces that look like something else, where one piece looks like the object alone.

    An object that passes another may take it along, and both are then carried on. What it looked like at first, before
    it could, tells them apart. Pieces that lie far from the one most like it are left out in any case: what hides an
    object's middle is seldom that wide.
    """
    pieces, areas = pieces_of(soft_mask)
    large = [place + 1 for place in np.flatnonzero(areas >= SCRAP * areas.max(initial=0))]
    if len(large) < 2 or not gallery:
        return soft_mask
    alike = {
        piece: similarity(image.appearance(np.where(pieces == piece, soft_mask, 0)), gallery[:1]) for piece in large
    }
    best = max(alike, key=alike.__getitem__)
    away = cv2.distanceTransform((pieces != best).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3)
    far = PIECE_GAP * float(np.sqrt(areas[best - 1]))
    foreign = [
        piece
        for piece, share in alike.items()
        if (share < FOREIGN_PIECE and alike[best] >= OWN_PIECE) or away[pieces == piece].min() > far
    ]
    return np.where(np.isin(pieces, foreign), 0, soft_mask) if foreign else soft_mask


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return vector / max(float(np.linalg.norm(vector)), _FLOOR)
