"""One object on one frame, as every output receives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from streamer.data.depth_unit import DepthUnit
from streamer.data.mask import centroid_of


class State(StrEnum):
    """How sure the tracker is of an object."""

    TRACKED = "tracked"
    UNCERTAIN = "uncertain"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class DepthStats:
    """Quartiles of depth inside one mask.

    Attributes:
        lower, median, upper: Meters where ``unit`` says so; else relative inverse depth, of which larger is nearer.
            They are smoothed over some six frames, so they lag behind what moves in depth.
        now: The median of this very frame, not smoothed.
        unit: What the numbers mean.
        error: How far off they may be, relative, one standard deviation; None where nobody knows it (a metric model
            tells none, a relative depth has none).
    """

    lower: float
    median: float
    upper: float
    now: float
    unit: DepthUnit = DepthUnit.RELATIVE
    error: float | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Track:
    """One object on one frame.

    Attributes:
        id: The object's number, stable over the run, from 1.
        mask: ``(H, W)`` bool on the frame, an array of its own; empty where the object is lost.
        box_xyxy: Tightest box around the mask, x0, y0, x1, y1 [px], x1 and y1 exclusive; None where the mask is empty.
        score: Confidence from 0 to 1.
        state: tracked, uncertain or lost.
        point_coords: ``(N, 2)`` float32, the person's own clicks carried to this frame, (x, y) [px].
        point_labels: ``(N,)`` int32, 1 foreground, 0 background.
        depth: Quartiles of the depth inside the mask; None without a depth map or mask.
        label: What it is, in words; None where nobody has said so.
        position_m: Where it is in camera coordinates: x to the right, y down, z ahead [m]. The median of its surely
            known points on this very frame, not smoothed; None where depth has no meters, or too little of it is seen.
        age_s: Time since the frame on which a model last saw it, captures compared [s]; None before the first.
    """

    id: int
    mask: NDArray[np.bool_]
    box_xyxy: tuple[float, float, float, float] | None
    score: float
    state: State
    point_coords: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))
    point_labels: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    depth: DepthStats | None = None
    label: str | None = None
    age_s: float | None = None
    position_m: tuple[float, float, float] | None = None

    @property
    def centroid(self) -> tuple[float, float] | None:
        """Mean (x, y) of the mask's pixels [px]; None where it is empty. It may lie outside a bent mask."""
        return centroid_of(self.mask)

    def __repr__(self) -> str:
        name, mask = "" if self.label is None else f" {self.label!r}", f"mask={self.mask.shape}"
        return f"Track(id={self.id}{name}, {self.state}, score={self.score:.2f}, box_xyxy={self.box_xyxy}, {mask})"
