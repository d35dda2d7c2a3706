"""What one stage knows of one frame: the parts that a result is put together from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.data.depth_unit import DepthUnit
from streamer.data.track import Track


@dataclass(frozen=True, slots=True, eq=False)
class DepthMap:
    """Depth at the size at which it is carried.

    Attributes:
        inverse_depth: ``(h, w)`` float32, larger is nearer, affine per clip and steady over time.
        range: Smoothed (far, near) values of it, for coloring.
        unit: What its numbers mean; 1/m where it is meters.
        error: Relative error of its depths, one standard deviation; None where nobody knows it.
    """

    inverse_depth: NDArray[np.float32]
    range: tuple[float, float]
    unit: DepthUnit = DepthUnit.RELATIVE
    error: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What a stage contributes to the result of a frame.

    Attributes:
        age: Frames of the source since the anchor that it goes back to, left out ones included; None while unknown.
        age_s: The same in media time [s].
        tracks: Objects, where it follows any.
        depth: A depth map, where it has one.
        values: Whatever else it knows, by name, ready for JSON.
        timings_ms: How long the parts of what was adopted on this frame took [ms], where they are known.
    """

    age: int | None = None
    tracks: tuple[Track, ...] = ()
    depth: DepthMap | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    age_s: float | None = None
