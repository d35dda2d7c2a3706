"""Depth in words for people, with its unit where it has one, and labels as they can be drawn."""

from __future__ import annotations

import unicodedata

from streamer.data.depth_unit import DepthUnit
from streamer.data.result import FARTHEST_M

_LONGEST_LABEL = 24
"""Letters of a label that are drawn: a phrase of ten words would hide what it names."""


def depth_text(value: float, unit: DepthUnit) -> str:
    """A depth as it is given out: meters, or relative inverse depth, which has no unit."""
    return f"{value:z.2f} m" if unit is DepthUnit.METERS else f"{value:z.2f}"


def map_text(inverse_depth: float, unit: DepthUnit) -> str:
    """A value of a depth map, which holds 1/m where it is metric."""
    metric = unit is DepthUnit.METERS
    return depth_text(1 / max(inverse_depth, 1 / FARTHEST_M) if metric else inverse_depth, unit)


def scale_title(unit: DepthUnit) -> str:
    """What the numbers beside a color bar are."""
    return "depth" if unit is DepthUnit.METERS else "inverse depth"


def label_text(label: str) -> str:
    """A label in the letters that can be drawn: accents are left out, other scripts become question marks."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", label) if not unicodedata.combining(letter))
    drawn = plain.encode("ascii", "replace").decode("ascii")
    return drawn if len(drawn) <= _LONGEST_LABEL else f"{drawn[: _LONGEST_LABEL - 3].rstrip()}..."


def error_text(relative_error: float) -> str:
    """How far off a depth may be (one standard deviation), in letters that can be drawn."""
    return f"+-{100 * relative_error:.0f} %"
