import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.tracking.soft_masks import (
    INSIDE,
    around,
    coherence,
    corner,
    harden,
    is_empty,
    overlap,
    smallest_piece,
    without_scraps,
)
from tests.tracking.fakes import disc


@given(
    st.lists(st.tuples(st.integers(0, 23), st.integers(0, 31)), max_size=5),
    st.integers(0, 40),
)
def test_everything_lies_in_the_region_and_its_margin_reaches_no_farther_than_asked(places, margin):
    mask = np.zeros((24, 32), bool)
    for row, column in places:
        mask[row, column] = True
    region = around(mask, margin)
    assert is_empty(region) == (not places)
    assert np.count_nonzero(mask[region]) == np.count_nonzero(mask)
    if places:
        rows, columns = np.nonzero(mask)
        assert (corner(region) == (max(0, columns.min() - margin), max(0, rows.min() - margin))).all()
        height, width = mask[region].shape
        assert height == min(24, rows.max() + 1 + margin) - max(0, rows.min() - margin)
        assert width == min(32, columns.max() + 1 + margin) - max(0, columns.min() - margin)


def test_scraps_are_left_out_and_halves_behind_a_pole_are_not():
    body, scrap = disc((60, 48), 25), disc((140, 20), 6)
    assert (without_scraps(np.maximum(body, scrap)) == body).all()
    halves = body.copy()
    halves[:, 55:62] = 0
    assert (without_scraps(halves) == halves).all()
    assert not without_scraps(np.zeros_like(body)).any()
    assert (without_scraps(np.maximum(body, scrap), smallest_piece(np.maximum(body, scrap))) > INSIDE)[20, 140]


def test_coherence_is_the_share_of_the_largest_piece_and_a_crack_makes_no_two_of_one():
    body, other = disc((50, 48), 25), disc((130, 48), 25)
    cracked = body.copy()
    cracked[:, 49:52] = 0
    assert coherence(body) == coherence(cracked) == coherence(np.zeros_like(body)) == 1
    assert abs(coherence(np.maximum(body, other)) - 0.5) < 0.01
    assert 0.7 < coherence(np.maximum(body, disc((130, 48), 14))) < 0.8


masks = st.binary(min_size=96, max_size=96).map(lambda bits: np.frombuffer(bits, np.uint8).reshape(8, 12))


@given(masks, masks)
def test_overlap_is_symmetric_within_0_and_1_and_1_for_a_mask_with_itself(first, second):
    first, second = first > INSIDE, second > INSIDE
    assert 0 <= overlap(first, second) == overlap(second, first) <= 1
    assert overlap(first, first) == float(first.any())


@given(masks)
def test_hardening_moves_no_pixel_over_the_outline(soft_mask):
    np.testing.assert_array_equal(harden(soft_mask) > INSIDE, soft_mask > INSIDE)
