"""Whether a frame shows another scene than the one before: flow cannot explain it, and its colors are others."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.motion.anchors import remap
from streamer.motion.flow import Maps
from streamer.motion.pyramid import Pyramid, sparse

_SAME_HISTOGRAM = 0.75
"""Shared area of two histograms from which they are of one scene."""


def photometric_error(before: Pyramid, present: Pyramid, step: Maps) -> float:
    """Mean absolute difference between the frame before, moved by the flow, and the present one [gray levels]."""
    step_x, step_y = (np.ascontiguousarray(sparse(plane)) for plane in step)
    moved = remap(before.half_rgbx, step_x, step_y)
    difference = cv2.absdiff(moved, np.ascontiguousarray(sparse(present.half_rgbx)))
    return cv2.mean(cv2.cvtColor(difference, cv2.COLOR_RGBA2GRAY))[0]


def same_colors(before: Pyramid, present: Pyramid) -> bool:
    """Whether two frames have about the same histogram."""
    return _histogram_overlap(before.half_rgb, present.half_rgb) >= _SAME_HISTOGRAM


def _histogram_overlap(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Shared area of the histograms of two images, channels taken together: 1 for equal ones, 0 for disjoint ones."""
    histograms = (np.histogram(sparse(image), bins=32, range=(0, 256))[0] for image in (first, second))
    a, b = (histogram / histogram.sum() for histogram in histograms)
    return float(np.minimum(a, b).sum())
