"""Scale and shift from points of known depth: exact where they are, robust where they are not, honest about both."""

import numpy as np
import pytest

from streamer.depth.calibration import Calibration

SCALE, SHIFT = 0.02, 0.15  # 1/m from a map of some 5 to 40


def points(count, rng, noise=0.0, far_m=5.0):
    """Values of the map, and the depths there [m]; the map is off by ``noise``, relative to the depth."""
    depth_m = rng.uniform(1.0, far_m, count)
    return ((1 + rng.normal(0, noise, count)) / depth_m - SHIFT) / SCALE, depth_m


def test_exact_points_give_the_exact_fit():
    calibration = Calibration()
    calibration.add(*points(2, np.random.default_rng(1)), 0.0, 0.0, 20.0)
    fit = calibration.fit
    assert (fit.scale, fit.shift, fit.count) == (pytest.approx(SCALE), pytest.approx(SHIFT), 2)
    values = np.float32([[5, 40]])
    np.testing.assert_allclose(fit.apply(values), SCALE * values + SHIFT, rtol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_a_third_of_the_points_may_be_wrong(seed):
    rng = np.random.default_rng(seed)
    values, depth_m = points(30, rng, noise=0.02)
    depth_m[:10] *= rng.choice([0.3, 0.5, 2.5], 10)
    calibration = Calibration()
    calibration.add(values, depth_m, 0.0, 0.0, 20.0)
    for true_m in (1.2, 2.0, 4.0):
        assert 1 / calibration.fit.inverse_m((1 / true_m - SHIFT) / SCALE) == pytest.approx(true_m, rel=0.05)


def test_one_depth_gives_no_scale():
    calibration = Calibration()
    calibration.add(np.full(9, 20.0), np.full(9, 1.8), 0.0, 0.0, 20.0)
    assert calibration.fit is None
    calibration.add(np.array([20.5, 20.2]), np.array([1.75, 1.78]), 0.0, 0.1, 20.0)
    assert calibration.fit is None  # 2 % of the map's extent are noise
    calibration.add(np.array([30.0]), np.array([1.3]), 0.0, 0.2, 20.0)
    assert calibration.fit is not None


def test_what_is_nearer_in_the_map_but_farther_off_agrees_with_nothing():
    calibration = Calibration()
    calibration.add(np.array([5.0, 40.0]), np.array([1.0, 5.0]), 0.0, 0.0, 20.0)
    assert calibration.fit is None


def test_a_single_beam_calibrates_over_time_and_the_fit_is_held_when_it_ends():
    rng, calibration = np.random.default_rng(0), Calibration()
    for at in range(20):
        calibration.add(*points(1, rng, noise=0.03), 0.0, at / 5, 20.0)
    fit = calibration.fit
    assert 1 / fit.inverse_m((1 / 2.0 - SHIFT) / SCALE) == pytest.approx(2.0, rel=0.05)
    assert calibration.fit is fit


def test_a_drift_is_followed():
    rng, calibration = np.random.default_rng(0), Calibration()
    for at in range(100):
        values, depth_m = points(1, rng)
        calibration.add(values * (1 + 0.01 * at), depth_m, 0.0, at / 5, 20.0)
    assert calibration.fit.scale == pytest.approx(SCALE / 1.9, rel=0.1)


def test_steady_points_give_a_steady_fit():
    rng, calibration, depths_m = np.random.default_rng(3), Calibration(), []
    for at in range(60):
        calibration.add(*points(1, rng, noise=0.06), 0.0, at / 5, 20.0)
        if at > 15:
            depths_m.append(1 / calibration.fit.inverse_m((1 / 2.5 - SHIFT) / SCALE))
    assert np.abs(np.diff(depths_m)).max() < 0.05 * 2.5  # no jump at a point that comes or goes
    assert np.std(depths_m) < 0.03 * 2.5


@pytest.mark.parametrize("noise", [0.06, 0.12])
def test_the_error_that_is_told_is_the_error_that_is_made(noise):
    told, made = [], []
    for seed in range(60):
        rng, calibration = np.random.default_rng(seed), Calibration()
        calibration.add(*points(10, rng, noise=noise), 0.0, 0.0, 20.0)
        value, depth_m = points(1, rng, noise=noise)
        told.append(calibration.fit.relative_error(value[0]))
        made.append(abs(1 / calibration.fit.inverse_m(value[0]) / depth_m[0] - 1))
    within = np.mean(np.array(made) < 2 * np.array(told))
    assert within >= 0.85
    assert np.median(told) < 2.5 * noise


def test_what_the_sensor_is_off_by_is_not_averaged_away():
    rng, calibration = np.random.default_rng(0), Calibration()
    calibration.add(*points(200, rng), 0.2, 0.0, 20.0)
    assert 0.2 < calibration.fit.relative_error(20.0) < 0.25


def test_after_a_cut_nothing_is_known():
    calibration = Calibration()
    calibration.add(*points(9, np.random.default_rng(1)), 0.0, 0.0, 20.0)
    calibration.forget()
    assert calibration.fit is None
