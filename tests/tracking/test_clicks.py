"""Clicks make and correct masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.data.prompt import Prompt
from streamer.motion.pyramid import Grid
from streamer.tracking.clicks import ClickRequest, answer
from streamer.tracking.soft_masks import INSIDE
from tests.tracking.fakes import BALL, EMBEDDING, GRID, PART, SIZE, WHOLE, FixedDecoder, disc, iou, noise_with_discs

IMAGE = noise_with_discs((80, 48))


def ask(decoder, *requests, passes=1, grid=GRID):
    return answer(decoder, EMBEDDING, requests, IMAGE, grid, passes)


def answered(decoder, prompt, **more):
    return ask(decoder, ClickRequest(1, prompt, **more))[0].soft_mask > INSIDE


def test_a_new_object_gets_the_mask_that_sam_is_surest_of():
    (one,) = ask(FixedDecoder([PART, BALL, WHOLE], [0.3, 0.9, 0.5]), ClickRequest(1, Prompt([(80, 48)])))
    assert iou(one.soft_mask > INSIDE, BALL > INSIDE) > 0.99
    assert one.predicted_iou == pytest.approx(0.9)


@pytest.mark.parametrize(("level", "mask"), [("part", PART), ("object", WHOLE), ("auto", BALL)])
def test_a_part_or_the_whole_can_be_meant(level, mask):
    decoder = FixedDecoder([BALL, WHOLE, PART], [0.9, 0.5, 0.3])
    assert iou(answered(decoder, Prompt([(80, 48)]), level=level), mask > INSIDE) > 0.99


def test_a_drawn_box_counts_as_much_as_what_sam_thinks():
    decoder = FixedDecoder([WHOLE, BALL], [0.9, 0.6])
    assert iou(answered(decoder, Prompt(box=(60, 28, 101, 69))), BALL > INSIDE) > 0.9


def test_each_further_pass_shows_sam_its_own_answer_and_the_box_around_it():
    decoder = FixedDecoder([BALL], [0.9])
    ask(decoder, ClickRequest(1, Prompt([(80, 48)])), passes=2)
    (first,), (second,) = decoder.asked
    assert first.box is first.mask_input is None
    assert second.box == pytest.approx([59.5, 27.5, 100.5, 68.5])
    assert (second.mask_input > 0).sum() == (BALL > 0).sum()


def test_a_click_means_one_connected_thing():
    left, right = disc((40, 48), 15), disc((120, 48), 15)
    decoder = FixedDecoder([np.maximum(left, right)], [0.9])
    assert (answered(decoder, Prompt([(40, 48)])) == (left > INSIDE)).all()
    assert (answered(decoder, Prompt([(40, 48), (120, 48)])) == (np.maximum(left, right) > INSIDE)).all()
    assert (answered(decoder, Prompt(box=(20, 30, 140, 66))) > 0).sum() > (left > INSIDE).sum(), "a box may hold pieces"


def test_a_correction_takes_over_only_the_piece_that_was_clicked():
    left, right = disc((40, 48), 15), disc((120, 48), 15)
    decoder = FixedDecoder([np.maximum(left, right)], [0.9])
    grown = answered(decoder, Prompt([(80, 48), (40, 48)]), base=PART, fresh=1)
    assert (grown == ((PART > INSIDE) | (left > INSIDE))).all()
    shrunk = answered(FixedDecoder([left], [0.9]), Prompt([(120, 48)], [0]), base=np.maximum(left, right), fresh=1)
    assert (shrunk == (left > INSIDE)).all()


def test_a_click_that_says_what_is_so_anyhow_changes_nothing():
    decoder = FixedDecoder([WHOLE], [0.9])
    assert (answered(decoder, Prompt([(80, 48)]), base=BALL, fresh=1) == (BALL > INSIDE)).all()
    assert (answered(decoder, Prompt([(5, 5)], [0]), base=BALL, fresh=1) == (BALL > INSIDE)).all()
    assert decoder.asked == []


def test_clicks_that_have_been_answered_are_not_asked_about_again():
    decoder = FixedDecoder([WHOLE], [0.9])
    answered(decoder, Prompt([(5, 5), (150, 90)], [1, 1]), base=BALL, fresh=1)
    assert len(decoder.asked) == 1
    assert len(decoder.asked[0][0].point_coords) == 2


clicks = st.lists(
    st.tuples(st.integers(0, SIZE[0] - 1), st.integers(0, SIZE[1] - 1), st.booleans()), min_size=1, max_size=4
)


@settings(max_examples=50, deadline=None)
@given(clicks, st.sampled_from([PART, BALL, WHOLE]), st.sampled_from([None, PART, BALL, WHOLE]))
def test_what_was_clicked_last_is_always_as_it_was_meant(said, seen, base):
    coords, labels = [(x, y) for x, y, _ in said], [int(wanted) for *_, wanted in said]
    mask = answered(FixedDecoder([seen], [0.9]), Prompt(coords, labels), base=base, fresh=len(said))
    x, y, wanted = said[-1]
    assert mask[y, x] == wanted


def test_masks_live_on_the_grid_and_clicks_on_the_frame():
    grid = Grid((320, 192), SIZE)
    (one,) = ask(FixedDecoder([BALL], [0.9]), ClickRequest(1, Prompt([(160, 96), (10, 10)])), grid=grid)
    assert one.soft_mask.shape == (96, 160)
    assert one.soft_mask[5, 5] > INSIDE
