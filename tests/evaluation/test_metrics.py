import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from streamer.evaluation.metrics import (
    boundary_f,
    depth_errors,
    fit_scale_and_shift,
    iou,
    j_and_f,
    outline,
    sequence_statistics,
)

SHAPE = (24, 32)
masks = hnp.arrays(bool, SHAPE, elements=st.booleans())
maps = hnp.arrays(np.float64, SHAPE, elements=st.floats(0.05, 5))


def square(x: int, y: int, side: int, shape: tuple[int, int] = (100, 120)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[y : y + side, x : x + side] = True
    return mask


def davis_outline(seg: np.ndarray) -> np.ndarray:
    """The DAVIS definition, spelt out pixel by pixel."""
    height, width = seg.shape
    result = np.zeros_like(seg)
    for y in range(height):
        for x in range(width):
            right, below = min(x + 1, width - 1), min(y + 1, height - 1)
            others = {seg[y, right], seg[below, x], seg[below, right]}
            result[y, x] = any(other != seg[y, x] for other in others)
    return result


def test_iou_of_overlapping_squares() -> None:
    assert iou(square(10, 10, 20), square(20, 10, 20)) == pytest.approx(1 / 3)


def test_empty_masks() -> None:
    empty = np.zeros((100, 120), bool)
    assert iou(empty, empty) == boundary_f(empty, empty) == 1
    assert iou(empty, square(10, 10, 20)) == boundary_f(empty, square(10, 10, 20)) == 0
    assert boundary_f(square(10, 10, 20), empty) == 0


def test_full_mask_has_no_outline() -> None:
    assert not outline(np.ones(SHAPE, bool)).any()


@settings(max_examples=25, deadline=None)
@given(masks)
def test_outline_is_the_one_of_davis(mask: np.ndarray) -> None:
    np.testing.assert_array_equal(outline(mask), davis_outline(mask))


def test_boundary_f_forgives_as_far_as_the_bound() -> None:
    truth = square(30, 30, 40)  # diagonal 156 px, bound 0.008: ceil(1.25) = 2 px
    assert boundary_f(square(32, 30, 40), truth) == 1
    assert boundary_f(square(33, 30, 40), truth) < 1
    assert boundary_f(square(33, 30, 40), truth, bound=3) == 1


def test_boundary_f_counts_false_outline_as_precision() -> None:
    truth = square(10, 10, 20)
    both = truth | square(80, 70, 20)
    assert boundary_f(both, truth) == pytest.approx(2 * 0.5 / 1.5, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(masks, masks)
def test_mask_measures_are_symmetric_and_bounded(a: np.ndarray, b: np.ndarray) -> None:
    for measure in (iou, boundary_f, j_and_f):
        assert 0 <= measure(a, b) <= 1
        assert measure(a, b) == pytest.approx(measure(b, a))
        assert measure(a, a) == 1


def test_masks_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="one size"):
        iou(np.ones((3, 4)), np.ones((4, 3)))


def test_statistics_of_a_falling_sequence() -> None:
    values = [1.0] * 10 + [0.8] * 10 + [0.6] * 10 + [0.2] * 10
    statistics = sequence_statistics(values)
    assert statistics.mean == pytest.approx(0.65)
    assert statistics.recall == 0.75
    assert statistics.decay == pytest.approx(np.mean(values[0:11]) - np.mean(values[29:40]))


def test_statistics_leave_out_nan_and_refuse_nothing() -> None:
    assert sequence_statistics([np.nan, 0.4, 0.6]).mean == pytest.approx(0.5)
    assert np.isnan(sequence_statistics([np.nan]).mean)
    with pytest.raises(ValueError, match="no values"):
        sequence_statistics([])


@settings(max_examples=40, deadline=None)
@given(maps, st.floats(0.01, 100), st.floats(-50, 50))
def test_depth_errors_do_not_see_scale_and_shift(truth: np.ndarray, scale: float, shift: float) -> None:
    errors = depth_errors(truth * scale + shift, truth)
    assert errors.abs_rel == pytest.approx(0, abs=1e-4)
    assert errors.delta1 == 1


@settings(max_examples=40, deadline=None)
@given(maps, maps)
def test_depth_errors_are_bounded(guess: np.ndarray, truth: np.ndarray) -> None:
    errors = depth_errors(guess, truth)
    assert errors.abs_rel >= 0
    assert 0 <= errors.delta1 <= 1


def test_depth_errors_of_a_constant_guess() -> None:
    truth = np.array([[1.0, 0.5]])
    errors = depth_errors(np.full((1, 2), 7.0), truth)  # fits 0.75: depth 4/3 m for 1 m and 2 m
    assert errors.abs_rel == pytest.approx((1 / 3 + 1 / 3) / 2)
    assert errors.delta1 == 0
    assert errors.scale == 0


def test_depth_errors_skip_unknown_pixels() -> None:
    truth = np.array([[1.0, 0.5, 0.25, 0.0, np.nan, 0.3]])
    guess = np.array([[2.0, 1.0, 0.5, 99.0, 5.0, 77.0]])
    errors = depth_errors(guess, truth, valid=np.array([[1, 1, 1, 1, 1, 0]]))
    assert errors.abs_rel == pytest.approx(0, abs=1e-9)
    assert np.isnan(depth_errors(guess, np.zeros_like(guess)).abs_rel)


def test_fitted_depth_is_cut_to_the_largest() -> None:
    truth = np.array([[1.0, 0.9, 0.1, 0.1]])
    guess = np.array([[1.0, 0.9, 0.3, -0.3]])
    assert depth_errors(guess, truth, max_depth_m=10).abs_rel < 10


@settings(max_examples=30, deadline=None)
@given(maps, maps)
def test_fit_has_least_squares(values: np.ndarray, target: np.ndarray) -> None:
    scale, shift = fit_scale_and_shift(values, target)
    best = np.sum((scale * values + shift - target) ** 2)
    for other in ((scale * 1.01, shift), (scale, shift + 0.01), (scale - 0.01, shift)):
        assert best <= np.sum((other[0] * values + other[1] - target) ** 2) + 1e-9
