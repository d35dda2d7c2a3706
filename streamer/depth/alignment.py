"""A new relative map brought to the scale and shift of what is carried, and steadied by it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamer.depth.parameters import CARRIED_WEIGHT, KEPT_SHARE, ROUNDS, SAME_SURFACE_SHARE
from streamer.depth.ranks import extent, ranked


def align(new: NDArray[np.float32], reference: NDArray[np.float32], rounds: int = ROUNDS) -> tuple[float, float]:
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
        (center,), (wanted_center,) = ranked(chosen, (0.5,)), ranked(wanted, (0.5,))
        spread, wanted_spread = np.abs(chosen - center).mean(), np.abs(wanted - wanted_center).mean()
        if spread <= 1e-6 * (abs(center) + 1e-6) or wanted_spread <= 0:
            break
        scale = float(wanted_spread / spread)
        shift = wanted_center - scale * center
        error = np.abs(scale * new + shift - reference)
        (limit,) = ranked(error, (KEPT_SHARE,))
        keep = error <= limit
    return scale, shift


def steadied(new: NDArray[np.float32], carried: NDArray[np.float32]) -> NDArray[np.float32]:
    """The new map, halfway to the carried one where both mean the same surface: noise averages out, changes stay."""
    difference = carried - new
    same = np.exp(-np.abs(difference) / (SAME_SURFACE_SHARE * _spread(new)))
    return new + np.float32(CARRIED_WEIGHT) * same * difference


def _spread(values: NDArray[np.float32]) -> np.float32:
    far, near = extent(values)
    return np.float32(max(near - far, 1e-6))
