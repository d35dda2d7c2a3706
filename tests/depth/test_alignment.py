"""A new map takes the scale of the old one, and is steadied by it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.depth.alignment import align, steadied


@given(st.floats(0.1, 10), st.floats(-5, 5))
def test_align_finds_scale_and_shift(scale, shift):
    reference = np.random.default_rng(1).normal(5, 2, 4000).astype(np.float32)
    found_scale, found_shift = align((reference - shift) / np.float32(scale), reference)
    assert found_scale == pytest.approx(scale, rel=0.01)
    assert found_shift == pytest.approx(shift, abs=0.05)


def test_align_is_not_fooled_by_a_part_that_moved():
    reference = np.linspace(0, 10, 4000, dtype=np.float32)
    new = reference / 2 - 1
    new[:400] += 30
    scale, shift = align(new, reference)
    assert np.abs(scale * new[400:] + shift - reference[400:]).mean() < 0.4


def test_align_leaves_a_flat_map_alone():
    assert align(np.ones(100, np.float32), np.arange(100, dtype=np.float32)) == (1.0, 0.0)


def test_noise_is_halved_where_both_maps_mean_the_same_and_changes_stay():
    random = np.random.default_rng(3)
    truth = np.tile(np.linspace(0, 10, 64, dtype=np.float32), (48, 1))
    old, new = (truth + random.normal(0, 0.1, truth.shape).astype(np.float32) for _ in range(2))
    new[:, :16] += 8
    steady = steadied(new, old)
    assert np.abs(steady[:, 16:] - truth[:, 16:]).std() < 0.8 * np.abs(new[:, 16:] - truth[:, 16:]).std()
    np.testing.assert_allclose(steady[:, :16], new[:, :16], atol=0.1)


@given(st.floats(0, 5))
def test_what_is_steadied_lies_between_the_two_maps(difference):
    new = np.tile(np.linspace(0, 10, 64, dtype=np.float32), (48, 1))
    steady = steadied(new, new + np.float32(difference))
    assert (steady >= new - 1e-4).all()
    assert (steady <= new + np.float32(difference) / 2 + 1e-4).all()
