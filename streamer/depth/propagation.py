"""A depth map between two runs of the model: carried by the flow, and steady in scale, shift and color."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.depth_unit import DepthUnit
from streamer.data.track import DepthStats
from streamer.depth.alignment import align, steadied
from streamer.depth.inside import outward
from streamer.depth.parameters import (
    MAX_STATS_PX,
    MIN_STATS_PX,
    RANGE_MEMORY,
    SAMPLE_STEP_PX,
    STATS_MEMORY,
    STEP_SHARE,
)
from streamer.depth.ranks import extent, ranked
from streamer.depth.uncovering import filled
from streamer.motion.anchors import Anchor
from streamer.motion.pyramid import Pyramid, sparse


class DepthPropagation:
    """The depth map of the latest anchor, aligned to what came before and carried to the present frame.

    Args:
        unit: Of the maps to come: relative inverse depth, or exact 1/m.
    """

    def __init__(self, unit: DepthUnit = DepthUnit.RELATIVE) -> None:
        self.unit = unit
        self._map: NDArray[np.float32] | None = None
        self._anchor: Anchor | None = None
        self._carried: tuple[int, NDArray[np.float32]] | None = None
        self._range: tuple[float, float] | None = None
        self._stats: dict[int, list[float]] = {}
        self._stats_before: dict[int, list[float]] = {}

    def age(self, index: int) -> int | None:
        """Frames of the source from the map's anchor to the frame of this index; None before the first."""
        return None if self._anchor is None else index - self._anchor.index

    def age_s(self, now_s: float) -> float | None:
        """The same at this media time [s]."""
        return None if self._anchor is None else now_s - self._anchor.time_s

    def adopt(self, inverse_depth: NDArray[np.float32], anchor: Anchor, carried: NDArray[np.float32] | None) -> None:
        """Take over a new map ``(H, W)`` of the anchor's frame.

        Args:
            carried: ``(h, w)`` what :meth:`on_grid` gave on that frame; None where there was nothing to align to (the
                first map, or the first after a scene cut).
        """
        new = anchor.grid.shrink(inverse_depth)
        if carried is None or carried.shape != new.shape:
            self._range = None
            self._forget_stats()
        elif self.unit is DepthUnit.RELATIVE:  # meters stay meters: averaged over time they would lag behind motion
            sampled = (slice(None, None, SAMPLE_STEP_PX),) * 2
            scale, shift = align(new[sampled].ravel(), carried[sampled].ravel())
            new = steadied(cv2.addWeighted(new, scale, new, 0.0, shift), carried)
        self._map, self._anchor, self._carried = new, anchor, None
        self._range = self._follow_range(new)

    def advance(self) -> None:
        """The present frame has become the one before: figures are smoothed from frame to frame."""
        self._stats, self._stats_before = {}, self._stats

    def forget(self) -> None:
        """Drop everything: the scene has changed."""
        self._map = self._anchor = self._range = self._carried = None
        self._forget_stats()

    def on_grid(self, present: Pyramid) -> NDArray[np.float32] | None:
        """``(h, w)`` float32 inverse depth on the working grid of the present frame.

        Args:
            present: That frame.
        """
        if self._map is None or self._anchor is None:
            return None
        if self._anchor.age == 0:
            return self._map
        if self._carried is None or self._carried[0] != self._anchor.age:
            carried = self._anchor.carry(self._map)
            assert self._range is not None
            far, near = self._range
            self._carried = self._anchor.age, filled(carried, self._anchor, present, STEP_SHARE * (near - far))
        return self._carried[1]

    @property
    def latest(self) -> NDArray[np.float32] | None:
        """``(h, w)`` the map on the grid of its own anchor, aligned to what came before; None before the first."""
        return self._map

    @property
    def range(self) -> tuple[float, float] | None:
        """Smoothed (far, near) values for coloring."""
        return self._range

    def stats(self, object_id: int, on_grid: NDArray[np.float32], mask: NDArray[np.bool_]) -> DepthStats | None:
        """Quartiles inside an object's ``(h, w)`` mask on the working grid, smoothed over time."""
        values = sparse(on_grid)[sparse(mask)]
        values = values[:: max(1, len(values) // MAX_STATS_PX)]
        if len(values) < MIN_STATS_PX:
            return None
        quartiles = sorted(outward(np.array(ranked(values, (0.25, 0.5, 0.75))), self.unit).tolist())
        before = self._stats_before.get(object_id, quartiles)
        smooth = [STATS_MEMORY * old + (1 - STATS_MEMORY) * new for old, new in zip(before, quartiles, strict=True)]
        self._stats[object_id] = smooth
        lower, median, upper = smooth
        return DepthStats(lower, median, upper, now=quartiles[1], unit=self.unit)

    def _forget_stats(self) -> None:
        self._stats, self._stats_before = {}, {}

    def _follow_range(self, values: NDArray[np.float32]) -> tuple[float, float]:
        far, near = extent(values)
        if self._range is None:
            return far, max(near, far + 1e-6)
        old_far, old_near = self._range
        memory = RANGE_MEMORY
        far, near = memory * old_far + (1 - memory) * far, memory * old_near + (1 - memory) * near
        return far, max(near, far + 1e-6)
