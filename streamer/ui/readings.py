"""Depth in words for people: with its unit where it has one."""

from __future__ import annotations

from streamer.data.depth_unit import DepthUnit
from streamer.data.result import FARTHEST_M


def depth_text(value: float, unit: DepthUnit) -> str:
    """A depth as it is given out: meters, or relative inverse depth, which has no unit."""
    return f"{value:z.2f} m" if unit is DepthUnit.METERS else f"{value:z.2f}"


def map_text(inverse_depth: float, unit: DepthUnit) -> str:
    """A value of a depth map, which holds 1/m where it is metric."""
    metric = unit is DepthUnit.METERS
    return depth_text(1 / max(inverse_depth, 1 / FARTHEST_M) if metric else inverse_depth, unit)
