"""How good masks and depth are, by published definitions.

Masks: region similarity J and boundary accuracy F of DAVIS (Perazzi et al., CVPR 2016), computed as in the DAVIS 2017
evaluation. Depth: AbsRel and delta < 1.25 after a least squares fit of scale and shift to inverse depth, the protocol
of MiDaS (Ranftl et al., TPAMI 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Statistics:
    """DAVIS statistics of a measure over a sequence: mean, share above 0.5, and loss from first to last quarter."""

    mean: float
    recall: float
    decay: float


@dataclass(frozen=True, slots=True)
class DepthErrors:
    """Errors of depth after the fit; all NaN where no pixel has a truth.

    Attributes:
        abs_rel: Mean of |depth - truth| / truth.
        delta1: Share of pixels with max(depth / truth, truth / depth) < 1.25.
        scale, shift: What was fitted: inverse truth ~ scale * inverse depth + shift [1/m].
    """

    abs_rel: float
    delta1: float
    scale: float
    shift: float


def iou(mask: Mask, truth: Mask) -> float:
    """Intersection over union of two ``(H, W)`` masks (bool, or non-zero is set), DAVIS J; 1 where both are empty."""
    mask, truth = _pair(mask, truth)
    union = np.count_nonzero(mask | truth)
    return float(np.count_nonzero(mask & truth) / union) if union else 1.0


def boundary_f(mask: Mask, truth: Mask, bound: float = 0.008) -> float:
    """DAVIS F: F-measure of the outlines of two ``(H, W)`` masks.

    An outline pixel is right if one of the other mask's outline is within ``bound`` times the diagonal of the picture,
    rounded up, or within ``bound`` pixels where that is 1 or more. 1 where neither mask has an outline.
    """
    mask, truth = _pair(mask, truth)
    reach_px = int(bound) if bound >= 1 else int(np.ceil(bound * np.hypot(*mask.shape)))
    found, wanted = outline(mask), outline(truth)
    if not found.any() and not wanted.any():
        return 1.0
    if not found.any() or not wanted.any():
        return 0.0
    precision = np.count_nonzero(found & _dilated(wanted, reach_px)) / np.count_nonzero(found)
    recall = np.count_nonzero(wanted & _dilated(found, reach_px)) / np.count_nonzero(wanted)
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def j_and_f(mask: Mask, truth: Mask) -> float:
    """The mean of DAVIS J and F."""
    return (iou(mask, truth) + boundary_f(mask, truth)) / 2


def outline(mask: Mask) -> NDArray[np.bool_]:
    """Pixels that differ from their right, lower or lower right neighbor, ``(H, W)`` bool; the DAVIS boundary map."""
    mask = np.asarray(mask).astype(bool)
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    return (mask ^ padded[:-1, 1:]) | (mask ^ padded[1:, :-1]) | (mask ^ padded[1:, 1:])


def sequence_statistics(values: Sequence[float]) -> Statistics:
    """Mean, recall and decay of one object's J or F over the frames of a sequence; NaN values are left out.

    DAVIS leaves out the first frame, whose mask is given, and the last; so should the caller.

    Raises:
        ValueError: There are no values.
    """
    if len(values) == 0:
        raise ValueError("There are no values to take the statistics of.")
    series = np.asarray(values, np.float64)
    cuts = np.round(np.linspace(1, len(series), 5) + 1e-10).astype(int) - 1
    quarters = [series[start : end + 1] for start, end in pairwise(cuts)]
    known = series[~np.isnan(series)]
    if not len(known):
        return Statistics(np.nan, np.nan, np.nan)
    return Statistics(float(known.mean()), float(np.mean(known > 0.5)), _mean(quarters[0]) - _mean(quarters[3]))


def depth_errors(
    inverse_depth: NDArray[Any],
    truth: NDArray[Any],
    valid: Mask | None = None,
    max_depth_m: float | None = None,
) -> DepthErrors:
    """Errors of a relative inverse depth map against the truth.

    Args:
        inverse_depth: ``(H, W)`` float, larger is nearer, known up to scale and shift.
        truth: ``(H, W)`` float, true inverse depth [1/m]; 0, negative or not finite is unknown.
        valid: ``(H, W)``, set where pixels count; None for all with a truth.
        max_depth_m: Fitted depth is cut to this; None for the largest true depth.
    """
    known = np.isfinite(truth) & (np.nan_to_num(truth) > 0) & np.isfinite(inverse_depth)
    if valid is not None:
        known &= np.asarray(valid).astype(bool)
    if not known.any():
        return DepthErrors(np.nan, np.nan, np.nan, np.nan)
    guess, wanted = inverse_depth[known].astype(np.float64), truth[known].astype(np.float64)
    scale, shift = fit_scale_and_shift(guess, wanted)
    floor = wanted.min() if max_depth_m is None else 1 / max_depth_m
    ratio = wanted / np.maximum(scale * guess + shift, floor)
    right = np.maximum(ratio, 1 / ratio) < 1.25
    return DepthErrors(float(np.mean(np.abs(ratio - 1))), float(np.mean(right)), scale, shift)


def fit_scale_and_shift(values: NDArray[Any], target: NDArray[Any]) -> tuple[float, float]:
    """The scale and shift of least squares error, target ~ scale * values + shift; scale 0 for constant values."""
    values, target = np.ravel(values).astype(np.float64), np.ravel(target).astype(np.float64)
    centered = values - values.mean()
    spread = float(centered @ centered)
    tiny = len(values) * (1e-12 * max(1e-300, float(np.abs(values).max()))) ** 2
    scale = float(centered @ (target - target.mean())) / spread if spread > tiny else 0.0
    return scale, float(target.mean() - scale * values.mean())


def _pair(mask: Mask, truth: Mask) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    mask, truth = np.asarray(mask), np.asarray(truth)
    if mask.shape != truth.shape or mask.ndim != 2:
        raise ValueError(f"Two (H, W) masks of one size are compared, but these are {mask.shape} and {truth.shape}.")
    return mask.astype(bool), truth.astype(bool)


def _dilated(mask: NDArray[np.bool_], reach_px: int) -> NDArray[np.bool_]:
    across = np.arange(-reach_px, reach_px + 1)
    disk = (across[:, None] ** 2 + across**2 <= reach_px**2).astype(np.uint8)
    return cv2.dilate(mask.astype(np.uint8), disk).astype(bool)


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def calibration_error(said: Sequence[float], true: Sequence[float], bins: int = 10) -> float:
    """Expected calibration error (Guo et al., ICML 2017) of scores that should be the IoU; NaN without any."""
    if not said:
        return float("nan")
    scores, ious = np.asarray(said), np.asarray(true)
    places = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = [
        abs(scores[places == b].mean() - ious[places == b].mean()) * np.mean(places == b) for b in np.unique(places)
    ]
    return float(np.sum(gaps))
