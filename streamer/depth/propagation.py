"""Inverse depth between two runs of the model: carried by the flow, and steady in scale, shift and color."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.track import DepthStats
from streamer.motion.anchors import Anchor
from streamer.motion.pyramid import Pyramid

_SAMPLE_STEP = 4
_KEPT_SHARE = 0.8
_KEEP, _SAME_SHARE = 0.5, 0.08
_UNCOVERED_TRUST, _UNCOVERED_CROWDING, _STEP_SHARE = 0.5, 1.5, 0.05
_BACKGROUND_REACH_PX, _HOLE_BLUR_PX = 8, 7
_RANGE_MEMORY = 0.85
_STATS_MEMORY = 0.7
_MIN_STATS_PIXELS, _MOST_STATS_PIXELS = 4, 1000


def align(new: NDArray[np.float32], reference: NDArray[np.float32], rounds: int = 3) -> tuple[float, float]:
    """Scale and shift that bring ``new`` to ``reference``, both ``(N,)`` float32, robust against moving parts.

    The center and spread of both are matched (as MiDaS normalizes, Ranftl et al., PAMI 2022, eq. 5-6) instead of
    regressing one on the other, because regression on noisy values shrinks the scale a little at every run. Values
    that fit worst are left out from round to round.

    Returns:
        (scale, shift) with scale > 0; (1, 0) where either map is flat.
    """
    scale, shift = 1.0, 0.0
    keep = np.ones(len(new), bool)
    for _ in range(rounds):
        chosen, wanted = new[keep], reference[keep]
        (center,), (wanted_center,) = _ranked(chosen, (0.5,)), _ranked(wanted, (0.5,))
        spread, wanted_spread = np.abs(chosen - center).mean(), np.abs(wanted - wanted_center).mean()
        if spread <= 1e-6 * (abs(center) + 1e-6) or wanted_spread <= 0:
            break
        scale = float(wanted_spread / spread)
        shift = wanted_center - scale * center
        error = np.abs(scale * new + shift - reference)
        (limit,) = _ranked(error, (_KEPT_SHARE,))
        keep = error <= limit
    return scale, shift


class DepthCarrier:
    """The depth map of the latest anchor, aligned to what came before and carried to the present frame."""

    def __init__(self) -> None:
        self._map: NDArray[np.float32] | None = None
        self._anchor: Anchor | None = None
        self._carried: tuple[int, NDArray[np.float32]] | None = None
        self._range: tuple[float, float] | None = None
        self._stats: dict[int, DepthStats] = {}

    @property
    def anchor(self) -> Anchor | None:
        return self._anchor

    def adopt(self, inverse_depth: NDArray[np.float32], anchor: Anchor, carried: NDArray[np.float32] | None) -> None:
        """Take over a new map ``(H, W)`` of the anchor's frame.

        Args:
            carried: ``(h, w)`` what :meth:`on_grid` gave on that frame; None where there was nothing to align to (the
                first map, or the first after a scene cut).
        """
        new = anchor.grid.shrink(inverse_depth)
        if carried is not None and carried.shape == new.shape:
            sparse = (slice(None, None, _SAMPLE_STEP),) * 2
            scale, shift = align(new[sparse].ravel(), carried[sparse].ravel())
            new = _steadied(cv2.addWeighted(new, scale, new, 0.0, shift), carried)
        else:
            self._range = None
            self._stats.clear()
        self._map, self._anchor, self._carried = new, anchor, None
        self._range = self._follow_range(new)

    def forget(self) -> None:
        """Drop everything: the scene has changed."""
        self._map = self._anchor = self._range = self._carried = None
        self._stats.clear()

    def on_grid(self, present: Pyramid) -> NDArray[np.float32] | None:
        """``(h, w)`` float32 inverse depth on the working grid of the present frame.

        Args:
            present: ``(h / 2, w / 2, 4)`` uint8, that frame at half the size of the grid.
        """
        if self._map is None or self._anchor is None:
            return None
        if self._anchor.age == 0:
            return self._map
        if self._carried is None or self._carried[0] != self._anchor.age:
            carried = self._anchor.carry(self._map)
            assert self._range is not None
            far, near = self._range
            self._carried = self._anchor.age, _filled(carried, self._anchor, present, _STEP_SHARE * (near - far))
        return self._carried[1]

    @property
    def range(self) -> tuple[float, float] | None:
        """Smoothed (far, near) values for coloring."""
        return self._range

    def stats(self, object_id: int, on_grid: NDArray[np.float32], mask: NDArray[np.bool_]) -> DepthStats | None:
        """Quartiles inside an object's ``(h, w)`` mask on the working grid, smoothed over time."""
        values = on_grid[::2, ::2][mask[::2, ::2]]
        values = values[:: max(1, len(values) // _MOST_STATS_PIXELS)]
        if len(values) < _MIN_STATS_PIXELS:
            self._stats.pop(object_id, None)
            return None
        lower, median, upper = _ranked(values, (0.25, 0.5, 0.75))
        now = DepthStats(lower, median, upper)
        before = self._stats.get(object_id)
        if before is not None:
            now = DepthStats(
                *(
                    _STATS_MEMORY * old + (1 - _STATS_MEMORY) * new
                    for old, new in ((before.lower, lower), (before.median, median), (before.upper, upper))
                )
            )
        self._stats[object_id] = now
        return now

    def _follow_range(self, values: NDArray[np.float32]) -> tuple[float, float]:
        far, near = _extent(values)
        if self._range is None:
            return far, max(near, far + 1e-6)
        old_far, old_near = self._range
        memory = _RANGE_MEMORY
        far, near = memory * old_far + (1 - memory) * far, memory * old_near + (1 - memory) * near
        return far, max(near, far + 1e-6)


def _steadied(new: NDArray[np.float32], carried: NDArray[np.float32]) -> NDArray[np.float32]:
    """The new map, halfway to the carried one where both mean the same surface: noise averages out, changes stay."""
    difference = carried - new
    same = np.exp(-np.abs(difference) / (_SAME_SHARE * _spread(new)))
    return new + np.float32(_KEEP) * same * difference


def _filled(carried: NDArray[np.float32], anchor: Anchor, present: Pyramid, step: float) -> NDArray[np.float32]:
    """The carried map with the background where a near thing has moved away.

    Pulling leaves the thing's depth there. What has come to light pulls from where the thing itself does, does not look
    like it, and lies beside something that is farther by a ``step``.
    """
    half = np.ascontiguousarray(carried[::2, ::2])
    background = cv2.blur(cv2.erode(half, np.ones((_BACKGROUND_REACH_PX + 1,) * 2, np.uint8)), (3, 3))
    uncovered = (anchor.crowding() > _UNCOVERED_CROWDING) & (anchor.trust(present) < _UNCOVERED_TRUST)
    holes = uncovered & (half - background > step)
    if not holes.any():
        return carried
    size = carried.shape[1::-1]
    # Single pixels are rather noise, and a hole with hard borders is uglier than the smear that it replaces.
    share = np.clip(2 * cv2.blur(holes.astype(np.float32), (_HOLE_BLUR_PX,) * 2) - 0.5, 0, 1)
    share, behind = (cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR) for plane in (share, background))
    behind -= carried
    behind *= share
    return np.add(carried, behind, out=behind)


def _spread(values: NDArray[np.float32]) -> np.float32:
    far, near = _extent(values)
    return np.float32(max(near - far, 1e-6))


def _extent(values: NDArray[np.float32]) -> tuple[float, float]:
    """(far, near) of a map but for its outliers."""
    far, near = _ranked(values[::_SAMPLE_STEP, ::_SAMPLE_STEP].ravel(), (0.02, 0.98))
    return far, near


def _ranked(values: NDArray[np.float32], shares: Sequence[float]) -> list[float]:
    """The values of ``(N,)`` below which these shares of them lie; ten times as quick as `np.percentile`."""
    places = [round(share * (len(values) - 1)) for share in shares]
    return np.partition(values, places)[places].tolist()
