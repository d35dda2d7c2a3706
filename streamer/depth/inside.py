"""Depth inside a mask: median, quartiles and histogram, in the unit in which depth is given out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.data.depth_unit import DepthUnit
from streamer.data.result import FARTHEST_M

BINS = 32


@dataclass(frozen=True, slots=True, eq=False)
class DepthInside:
    """What a depth map says inside one mask.

    Attributes:
        count: Pixels of the map inside the mask.
        lower, median, upper: Quartiles: meters where ``unit`` says so, else relative inverse depth (larger is nearer).
        counts: ``(BINS,)`` int, pixels of each bin of the histogram.
        edges: ``(BINS + 1,)`` float64, ascending limits of the bins in the same unit; the outermost bins hold what
            lies beyond as well.
        unit: What the numbers mean.
    """

    count: int
    lower: float
    median: float
    upper: float
    counts: NDArray[np.int64]
    edges: NDArray[np.float64]
    unit: DepthUnit


def depth_inside(
    inverse_depth: NDArray[np.float32],
    mask: NDArray[np.bool_],
    limits: tuple[float, float],
    unit: DepthUnit = DepthUnit.RELATIVE,
) -> DepthInside | None:
    """Depth inside a mask; None where the mask is empty.

    Args:
        inverse_depth: ``(h, w)`` float32, larger is nearer; 1/m where ``unit`` is meters.
        mask: ``(h, w)`` bool.
        limits: (far, near) values of the map between which the histogram lies.
        unit: What the map's numbers mean.
    """
    inside = outward(inverse_depth[mask], unit)
    if not len(inside):
        return None
    first, last = sorted(outward(np.asarray(limits, np.float64), unit).tolist())
    edges = np.linspace(first, max(last, first + 1e-6), BINS + 1)
    counts, _ = np.histogram(np.clip(inside, edges[0], edges[-1]), edges)
    lower, median, upper = np.percentile(inside, (25, 50, 75)).tolist()
    return DepthInside(len(inside), lower, median, upper, counts, edges, unit)


def outward(inverse_depth: NDArray, unit: DepthUnit) -> NDArray:
    """Values of a depth map in the unit in which they are given out."""
    return 1 / np.maximum(inverse_depth, 1 / FARTHEST_M) if unit is DepthUnit.METERS else inverse_depth
