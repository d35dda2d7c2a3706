from types import SimpleNamespace

import numpy as np
import pytest

from streamer.data.prompt import Prompt
from streamer.data.track import State
from streamer.tracking.flow_tracker import ask
from streamer.tracking.glimpsing import glimpsed, guess, mimicked, refuted, sought_by
from streamer.tracking.judging import Beliefs
from streamer.tracking.objects import Object
from streamer.tracking.recognition import Look, most_alike
from streamer.tracking.refine import bins_of, frequencies
from tests.tracking.test_flow_tracker import BALL, Stage

RED, GREEN, GRID = (200, 30, 30), (20, 220, 40), (96, 160)
NOWHERE = np.zeros(GRID, bool)


def frame(*things):
    """The color bins of a gray frame at half the grid, with colored rectangles of 20x16 pixels at (column, row)."""
    picture = np.random.default_rng(0).integers(60, 110, (48, 80, 3), dtype=np.uint8)
    for (column, row), color in things:
        picture[row : row + 16, column : column + 20] = color
    return bins_of(picture)


def look(color):
    return Look(np.zeros(4, np.float32), frequencies(bins_of(np.full((8, 8, 3), color, np.uint8)).ravel()))


def lost(**more):
    return Object(1, bank=(look(RED),), state=State.LOST, largest=4 * 320, **more)


def place_of(soft):
    rows, columns = np.nonzero(soft > 127)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_what_has_the_colors_and_the_size_of_an_object_is_most_like_it():
    bins = frame(((10, 10), RED), ((50, 20), GREEN))
    soft, likeness = most_alike(bins, (look(RED),), (), NOWHERE, 4 * 320)
    assert place_of(soft) == pytest.approx((20, 20, 60, 52), abs=3)
    assert likeness > 0.9
    assert most_alike(bins, (look(RED),), (), NOWHERE, 40 * 320) is None, "far too small"
    assert most_alike(bins, (look(RED),), (), NOWHERE, 100) is None, "far too large"
    assert most_alike(bins, (look(RED),), (look(RED),), NOWHERE, 4 * 320) is None, "another object looks the same"
    taken = NOWHERE.copy()
    taken[:, :80] = True
    assert most_alike(bins, (look(RED),), (), taken, 4 * 320) is None, "another object is there"


def test_a_lost_object_is_glimpsed_when_it_is_there_in_two_looks():
    item, bins = lost(), frame(((10, 10), RED))
    assert glimpsed(item, item.bank, bins, (), NOWHERE) is None
    assert glimpsed(item, item.bank, frame(((50, 30), RED)), (), NOWHERE) is None, "that is another place"
    seen = glimpsed(item, item.bank, frame(((52, 30), RED)), (), NOWHERE)
    assert seen is not None
    guess(item, seen, SimpleNamespace(index=7))
    assert (item.state, item.seen_index) == (State.UNCERTAIN, 7)
    assert 0 < item.score < Beliefs().adrift


def test_what_was_refuted_once_is_not_guessed_again():
    item, bins = lost(), frame(((10, 10), RED))
    glimpsed(item, item.bank, bins, (), NOWHERE)
    guess(item, glimpsed(item, item.bank, bins, (), NOWHERE), SimpleNamespace(index=2))
    refuted(item)
    item.forget_mask()
    item.state = State.LOST
    assert [glimpsed(item, item.bank, bins, (), NOWHERE) for _ in range(4)] == [None] * 4


def test_what_is_somewhere_must_be_better_seen_than_it_is_there():
    bins, half = frame(((10, 10), RED)), np.zeros(GRID, np.uint8)
    half[20:52, 20:60] = 255
    item = lost(shown=half.copy(), guess=0.7)
    assert glimpsed(item, item.bank, bins, (), NOWHERE) is None, "nothing to be gained"
    item.shown[20:90, 20:150] = 255
    assert place_of(glimpsed(item, item.bank, bins, (), NOWHERE).soft) == pytest.approx((20, 20, 60, 52), abs=3)


