"""Lost objects are looked for, by keyframe and by color."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from streamer.data.prompt import Prompt
from streamer.data.track import State
from streamer.tracking.appearance import Appearance, bins_of, frequencies
from streamer.tracking.distractors import Distractors
from streamer.tracking.flow_tracker import KeyframeResult
from streamer.tracking.parameters import GUESS_SCORE, RedetectionParameters, TrackingParameters
from streamer.tracking.redetection import find_by_color, gallery_to_seek, is_still_there, most_similar_spot, places_of
from streamer.tracking.track_state import TrackState
from tests.tracking.fakes import NOWHERE, Stage, disc, features_of, gallery_of

BALL = Prompt([(60, 80)], [1], object_id=1)
NO_OTHERS = Distractors((), NOWHERE)

RED, GREEN, GRID = (200, 30, 30), (20, 220, 40), (96, 160)
PARAMETERS = RedetectionParameters()


def look_for(state, gallery, bins, distractors):
    """One look of the tracker's: what is taken for the object, or nothing."""
    spot, is_it = find_by_color(state, gallery, bins, distractors)
    state.notice(None if is_it and state.present is not None and spot.streak == 1 else spot)
    return spot if is_it else None


def frame(*things):
    """The color bins of a gray frame at half the grid, with colored rectangles of 20x16 pixels at (column, row)."""
    image = np.random.default_rng(0).integers(60, 110, (48, 80, 3), dtype=np.uint8)
    for (column, row), color in things:
        image[row : row + 16, column : column + 20] = color
    return bins_of(image)


def appearance(color):
    return Appearance(np.zeros(4, np.float32), frequencies(bins_of(np.full((8, 8, 3), color, np.uint8)).ravel()))


def lost(**more):
    return TrackState(1, gallery=(appearance(RED),), state=State.LOST, largest_area=4 * 320, **more)


def place_of(soft):
    rows, columns = np.nonzero(soft > 127)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_what_has_the_colors_and_the_size_of_an_object_is_most_like_it():
    bins = frame(((10, 10), RED), ((50, 20), GREEN))
    spot = most_similar_spot(bins, (appearance(RED),), NO_OTHERS, 4 * 320)
    assert place_of(spot.soft_mask) == pytest.approx((20, 20, 60, 52), abs=3)
    assert spot.similarity > 0.9
    assert most_similar_spot(bins, (appearance(RED),), NO_OTHERS, 40 * 320) is None, "far too small"
    assert most_similar_spot(bins, (appearance(RED),), NO_OTHERS, 100) is None, "far too large"
    assert most_similar_spot(bins, (appearance(RED),), Distractors((appearance(RED),), NOWHERE), 4 * 320) is None, (
        "another object looks the same"
    )
    taken = NOWHERE.copy()
    taken[:, :80] = True
    assert most_similar_spot(bins, (appearance(RED),), Distractors((), taken), 4 * 320) is None, (
        "another object is there"
    )


def test_a_lost_object_is_guessed_when_it_is_there_in_two_looks():
    state, bins = lost(), frame(((10, 10), RED))
    assert look_for(state, state.gallery, bins, NO_OTHERS) is None
    assert look_for(state, state.gallery, frame(((50, 30), RED)), NO_OTHERS) is None, "that is another place"
    seen = look_for(state, state.gallery, frame(((52, 30), RED)), NO_OTHERS)
    assert seen is not None
    state.guess_at(seen, SimpleNamespace(index=7), GUESS_SCORE, is_elsewhere=False)
    assert (state.state, state.seen_index) == (State.UNCERTAIN, 7)
    assert 0 < state.score < PARAMETERS.min_score


def test_what_was_refuted_once_is_not_guessed_again():
    state, bins = lost(), frame(((10, 10), RED))
    look_for(state, state.gallery, bins, NO_OTHERS)
    state.guess_at(look_for(state, state.gallery, bins, NO_OTHERS), SimpleNamespace(index=2), GUESS_SCORE, False)
    state.refute_guess()
    state.lose()
    assert [look_for(state, state.gallery, bins, NO_OTHERS) for _ in range(4)] == [None] * 4


def test_what_is_somewhere_must_be_better_seen_than_it_is_there():
    bins, half = frame(((10, 10), RED)), np.zeros(GRID, np.uint8)
    half[20:52, 20:60] = 255
    state = lost(present=half.copy(), guess=0.7)
    assert look_for(state, state.gallery, bins, NO_OTHERS) is None, "nothing to be gained"
    state.present[20:90, 20:150] = 255
    assert place_of(look_for(state, state.gallery, bins, NO_OTHERS).soft_mask) == pytest.approx((20, 20, 60, 52), abs=3)


