"""Carried masks follow the colors and edges of the present frame.

Flow alone is off by a few pixels after a few frames, and smears where something was uncovered. So a carried mask is
only a prior. The colors of the object and around it, learnt where its mask was last believed, decide wherever
the prior is blurred, and it is blurred the more, the less the anchor's picture explains the present. The guided filter
(He et al., TPAMI 2013) then aligns the result with the edges of the frame. On real clips this wins 7 points of IoU on
flow over 10 frames, and 15 over 20.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.motion.pyramid import Pyramid
from streamer.tracking.regions import Region, around, is_empty

INSIDE = 127
"""Soft masks are uint8; above this a pixel belongs to the object."""
SCRAP = 0.1
"""Pieces of less than this share of the largest one are scraps, unless a person asked for smaller ones."""
_LEVELS = 16
_RING_PX = 8
_LARGEST_LOG_RATIO = 3.0
_FLOOR = 1e-6
_MEMORY = 0.5
_OTHERS = 0.5
_SMOOTHING = (2 * np.eye(_LEVELS) + np.eye(_LEVELS, k=1) + np.eye(_LEVELS, k=-1)) / 4
_UNSURE_BLUR_PX = 11
_NEAR = 0.03
_LEAST_PRIOR, _MOST_PRIOR = np.float32(0.002), np.float32(0.998)
_STEEPER = np.rint(np.clip(np.arange(256) * 4 - 382.5, 0, 255)).astype(np.uint8)
_EDGE_SIDE_PX, _EDGE_EPS = 3, 195.0


@dataclass(frozen=True, slots=True, eq=False)
class Guide:
    """What the guided filter follows, ``(h / 2, w / 2)`` float32 [gray levels], and its mean and variance around."""

    brightness: NDArray[np.float32]
    mean: NDArray[np.float32]
    variance: NDArray[np.float32]

    def part(self, region: Region) -> Guide:
        return Guide(self.brightness[region], self.mean[region], self.variance[region])


@dataclass(frozen=True, eq=False)
class Present:
    """A frame on the working grid, and what all objects need of it.

    Attributes:
        pyramid: The frame on every level.
    """

    pyramid: Pyramid

    @cached_property
    def bins(self) -> NDArray[np.intp]:
        """``(h / 2, w / 2)`` number of the color bin of every pixel of the sketch."""
        return bins_of(self.pyramid.half_rgbx)

    @cached_property
    def brightness(self) -> NDArray[np.float32]:
        """``(h, w)`` [gray levels]."""
        return self.pyramid.gray.astype(np.float32)

    @cached_property
    def guide(self) -> Guide:
        """The brightness of the sketch."""
        brightness = self.pyramid.half_gray.astype(np.float32)
        mean = _mean(brightness)
        return Guide(brightness, mean, _mean(brightness * brightness) - mean * mean)


@dataclass(frozen=True, slots=True, eq=False)
class Colors:
    """The colors of one object and of its surroundings, as ``(4096,)`` float32 frequencies."""

    inside: NDArray[np.float32]
    outside: NDArray[np.float32]

    @classmethod
    def of(cls, bins: NDArray[np.intp], soft: NDArray[np.uint8]) -> Colors | None:
        """Learn them from an object's soft mask, both ``(h / 2, w / 2)``; None where either is missing."""
        region = around(soft > INSIDE, _RING_PX)
        soft, bins = soft[region], bins[region]
        mask = soft > INSIDE
        near = cv2.dilate(mask.view(np.uint8), np.ones((2 * _RING_PX + 1,) * 2, np.uint8)) if mask.size else mask
        inside, outside = bins[mask], bins[(near > 0) & (soft < 32)]
        return cls(frequencies(inside), frequencies(outside)) if len(inside) and len(outside) else None

    def joined(self, newer: Colors | None) -> Colors:
        """These, faded, with newer ones."""
        if newer is None:
            return self
        return Colors(
            _MEMORY * self.inside + (1 - _MEMORY) * newer.inside,
            _MEMORY * self.outside + (1 - _MEMORY) * newer.outside,
        )

    def against(self, others: Iterable[Colors]) -> Colors:
        """These where other objects are about, whose colors are of the surroundings too, in so far as they count."""
        outside = self.outside
        for other in others:
            outside = np.maximum(outside, _OTHERS * other.inside)
        return Colors(self.inside, outside)

    def ratios(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """How much more a color speaks for the object than against it, ``(4096,)``, within e^-3 to e^3; twice.

        The second one is cautious: the closer to 1, the more the object and its surroundings have the same colors. It
        is for masks that are right but for their outlines: plain things gain by colors, real ones would rather lose.
        """
        log_ratio = np.log((self.inside + _FLOOR) / (self.outside + _FLOOR))
        log_ratio = np.clip(log_ratio, -_LARGEST_LOG_RATIO, _LARGEST_LOG_RATIO)
        apart = 1 - float(np.minimum(self.inside, self.outside).sum())
        return np.exp(log_ratio), np.exp(log_ratio * np.float32(apart**4))


def refine(
    soft: NDArray[np.uint8], ratio: NDArray[np.float32], trust: NDArray[np.float32], present: Present
) -> NDArray[np.uint8]:
    """The ``(h, w)`` soft mask that carried mask, colors and edges agree on.

    All but the last step is done at half the resolution: what is finer than that comes from the edges of the frame.

    Args:
        soft: ``(h / 2, w / 2)`` carried mask.
        ratio: One of :meth:`Colors.ratios` of the object.
        trust: ``(h / 2, w / 2)`` from 0 to 1, how far the carried mask may be believed.
        present: The frame that the mask is carried to.
    """
    region = around(soft > 16, _UNSURE_BLUR_PX)
    refined = np.zeros(present.pyramid.grid.shape, np.uint8)
    if is_empty(region):
        return refined
    sure = soft[region].astype(np.float32) / np.float32(255)
    unsure = _blur(sure, _UNSURE_BLUR_PX)
    prior = np.clip(unsure + trust[region] * (sure - unsure), _LEAST_PRIOR, _MOST_PRIOR)
    # Far from the carried mask nothing is the object, whatever its colors.
    prior[unsure < _NEAR] = 0
    evidence = prior * ratio.take(present.bins[region])
    rows, columns = (slice(2 * side.start, 2 * side.stop) for side in region)
    values = evidence / (evidence + (1 - prior))
    refined[rows, columns] = _follow_edges(values, present.guide.part(region), present.brightness[rows, columns])
    return refined


def bins_of(picture: NDArray[np.uint8]) -> NDArray[np.intp]:
    """``(h, w)`` number of the color bin of every pixel of a ``(h, w, 3 or 4)`` picture, 16 levels per channel."""
    red, green, blue = cv2.split(picture >> 4)[:3]
    return ((red.astype(np.uint16) << 8) | (green << 4 | blue)).astype(np.intp)


def frequencies(bins: NDArray[np.intp]) -> NDArray[np.float32]:
    """How often each color, or one next to it, is among ``(N,)`` bins: ``(4096,)``, in all 1."""
    counts = np.bincount(bins, minlength=_LEVELS**3).astype(np.float64)
    for _ in range(3):
        # The channel that was first is smoothed and becomes the last one.
        counts = counts.reshape(_LEVELS, -1).T @ _SMOOTHING
    return (counts.ravel() / counts.sum()).astype(np.float32)


def smallest_piece(soft: NDArray[np.uint8]) -> float:
    """The area of the smallest piece of a soft mask as a share of that of the largest."""
    _, areas = pieces_of(soft)
    return float(areas.min() / areas.max()) if len(areas) else 1.0


def without_scraps(soft: NDArray[np.uint8], smallest: float = SCRAP) -> NDArray[np.uint8]:
    """The soft mask without pieces that have less than ``smallest`` of its largest piece's area.

    What an object leaves behind where it passed something, and what it picked up there, are such pieces.
    """
    region = around(soft > INSIDE)
    pieces, areas = pieces_of(soft[region])
    if len(areas) < 2 or (areas >= smallest * areas.max()).all():
        return soft
    scrap = np.concatenate([[False], areas < smallest * areas.max()])
    kept = soft.copy()
    # The soft rim of a scrap belongs to no piece, and is weak enough to be left.
    kept[region][scrap[pieces]] = 0
    return kept


def harden(soft: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A soft mask with a steeper edge, so that it does not dissolve when it is refined again and again."""
    return cv2.LUT(soft, _STEEPER)


def pieces_of(soft: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The number of the piece that each pixel belongs to, from 1 (0 is outside), and the pieces' areas."""
    if not soft.size:
        return np.zeros(soft.shape, np.int32), np.empty(0, np.int32)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats((soft > INSIDE).view(np.uint8))
    return pieces, stats[1:, cv2.CC_STAT_AREA]


def _blur(values: NDArray[np.float32], side_px: int) -> NDArray[np.float32]:
    box = (side_px, side_px)
    return cv2.blur(cv2.blur(values, box, borderType=cv2.BORDER_REPLICATE), box, borderType=cv2.BORDER_REPLICATE)


def _follow_edges(values: NDArray[np.float32], guide: Guide, brightness: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The guided filter: values from 0 to 1 become, around every pixel, a linear function of the guide, 0 to 255.

    The functions are found at half the resolution (He and Sun, Fast Guided Filter, 2015), at which the values are.
    """
    mean_values = _mean(values)
    slope = (_mean(guide.brightness * values) - guide.mean * mean_values) / (guide.variance + _EDGE_EPS)
    offset = _mean(mean_values - slope * guide.mean)
    size = brightness.shape[1::-1]
    slope, offset = (cv2.resize(255 * plane, size, interpolation=cv2.INTER_LINEAR) for plane in (_mean(slope), offset))
    return cv2.add(cv2.multiply(slope, brightness, dst=slope), offset, dtype=cv2.CV_8U)


def _mean(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    return cv2.blur(plane, (_EDGE_SIDE_PX, _EDGE_SIDE_PX), borderType=cv2.BORDER_REPLICATE)