def test_a_followed_object_is_guessed_elsewhere_if_twice_it_is_seen_much_better_there():
    bins, elsewhere = frame(((10, 10), RED)), np.zeros(GRID, np.uint8)
    elsewhere[20:90, 100:150] = 255
    item = lost(shown=elsewhere, score=0.8, origin=(mine := object()))
    item.bank = (look(RED), look(GREEN))
    assert glimpsed(item, item.bank[:1], bins, (), NOWHERE) is None
    seen = glimpsed(item, item.bank[:1], bins, (), NOWHERE)
    assert place_of(seen.soft) == pytest.approx((20, 20, 60, 52), abs=3)
    guess(item, seen, SimpleNamespace(index=4))
    assert item.soft is seen.soft
    assert item.bank == (item.bank[0],), "what was learnt meanwhile was something else"
    assert item.colors is mine
    assert 0 < item.score < Beliefs().adrift


def test_a_followed_object_is_not_guessed_where_it_looks_hardly_better():
    bins, elsewhere = frame(((10, 10), RED), ((50, 20), RED)), np.zeros(GRID, np.uint8)
    elsewhere[40:72, 100:140] = 255
    item = lost(shown=elsewhere, score=0.8)
    assert [glimpsed(item, item.bank, bins, (), elsewhere > 0) for _ in range(4)] == [None] * 4


def test_only_what_is_astray_is_looked_for():
    beliefs, bins = Beliefs(), frame(((10, 10), RED))
    here, elsewhere = np.zeros(GRID, np.uint8), np.zeros(GRID, np.uint8)
    here[20:52, 20:60] = elsewhere[20:90, 100:150] = 255
    looks = (look(RED), look(GREEN))
    followed = {"bank": looks, "state": State.TRACKED}
    assert sought_by(lost(), bins, beliefs)
    assert not sought_by(lost(evidence=0.5), bins, beliefs), "a keyframe knows more"
    assert not sought_by(Object(1, state=State.LOST), bins, beliefs), "nobody knows what it looks like"
    assert not sought_by(Object(1, shown=here, score=0.9, **followed), bins, beliefs)
    assert sought_by(Object(1, shown=here, score=0.3, **followed), bins, beliefs) == looks
    unlike = Object(1, shown=elsewhere, score=0.9, **followed)
    assert sought_by(unlike, bins, beliefs) == looks[:1], "it has not the colors that it had"


def test_what_looks_like_an_object_while_that_is_followed_is_remembered_unless_it_may_be_the_object():
    item, answer = lost(mimic=0.2), SimpleNamespace(look=look(RED), mimic=0.7)
    assert mimicked(item, answer) == 0.7
    answer.mimic = 0.1
    assert mimicked(item, answer) == 0.2
    assert mimicked(item, SimpleNamespace(look=look(GREEN), mimic=0.7)) == 0.2, "it is rather that one"


def lost_ball(**settings):
    stage = Stage(**settings)
    stage.tracker.add(BALL, stage.motion)
    stage.keyframe()
    stage.tracker.forget_masks()
    return stage


def test_a_lost_object_is_shown_as_uncertain_before_any_keyframe_and_tracked_after_it():
    stage = lost_ball()
    stage.step(5)
    assert stage.state(1) is State.UNCERTAIN
    assert stage.iou(1) > 0.7
    stage.keyframe()
    assert stage.state(1) is State.TRACKED
    assert stage.iou(1) > 0.8


def test_nothing_is_guessed_where_that_is_not_wanted():
    stage = lost_ball(glimpse=False)
    stage.step(6)
    assert stage.state(1) is State.LOST


def test_an_answer_from_before_a_glimpse_does_not_undo_it():
    stage = lost_ball()
    stage.segmenter.wrong = True
    answers, anchor = stage.ask(), stage.motion.open()
    stage.step(5)
    stage.tracker.adopt(answers, anchor)
    assert stage.state(1) is State.UNCERTAIN
    assert stage.iou(1) > 0.7


def test_a_person_who_clicks_on_a_guess_is_answered_from_the_keyframe_before_it():
    stage = lost_ball()
    anchor, embedding = stage.motion.open(), stage.segmenter.encode(stage.image)
    stage.step(5)
    assert stage.state(1) is State.UNCERTAIN
    stage.tracker.add(Prompt([(75, 80)], object_id=1), stage.motion)
    questions = stage.tracker.corrections(anchor)
    stage.tracker.adopt(ask(stage.segmenter, embedding, questions, anchor.pyramid.image_rgb, anchor.grid), anchor)
    assert stage.state(1) is State.TRACKED
    assert stage.iou(1) > 0.8