def test_a_followed_object_is_guessed_elsewhere_if_twice_it_is_seen_much_better_there():
    bins, elsewhere = frame(((10, 10), RED)), np.zeros(GRID, np.uint8)
    elsewhere[20:90, 100:150] = 255
    state = lost(present=elsewhere, score=0.8, reference_colors=(mine := object()))
    state.gallery = (appearance(RED), appearance(GREEN))
    assert look_for(state, state.gallery[:1], bins, NO_OTHERS) is None
    seen = look_for(state, state.gallery[:1], bins, NO_OTHERS)
    assert place_of(seen.soft_mask) == pytest.approx((20, 20, 60, 52), abs=3)
    state.guess_at(seen, SimpleNamespace(index=4), GUESS_SCORE, is_elsewhere=True)
    assert state.soft_mask is seen.soft_mask
    assert state.gallery == (state.gallery[0],), "what was learnt meanwhile was something else"
    assert state.colors is mine
    assert 0 < state.score < PARAMETERS.min_score


def test_a_followed_object_is_not_guessed_where_it_looks_hardly_better():
    bins, elsewhere = frame(((10, 10), RED), ((50, 20), RED)), np.zeros(GRID, np.uint8)
    elsewhere[40:72, 100:140] = 255
    state = lost(present=elsewhere, score=0.8)
    assert [look_for(state, state.gallery, bins, Distractors((), elsewhere > 0)) for _ in range(4)] == [None] * 4


def test_only_what_is_astray_is_looked_for():
    bins = frame(((10, 10), RED))
    here, elsewhere = np.zeros(GRID, np.uint8), np.zeros(GRID, np.uint8)
    here[20:52, 20:60] = elsewhere[20:90, 100:150] = 255
    looks = (appearance(RED), appearance(GREEN))
    followed = {"gallery": looks, "state": State.TRACKED}
    assert gallery_to_seek(lost(), bins, PARAMETERS)
    assert not gallery_to_seek(lost(redetection=0.5), bins, PARAMETERS), "a keyframe knows more"
    assert not gallery_to_seek(TrackState(1, state=State.LOST), bins, PARAMETERS), "nobody knows what it looks like"
    assert not gallery_to_seek(TrackState(1, present=here, score=0.9, **followed), bins, PARAMETERS)
    assert gallery_to_seek(TrackState(1, present=here, score=0.3, **followed), bins, PARAMETERS) == looks
    unlike = TrackState(1, present=elsewhere, score=0.9, **followed)
    assert gallery_to_seek(unlike, bins, PARAMETERS) == looks[:1], "it has not the colors that it had"


def lost_ball(parameters=None):
    stage = Stage(parameters)
    stage.say(BALL)
    stage.keyframe()
    stage.cut()
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
    stage = lost_ball(TrackingParameters(redetection=RedetectionParameters(by_color=False)))
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
    answer, anchor = stage.ask(), stage.motion.open()
    stage.step(5)
    stage.tracker.adopt(KeyframeResult((), embedding=answer.embedding), anchor)
    assert stage.state(1) is State.UNCERTAIN
    stage.say(Prompt([(75, 80)], object_id=1))
    call, anchor = stage.tracker.corrections()
    stage.tracker.adopt(call(), anchor)
    assert stage.state(1) is State.TRACKED
    assert stage.iou(1) > 0.8


def test_what_was_seen_of_a_lost_object_is_seen_once_more_if_it_keeps_its_colors_for_some_frames():
    image, soft, parameters = features_of((120, 40)), disc((120, 40), 20), RedetectionParameters(confirmations=2)
    state = TrackState(1, gallery=gallery_of(image, (120, 40)), redetection=0.6, seen_index=10)
    full = cv2.resize(soft, (320, 192), interpolation=cv2.INTER_NEAREST)
    state.show(full)
    gone = features_of((40, 48)).bins
    assert is_still_there(state, image.bins, 13, parameters)
    assert not is_still_there(state, image.bins, 12, parameters), "too soon to be another sight"
    assert not is_still_there(state, gone, 13, parameters), "something else is there now"
    state.show(np.zeros((192, 320), np.uint8))
    assert not is_still_there(state, image.bins, 13, parameters)
    state.show(full)
    state.redetection = 0.4
    assert not is_still_there(state, image.bins, 13, parameters), "one more sight would not be enough"


def test_a_lost_object_is_rather_looked_for_where_nothing_else_is():
    image = features_of((40, 48), (120, 40))
    gallery, taken = gallery_of(features_of((40, 48)), (40, 48)), disc((40, 48), 24) > 0
    ((column, row),) = places_of(image, gallery, Distractors((), taken), 1)
    assert (column * 8, row * 8) == pytest.approx((120, 40), abs=12)
    assert places_of(image, gallery, Distractors(gallery, taken), 1) == [(column, row)]


def test_several_places_are_separated():
    image = features_of((40, 48), (120, 40))
    places = np.array(places_of(image, gallery_of(image, (40, 48)), NO_OTHERS, 4))
    assert len(places) == 4
    distances = np.abs(places[:, None] - places[None]).max(axis=2) + 100 * np.eye(4)
    assert distances.min() > 2
    for center in ((40, 48), (120, 40)):
        assert np.abs(places[:2] * 8 - center).max(axis=1).min() < 16
