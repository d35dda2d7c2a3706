"""Points to ask about lie where they should."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.tracking import points
from tests.tracking.fakes import disc


@given(st.integers(1, 16), st.integers(4, 30), st.tuples(st.integers(30, 130), st.integers(30, 66)))
def test_positive_points_lie_inside_and_are_spread(count, radius, center):
    mask = disc(center, radius) > 0
    gray = np.random.default_rng(1).integers(0, 255, (96, 160), dtype=np.uint8)
    chosen = points.positive(mask, gray, count)
    assert 1 <= len(chosen) <= count
    assert points.inside(mask, chosen).all()
    if radius > 15 and count >= 4:
        assert chosen.std(axis=0).min() > radius / 8


def test_kept_points_stay_and_others_fill_up():
    kept = np.float32([[75, 45], [85, 50]])
    chosen = points.positive(disc((80, 48), 20) > 0, np.zeros((96, 160), np.uint8), 6, kept)
    assert np.array_equal(chosen[:2], kept)
    assert len(chosen) == 6


def test_negative_points_lie_around_and_on_others():
    mask, other = disc((60, 48), 15) > 0, disc((130, 48), 15) > 0
    chosen = points.negative(mask, other, 8)
    assert len(chosen) == 8
    assert not points.inside(mask, chosen).any()
    assert points.inside(other, chosen).any()


def test_the_whole_frame_has_no_surroundings():
    assert len(points.negative(np.ones((96, 160), bool), np.zeros((96, 160), bool), 4)) == 0
