"""Pixels whose depth is known from elsewhere: a tape, a single beam, a line of a lidar, a depth camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from streamer.data.camera_model import CameraModel
from streamer.errors import PromptError

_MOST_OF_A_MAP = 300
"""Points that are taken of a whole depth map: scale and shift are two numbers."""


@dataclass(frozen=True, slots=True, eq=False, init=False)
class KnownDepths:
    """How far the things at some pixels of a frame are.

    Attributes:
        point_coords: ``(N, 2)`` float32, (x, y) in pixels of the frame.
        meters: ``(N,)`` float32, above 0 [m].
        along_ray: Whether they are distances from the camera, as a tape and a lidar measure them; else they are depths
            along its optical axis, as depth cameras give them.
        relative_error: How exact they are, as one standard deviation of what is common to all of them: 0.02 is 2 %.

    Raises:
        PromptError: Shapes do not fit, or a number is not finite or not above 0.
    """

    point_coords: NDArray[np.float32]
    meters: NDArray[np.float32]
    along_ray: bool
    relative_error: float

    def __init__(
        self, point_coords: ArrayLike, meters: ArrayLike, along_ray: bool = False, relative_error: float = 0.0
    ) -> None:
        try:
            coords = np.asarray(point_coords, np.float32).reshape(-1, 2)
            depths = np.asarray(meters, np.float32).reshape(-1)
        except (ValueError, TypeError):
            raise PromptError("Known depths are N pixels (x, y) and N meters, as in ([(80, 60)], [1.5]).") from None
        if len(coords) != len(depths):
            raise PromptError(f"There are {len(coords)} pixels and {len(depths)} depths: give one for each pixel.")
        if not (np.isfinite(coords).all() and np.isfinite(depths).all() and (depths > 0).all()):
            raise PromptError("A known depth is a finite number of meters above 0 at a pixel with finite coordinates.")
        if not 0 <= relative_error < 1:
            raise PromptError(f"The relative error of known depths is {relative_error:g}: give a share from 0 to 1.")
        for name, value in (("point_coords", coords), ("meters", depths)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "along_ray", along_ray)
        object.__setattr__(self, "relative_error", relative_error)

    def moved(self, point_coords: NDArray[np.float32], which: NDArray[np.bool_]) -> Self:
        """Those of ``which`` (``(N,)`` bool) at other pixels, ``(N, 2)`` float32."""
        return type(self)(point_coords[which], self.meters[which], self.along_ray, self.relative_error)

    @classmethod
    def from_depth_map(cls, depth_m: NDArray[Any], relative_error: float = 0.0) -> Self:
        """A sample of a ``(H, W)`` depth map of the frame's size along the axis [m]; 0 and NaN are unknown."""
        known = np.flatnonzero(np.isfinite(depth_m) & (depth_m > 0))
        chosen = known[:: max(1, len(known) // _MOST_OF_A_MAP)]
        rows, columns = np.unravel_index(chosen, depth_m.shape)
        return cls(np.column_stack([columns, rows]), depth_m[rows, columns], relative_error=relative_error)

    @classmethod
    def from_points(cls, points_m: ArrayLike, camera: CameraModel, relative_error: float = 0.0) -> Self:
        """``(N, 3)`` points in camera coordinates (x right, y down, z ahead) [m]; those out of view are left out."""
        points = np.asarray(points_m, np.float64).reshape(-1, 3)
        places = camera.project(points)
        with np.errstate(invalid="ignore"):
            seen = ((places >= -0.5) & (places <= np.array(camera.size) - 0.5)).all(axis=1)
        return cls(places[seen], points[seen, 2], relative_error=relative_error)

    def on_axis(self, camera: CameraModel) -> Self:
        """The same as depths along the optical axis."""
        if not self.along_ray:
            return self
        lengths = np.linalg.norm(camera.rays(self.point_coords), axis=1)
        known = np.isfinite(lengths)
        return type(self)(self.point_coords[known], self.meters[known] / lengths[known], False, self.relative_error)

    def moved_to(self, point_coords: NDArray[np.float32]) -> Self:
        """The same at other pixels ``(N, 2)``."""
        return type(self)(point_coords, self.meters, self.along_ray, self.relative_error)

    def __len__(self) -> int:
        return len(self.meters)

    def __repr__(self) -> str:
        return f"KnownDepths({len(self)} points, {'along their rays' if self.along_ray else 'along the axis'})"


def check_inside(known: KnownDepths, frame_size: tuple[int, int]) -> None:
    """Refuse points that are not on a frame of this (width, height) [px].

    Raises:
        PromptError: One is not.
    """
    outside = ((known.point_coords < -0.5) | (known.point_coords > np.array(frame_size) - 0.5)).any(axis=1)
    if outside.any():
        x, y = known.point_coords[outside][0]
        raise PromptError(
            f"The known depth at {x:g},{y:g} lies outside the frame of {frame_size[0]}x{frame_size[1]} pixels."
        )
