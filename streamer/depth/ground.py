"""A camera at a known height above flat ground knows how far the ground is at every pixel below the horizon."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np

from streamer.data.camera_model import CameraModel
from streamer.data.known_depths import KnownDepths
from streamer.depth.parameters import GROUND_COLUMNS, GROUND_HEIGHTS, GROUND_ROWS, PITCH_ERROR_DEG
from streamer.geometry.parameters import CameraParameters


@dataclass(frozen=True, slots=True)
class Ground:
    """Flat ground below a camera that does not lean sideways.

    Attributes:
        height_m: Of the camera's center above it [m].
        pitch_deg: How far the camera looks down [degrees]. It cannot be seen in a relative map, whose shift is unknown:
            ground that falls away and a camera that looks up make the same one.
    """

    height_m: float
    pitch_deg: float

    @classmethod
    def of(cls, parameters: CameraParameters) -> Self | None:
        """What the parameters say of it; None where they say nothing."""
        if parameters.height_m is None or parameters.pitch_deg is None:
            return None
        return cls(parameters.height_m, parameters.pitch_deg)

    def depths(self, camera: CameraModel) -> KnownDepths:
        """Depths of a lattice of pixels, were there nothing but ground: things that stand on it are outliers."""
        return _depths(camera, self.height_m, self.pitch_deg)


@lru_cache(maxsize=4)
def _depths(camera: CameraModel, height_m: float, pitch_deg: float) -> KnownDepths:
    pitch = np.radians(pitch_deg)
    columns = (np.arange(GROUND_COLUMNS) + 0.5) / GROUND_COLUMNS * camera.width - 0.5
    rows = (np.arange(GROUND_ROWS) + 0.5) / GROUND_ROWS * camera.height - 0.5
    places = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    rays = camera.rays(places)
    with np.errstate(invalid="ignore", divide="ignore"):
        depths_m = height_m / (rays @ (0.0, np.cos(pitch), np.sin(pitch)))
        low, high = (heights * height_m for heights in GROUND_HEIGHTS)
        seen = (depths_m > low) & (depths_m < high)
    error = 0.0
    if seen.any():
        error = float(np.radians(PITCH_ERROR_DEG) * np.median(depths_m[seen]) / height_m)
    return KnownDepths(places[seen], depths_m[seen], relative_error=error)
