"""What a relative map is in meters, once enough is known from elsewhere; a metric one is as it is."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.camera_model import CameraModel
from streamer.data.depth_unit import DepthUnit
from streamer.data.known_depths import KnownDepths
from streamer.data.part import DepthMap
from streamer.data.track import DepthStats
from streamer.depth.calibration import Calibration
from streamer.depth.ranks import extent
from streamer.geometry.sure import smooth_depth, sure_pixels
from streamer.motion.pyramid import Grid

Map = NDArray[np.float32]

_LEAST_SURE_PX = 8
"""Pixels of the grid from which there is a position."""


class Meters:
    """From carried maps to what is given out.

    Args:
        unit: Of the maps: relative inverse depth, or exact 1/m.
    """

    def __init__(self, unit: DepthUnit) -> None:
        self.unit = unit
        self._calibration = Calibration()
        self._given: tuple[Map, Map] | None = None
        self._smooth: tuple[Map, NDArray[np.bool_]] | None = None

    @property
    def known(self) -> bool:
        """Whether there are meters."""
        return self.unit is DepthUnit.METERS or self._calibration.fit is not None

    def forget(self) -> None:
        """The maps to come have another scale and shift."""
        self._calibration.forget()

    def learn(self, inverse_depth: Map, grid: Grid, known: KnownDepths, time_s: float) -> None:
        """Compare a map on the ``(h, w)`` grid with what is known, along the axis, of the same frame."""
        x, y = grid.from_frame(known.point_coords).T
        values = cv2.remap(inverse_depth, x[None], y[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
        far, near = extent(inverse_depth)
        self._calibration.add(values, known.meters, known.relative_error, time_s, near - far)
        self._given = None

    def of_map(self, inverse_depth: Map, limits: tuple[float, float]) -> DepthMap:
        """A carried map with its (far, near) limits, as it is given out."""
        fit = self._calibration.fit
        if self.unit is DepthUnit.METERS or fit is None:
            return DepthMap(inverse_depth, limits, self.unit)
        far, near = (fit.inverse_m(limit) for limit in limits)
        error = fit.relative_error(sum(limits) / 2)
        return DepthMap(self._inverse_m(inverse_depth), (far, max(near, far + 1e-6)), DepthUnit.METERS, error)

    def of_stats(self, stats: DepthStats) -> DepthStats:
        """An object's quartiles, as they are given out."""
        fit = self._calibration.fit
        if stats.unit is DepthUnit.METERS or fit is None:
            return stats
        lower, median, upper, now = (
            1 / fit.inverse_m(value) for value in (stats.upper, stats.median, stats.lower, stats.now)
        )
        return DepthStats(lower, median, upper, now, DepthUnit.METERS, fit.relative_error(stats.now))

    def position_m(
        self, inverse_depth: Map, mask: NDArray[np.bool_], grid: Grid, camera: CameraModel
    ) -> tuple[float, float, float] | None:
        """The median of the surely known points under a ``(h, w)`` mask of the grid, in camera coordinates [m]."""
        if not self.known:
            return None
        inverse_m = self._inverse_m(inverse_depth)
        if self._smooth is None or self._smooth[0] is not inverse_m:
            self._smooth = inverse_m, smooth_depth(inverse_m)
        rows, columns = np.nonzero(sure_pixels(inverse_m, self._smooth[1], mask))
        if len(rows) < _LEAST_SURE_PX:
            return None
        step = max(1, len(rows) // 1000)
        rows, columns = rows[::step], columns[::step]
        places = grid.to_frame(np.column_stack([columns, rows]).astype(np.float32))
        points = camera.unproject(places, 1 / inverse_m[rows, columns])
        x, y, z = np.nanmedian(points, axis=0).tolist()
        return x, y, z

    def _inverse_m(self, inverse_depth: Map) -> Map:
        """The map in exact 1/m, made once for each."""
        fit = self._calibration.fit
        if self.unit is DepthUnit.METERS or fit is None:
            return inverse_depth
        if self._given is None or self._given[0] is not inverse_depth:
            self._given = inverse_depth, fit.apply(inverse_depth)
        return self._given[1]
