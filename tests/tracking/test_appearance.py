"""What objects look like, and what their colors tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.tracking.appearance import (
    Appearance,
    Colors,
    ImageFeatures,
    bins_of,
    frequencies,
    intersection,
    remember,
    similarity,
    without_foreign_pieces,
)
from streamer.tracking.distractors import update_color_ratios
from streamer.tracking.track_state import TrackState
from tests.tracking.fakes import disc, features_of, gallery_of, noise_with_discs


def test_colors_need_both_sides():
    bins = bins_of(noise_with_discs((80, 48)))
    assert Colors.of(bins, np.zeros((96, 160), np.uint8)) is None
    assert Colors.of(bins, np.full((96, 160), 255, np.uint8)) is None


def test_a_piece_that_looks_like_something_else_is_left_out_where_another_looks_like_the_object():
    image = features_of((120, 40))
    gallery, ball, grass = gallery_of(image, (120, 40)), disc((120, 40), 20), disc((40, 48), 24)
    np.testing.assert_array_equal(without_foreign_pieces(image, np.maximum(ball, grass), gallery), ball)
    np.testing.assert_array_equal(without_foreign_pieces(image, np.maximum(ball, grass), ()), np.maximum(ball, grass))
    np.testing.assert_array_equal(without_foreign_pieces(image, ball, gallery), ball)
    both = np.maximum(grass, disc((60, 100), 10))
    np.testing.assert_array_equal(
        without_foreign_pieces(image, both, gallery), both, "none of them looks like the object"
    )


def test_an_object_is_in_one_place_but_something_narrow_may_hide_its_middle():
    image, ball = features_of((120, 40), (40, 48)), disc((120, 40), 20)
    gallery = gallery_of(image, (120, 40))
    np.testing.assert_array_equal(without_foreign_pieces(image, np.maximum(ball, disc((40, 48), 16)), gallery), ball)
    behind_a_pole = ball.copy()
    behind_a_pole[:, 115:125] = 0
    np.testing.assert_array_equal(without_foreign_pieces(image, behind_a_pole, gallery), behind_a_pole)


def test_colors_tell_apart_what_looks_alike_to_sam():
    red, green = features_of((40, 48)), features_of((40, 48), color=(20, 220, 40))
    same = ImageFeatures(red.features, green.bins)
    look, other = (image.appearance(disc((40, 48), 20)) for image in (red, same))
    assert np.array_equal(look.features, other.features)
    assert similarity(look, (look,)) == pytest.approx(1)
    assert similarity(look, (other,)) == pytest.approx(0.5, abs=0.02)


def test_the_gallery_keeps_the_first_look_and_stays_small():
    gallery = ()
    looks = [Appearance(row, row) for row in np.eye(20, dtype=np.float32)]
    for look in looks:
        gallery = remember(gallery, look)
    assert len(gallery) <= 6
    assert similarity(looks[0], gallery) == 1
    assert similarity(looks[19], gallery) == 1
    assert similarity(looks[5], gallery) == 0
    assert similarity(None, gallery) == 0
    assert remember(gallery, None) is gallery
    assert features_of((40, 48)).appearance(np.zeros((96, 160), np.uint8)) is None


def test_the_colors_that_a_person_meant_outlast_those_learnt_later():
    meant, later = (Colors(*(np.eye(4096, dtype=np.float32)[[at, 9]])) for at in (1, 2))
    item = TrackState(1)
    item.learn_colors(meant, from_user=True)
    for _ in range(20):
        item.learn_colors(later, from_user=False)
    update_color_ratios([item])
    assert item.color_ratio[1] > 5
    assert item.color_ratio[2] > 5
    item.learn_colors(later, from_user=True)
    for _ in range(20):
        item.learn_colors(later, from_user=False)
    update_color_ratios([item])
    assert item.color_ratio[1] < 2


def test_what_another_object_looks_like_speaks_against_an_object():
    red, blue, shared, around = np.eye(4096, dtype=np.float32)[:4]
    first, second = TrackState(1), TrackState(2)
    first.learn_colors(Colors((red + shared) / 2, around), from_user=True)
    second.learn_colors(Colors((blue + shared) / 2, around), from_user=True)
    update_color_ratios([first])
    alone, cautious = first.color_ratio, first.cautious_ratio
    update_color_ratios([first, second])
    assert first.color_ratio[0] == alone[0] > 5
    assert first.color_ratio[1] < 0.2 < alone[1] == pytest.approx(1)
    assert 1 < first.color_ratio[2] < alone[2]
    assert first.color_ratio[3] == alone[3] < 0.2
    assert first.cautious_ratio[0] < cautious[0] == pytest.approx(alone[0])


histograms = st.lists(st.integers(0, 4095), min_size=1, max_size=50).map(lambda bins: frequencies(np.array(bins)))


@given(histograms, histograms)
def test_what_two_histograms_share_is_symmetric_and_all_of_one_with_itself(first, second):
    assert first.sum() == pytest.approx(1, abs=1e-4)
    assert intersection(first, second) == intersection(second, first) <= 1 + 1e-4
    assert intersection(first, first) == pytest.approx(1, abs=1e-4)
