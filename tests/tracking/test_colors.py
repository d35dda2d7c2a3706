"""What colors tell about objects."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.motion.anchors import Anchor
from streamer.tracking.colors import Colors, bins_of, frequencies, intersection
from streamer.tracking.parameters import TrackingParameters
from streamer.tracking.propagation import Propagation
from streamer.tracking.track_state import TrackState
from tests.tracking.fakes import noise_with_discs

compare_colors = Propagation(TrackingParameters(), None).compare_colors
NOWHERE, ANCHOR = np.zeros((8, 8), np.uint8), Anchor(0, None, None, None)


def learn(state, colors, from_user):
    state.believe(NOWHERE, 1.0, ANCHOR, colors, from_user)


def test_colors_need_both_sides():
    bins = bins_of(noise_with_discs((80, 48)))
    assert Colors.of(bins, np.zeros((96, 160), np.uint8)) is None
    assert Colors.of(bins, np.full((96, 160), 255, np.uint8)) is None


def test_the_colors_that_a_person_meant_outlast_those_learnt_later():
    meant, later = (Colors(*(np.eye(4096, dtype=np.float32)[[at, 9]])) for at in (1, 2))
    item = TrackState(1)
    learn(item, meant, from_user=True)
    for _ in range(20):
        learn(item, later, from_user=False)
    compare_colors([item])
    assert item.color_ratio[1] > 5
    assert item.color_ratio[2] > 5
    learn(item, later, from_user=True)
    for _ in range(20):
        learn(item, later, from_user=False)
    compare_colors([item])
    assert item.color_ratio[1] < 2


def test_what_another_object_looks_like_speaks_against_an_object():
    red, blue, shared, around = np.eye(4096, dtype=np.float32)[:4]
    first, second = TrackState(1), TrackState(2)
    learn(first, Colors((red + shared) / 2, around), from_user=True)
    learn(second, Colors((blue + shared) / 2, around), from_user=True)
    compare_colors([first])
    alone = first.color_ratio
    compare_colors([first, second])
    assert first.color_ratio[0] == alone[0] > 5
    assert first.color_ratio[1] < 0.2 < alone[1] == pytest.approx(1)
    assert 1 < first.color_ratio[2] < alone[2]
    assert first.color_ratio[3] == alone[3] < 0.2


histograms = st.lists(st.integers(0, 4095), min_size=1, max_size=50).map(lambda bins: frequencies(np.array(bins)))


@given(histograms, histograms)
def test_what_two_histograms_share_is_symmetric_and_all_of_one_with_itself(first, second):
    assert first.sum() == pytest.approx(1, abs=1e-4)
    assert intersection(first, second) == intersection(second, first) <= 1 + 1e-4
    assert intersection(first, first) == pytest.approx(1, abs=1e-4)
