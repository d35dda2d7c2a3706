"""Relative inverse depth becomes 1/m by points whose depth is known: scale and shift, robust, and held steady."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.data.result import FARTHEST_M
from streamer.depth.parameters import (
    KNOWN_KEPT,
    KNOWN_MEMORY_S,
    MIN_SPREAD_SHARE,
    MODEL_ERROR,
    MODEL_ERROR_WORTH,
    PAIRS_TRIED,
    REWEIGHTINGS,
    TUKEY,
)

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """How a relative map becomes exact 1/m: ``scale * value + shift``.

    Attributes:
        scale, shift: The scale is above 0.
        spread: How far single points lie off, relative to their depth, one standard deviation.
        covariance: ``(2, 2)`` of scale and shift.
        known_error: What the known depths themselves are off by, relative, one standard deviation.
        count: How many of the points agree with it.
    """

    scale: float
    shift: float
    spread: float
    covariance: Values
    known_error: float
    count: int

    def apply(self, inverse_depth: NDArray[np.float32]) -> NDArray[np.float32]:
        """A relative map in 1/m, nothing farther than `FARTHEST_M`."""
        scaled = inverse_depth * np.float32(self.scale)
        scaled += np.float32(self.shift)
        return np.maximum(scaled, np.float32(1 / FARTHEST_M), out=scaled)

    def inverse_m(self, value: float) -> float:
        """One value of a relative map in 1/m."""
        return max(self.scale * value + self.shift, 1 / FARTHEST_M)

    def relative_error(self, value: float) -> float:
        """One standard deviation of the depth at this value of the relative map, as a share of that depth."""
        inverse_m = self.inverse_m(value)
        slope = np.array([value, 1.0]) / inverse_m
        return float(np.sqrt(self.spread**2 + slope @ self.covariance @ slope + self.known_error**2))


class Calibration:
    """Points of known depth, and the scale and shift that bring relative maps to them.

    A relative map is affine per clip, so that old points go on counting; but it drifts, so the newest count most.
    Where no new ones come the fit stays as it is.
    """

    def __init__(self) -> None:
        self._pairs = np.empty((0, 4))
        self._fit: Fit | None = None

    @property
    def fit(self) -> Fit | None:
        """None until points of clearly different depth are known."""
        return self._fit

    def forget(self) -> None:
        """Drop everything: the maps to come have another scale and shift."""
        self._pairs, self._fit = np.empty((0, 4)), None

    def add(
        self, values: NDArray[np.float32], meters: NDArray[np.float32], error: float, time_s: float, extent: float
    ) -> None:
        """Take in what the map says at points of known depth.

        Args:
            values: ``(N,)`` of the relative map.
            meters: ``(N,)`` depths there [m].
            error: Of these depths, relative, one standard deviation.
            time_s: When [s].
            extent: From the far to the near end of the map, but for its outliers.
        """
        inverse_m = 1 / np.asarray(meters, np.float64)
        new = np.column_stack(np.broadcast_arrays(values, inverse_m, time_s, error))
        self._pairs = np.concatenate([self._pairs, new])[-KNOWN_KEPT:]
        self._fit = _fitted(self._pairs, extent) or self._fit


def _fitted(pairs: Values, extent: float) -> Fit | None:
    values, inverse_m, times_s, errors = pairs.T
    weights = np.exp((times_s - times_s.max()) / KNOWN_MEMORY_S)
    start = _consensus(values, inverse_m, weights)
    if start is None:
        return None
    # Residuals are relative to the depth: what is off by 5 % counts the same near and far.
    design, wanted = np.column_stack([values, np.ones_like(values)]) / inverse_m[:, None], np.ones_like(values)
    solution, agreed = np.array(start), np.ones_like(values)
    for _ in range(REWEIGHTINGS):
        off = np.abs(design @ solution - wanted)
        agreed = np.maximum(1 - (off / (TUKEY * _spread(off, weights))) ** 2, 0) ** 2
        normal = design.T @ (design * (weights * agreed)[:, None])
        solution = np.linalg.lstsq(normal, design.T @ (weights * agreed), rcond=None)[0]
    inside = agreed > 0.25
    if solution[0] <= 0 or np.ptp(values[inside]) < MIN_SPREAD_SHARE * extent:
        return None
    spread = _spread(np.abs(design @ solution - wanted), weights)
    covariance = spread**2 * np.linalg.pinv(normal)
    known_error = float(np.average(errors, weights=weights))
    return Fit(float(solution[0]), float(solution[1]), spread, covariance, known_error, int(inside.sum()))


def _spread(off: Values, weights: Values) -> float:
    """One standard deviation from the median of absolute residuals, drawn to what models are usually off by."""
    order = np.argsort(off)
    share = np.cumsum(weights[order])
    median = off[order][np.searchsorted(share, share[-1] / 2)]
    seen = 1.4826 * (1 + 5 / max(share[-1] - 2, 1)) * float(median)  # for small samples: Rousseeuw and Leroy, 1987
    return float(np.sqrt((MODEL_ERROR_WORTH * MODEL_ERROR**2 + share[-1] * seen**2) / (MODEL_ERROR_WORTH + share[-1])))


def _consensus(values: Values, inverse_m: Values, weights: Values) -> tuple[float, float] | None:
    """Scale and shift through the two points that most others agree with (RANSAC, Fischler and Bolles 1981)."""
    first, second = np.triu_indices(len(values), 1)
    if len(first) > PAIRS_TRIED:
        chosen = np.random.default_rng(0).choice(len(first), PAIRS_TRIED, replace=False)
        first, second = first[chosen], second[chosen]
    apart = values[first] - values[second]
    with np.errstate(divide="ignore", invalid="ignore"):
        scales = (inverse_m[first] - inverse_m[second]) / apart
    usable = np.isfinite(scales) & (scales > 0)
    if not usable.any():
        return None
    scales, shifts = scales[usable], (inverse_m[first] - scales * values[first])[usable]
    off = np.abs((scales[:, None] * values + shifts[:, None]) / inverse_m - 1)
    best = int(np.argmin(np.minimum(off, 3 * MODEL_ERROR) @ weights))
    return float(scales[best]), float(shifts[best])
