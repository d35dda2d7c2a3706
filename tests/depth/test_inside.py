"""Depth inside a mask."""

import numpy as np
import pytest

from streamer.data.depth_unit import DepthUnit
from streamer.depth.inside import BINS, depth_inside

RAMP = np.tile(np.linspace(0, 1, 101, dtype=np.float32), (4, 1))


def test_quartiles_and_histogram_of_a_ramp():
    mask = np.zeros(RAMP.shape, bool)
    mask[:, 20:61] = True
    inside = depth_inside(RAMP, mask, (0.0, 1.0))
    assert inside is not None
    assert (inside.count, inside.unit) == (4 * 41, DepthUnit.RELATIVE)
    assert (inside.lower, inside.median, inside.upper) == pytest.approx((0.3, 0.4, 0.5))
    assert inside.counts.sum() == inside.count
    filled = inside.edges[:-1][inside.counts > 0]
    assert filled.min() == pytest.approx(0.2, abs=1 / BINS)
    assert filled.max() == pytest.approx(0.6, abs=1 / BINS)


def test_meters_are_the_reciprocal_and_ascend():
    inside = depth_inside(np.full((2, 2), 0.5, np.float32), np.ones((2, 2), bool), (0.1, 1.0), DepthUnit.METERS)
    assert inside is not None
    assert (inside.lower, inside.median, inside.upper) == (2, 2, 2)
    assert inside.edges[[0, -1]] == pytest.approx((1, 10))
    far = depth_inside(np.zeros((2, 2), np.float32), np.ones((2, 2), bool), (0.1, 1.0), DepthUnit.METERS)
    assert far is not None
    assert far.median == pytest.approx(1000), "the sky"
    assert far.counts[-1] == 4, "what lies beyond the limits is in the outermost bin"


def test_an_empty_mask_has_no_depth():
    assert depth_inside(RAMP, np.zeros(RAMP.shape, bool), (0.0, 1.0)) is None


def test_a_flat_map_has_a_histogram_too():
    inside = depth_inside(np.ones((2, 2), np.float32), np.ones((2, 2), bool), (1.0, 1.0))
    assert inside is not None
    assert inside.counts.sum() == 4
