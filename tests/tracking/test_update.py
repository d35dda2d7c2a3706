"""What becomes of an object once SAM has answered."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.data.track import State
from streamer.tracking.appearance import Appearance
from streamer.tracking.distractors import Distractors
from streamer.tracking.parameters import RedetectionParameters, UpdateThresholds
from streamer.tracking.propagation import Propagation
from streamer.tracking.redetection import places_of
from streamer.tracking.track_state import TrackState
from streamer.tracking.update import Action, Evidence, Updater, decide, learn_background, sight_of, weight_of
from tests.tracking.fakes import BALL, NOWHERE, candidate, disc, features_of, gallery_of

UPDATE, REDETECTION = UpdateThresholds(), RedetectionParameters()
FOLLOWED = (Action.KEEP, Action.ACCEPT, Action.BLEND, Action.REJECT)


def updater(redetection=REDETECTION):
    return Updater(Propagation(True), UPDATE, redetection)


def gather(state, candidate, others=(), redetection=REDETECTION):
    return updater(redetection).gather(state, candidate, SimpleNamespace(index=0, age=0), [state, *others])


def state_of(gallery=(), **more):
    state = TrackState(1, gallery=gallery, **more)
    state.state = more.get("state", State.TRACKED)
    return state


def action(evidence, update=UPDATE):
    return decide(evidence, update, REDETECTION).action


@pytest.mark.parametrize(
    ("given", "carried_score", "expected"),
    [
        ({"predicted_iou": 0.9}, 0.4, Action.ACCEPT),
        ({"predicted_iou": 0.7}, 0.7, Action.BLEND),
        ({"predicted_iou": 0.3}, 0.9, Action.REJECT),
        ({"predicted_iou": 0.7, "agreement": 0.1}, 0.7, Action.REJECT),
        ({"predicted_iou": 0.9, "agreement": 0.1}, 0.4, Action.REJECT),
        ({"predicted_iou": 0.1, "agreement": 0.0, "from_user": True}, 0.9, Action.ACCEPT),
        ({"soft_mask": np.zeros_like(BALL), "predicted_iou": 0.9}, 0.1, Action.REJECT),
    ],
)
def test_the_better_of_candidate_and_carried_mask_is_believed(given, carried_score, expected):
    evidence = gather(state_of(score=carried_score), candidate(**given))
    assert action(evidence, UpdateThresholds(accept=0.85, reject=0.1)) is expected


@pytest.mark.parametrize(
    ("predicted_iou", "expected"), [(0.7, Action.ACCEPT), (0.6, Action.BLEND), (0.4, Action.REJECT)]
)
def test_by_default_only_a_candidate_that_is_clearly_worse_does_not_replace_what_was_carried(predicted_iou, expected):
    assert action(gather(state_of(score=0.9), candidate(predicted_iou=predicted_iou))) is expected


def test_a_candidate_of_another_size_is_believed_less():
    state = state_of(score=0.7)
    same, twice = (gather(state, candidate(disc((80, 48), radius))) for radius in (20, 28))
    assert weight_of(twice, UPDATE) < 0.6 * weight_of(same, UPDATE)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 3))
def test_the_weight_grows_with_the_predicted_iou_and_falls_with_what_was_carried(low, high, carried, octaves):
    low, high = sorted((low, high))

    def weight(predicted_iou, carried_score):
        evidence = Evidence(agreement=0.5, octaves=octaves, predicted_iou=predicted_iou, carried_score=carried_score)
        return weight_of(evidence, UPDATE)

    assert 0 <= weight(low, carried) <= weight(high, carried) <= 1
    assert weight(carried, high) <= weight(carried, low)


evidences = st.builds(
    Evidence,
    is_lost=st.booleans(),
    is_sought=st.booleans(),
    is_exact_here=st.booleans(),
    is_empty=st.booleans(),
    predicted_iou=st.floats(0, 1),
    agreement=st.none() | st.floats(0, 1),
    octaves=st.floats(0, 5),
    carried_score=st.floats(0, 1),
    area_share=st.floats(0, 10),
    taken_share=st.floats(0, 1),
    is_well_known=st.booleans(),
    own_similarity=st.floats(-1, 1),
    first_similarity=st.floats(-1, 1),
    stranger_similarity=st.none() | st.floats(-1, 1),
    distractor_similarity=st.floats(-1, 1),
    redetection=st.floats(0, 1),
)


@given(evidences)
def test_what_is_outdated_is_ignored_and_what_a_person_asked_for_is_never_looked_for(evidence):
    assert action(replace(evidence, is_outdated=True)) is Action.IGNORE
    asked = action(replace(evidence, from_user=True))
    assert asked in FOLLOWED
    if not evidence.is_empty and not evidence.is_exact_here:
        assert asked is Action.ACCEPT


@given(evidences)
def test_a_lost_object_is_back_or_not_and_one_that_is_where_it_should_be_is_followed(evidence):
    assert (action(replace(evidence, is_lost=True)) in FOLLOWED) is False
    assert action(replace(evidence, is_lost=False, is_sought=False)) in FOLLOWED
    assert 0 <= sight_of(evidence, REDETECTION) < 1


def test_an_object_is_known_again_where_it_is_and_nothing_else_is():
    gallery = gallery_of(features_of((40, 48)), (40, 48))
    elsewhere = features_of((120, 40))
    ((column, row),) = places_of(elsewhere, gallery, Distractors((), NOWHERE), 1)
    assert (column * 8, row * 8) == pytest.approx((120, 40), abs=12)
    state = state_of(gallery, largest_area=int((disc((40, 48), 20) > 0).sum()), state=State.LOST)

    def is_it(at, radius=20, distractors=(), taken=NOWHERE, appearance=None):
        soft_mask = disc(at, radius)
        seen = elsewhere.appearance(soft_mask) if appearance is None else appearance
        more = {"gallery": gallery, "distractors": Distractors(distractors, taken), "is_sought": True}
        return sight_of(gather(state, candidate(soft_mask, appearance=seen, **more)), REDETECTION)

    assert is_it((120, 40))
    assert not is_it((40, 48))
    appearance = elsewhere.appearance(disc((120, 40), 20))
    assert not is_it((120, 40), radius=3, appearance=appearance)
    assert not is_it((120, 40), distractors=(appearance,))


def test_a_lost_object_may_be_where_another_is_thought_to_be_only_if_it_looks_much_less_like_that_one():
    image, taken = features_of((120, 40)), disc((121, 40), 20) > 0
    gallery, soft_mask = gallery_of(image, (120, 40)), disc((120, 40), 20)
    state = state_of(gallery, largest_area=int((soft_mask > 0).sum()), state=State.LOST)
    unlike = gallery_of(features_of((120, 40), color=(20, 220, 40)), (120, 40))
    little_less = tuple(Appearance(known.features, known.colors * np.float32(0.9)) for known in gallery)
    for distractors, back in ((unlike, True), (little_less, False)):
        more = {"gallery": gallery, "distractors": Distractors(distractors, taken), "is_sought": True}
        given = candidate(soft_mask, appearance=image.appearance(soft_mask), **more)
        assert bool(sight_of(gather(state, given), REDETECTION)) is back


def test_the_less_alike_the_oftener_a_lost_object_has_to_be_seen():
    image, soft_mask = features_of((120, 40)), disc((120, 40), 20)
    appearance, gallery = image.appearance(soft_mask), gallery_of(image, (120, 40))
    parameters = RedetectionParameters(similarity=0.8, min_similarity=0.6, confirmations=2)
    state = state_of(gallery, largest_area=int((soft_mask > 0).sum()), state=State.LOST)

    def sight(shared):
        seen = Appearance(appearance.features, appearance.colors * np.float32(shared))
        more = {"gallery": gallery, "distractors": Distractors((), NOWHERE), "is_sought": True}
        return sight_of(gather(state, candidate(soft_mask, appearance=seen, **more)), parameters)

    assert sight(1.0) == 3 / 4
    assert sight(0.6) == pytest.approx(1 / 2, abs=0.02)
    assert sight(0.4) == pytest.approx(1 / 4, abs=0.02)
    assert sight(0.1) == 0


def test_a_candidate_for_what_may_be_elsewhere_is_followed_if_it_lies_where_it_should_and_looks_as_it_did():
    image, soft_mask = features_of((120, 40)), disc((120, 40), 20)
    gallery, others = gallery_of(image, (120, 40)), Distractors((), NOWHERE)
    alike, unlike = image.appearance(soft_mask), image.appearance(disc((40, 48), 20))
    sought = {"gallery": gallery, "distractors": others, "is_sought": True}

    def is_followed(state=State.TRACKED, **more):
        return action(gather(state_of(gallery, state=state), candidate(soft_mask, **more))) in FOLLOWED

    assert is_followed(appearance=alike, **sought)
    assert not is_followed(appearance=unlike, **sought)
    assert not is_followed(agreement=0.0, appearance=alike, **sought)
    assert is_followed(appearance=unlike, gallery=gallery), "nobody doubted where it is"
    assert not is_followed(State.LOST, appearance=alike, **sought)
    assert is_followed(State.LOST, appearance=unlike, from_user=True)


def test_a_candidate_that_shows_another_object_is_a_mistake_unless_a_person_asked_for_it():
    own, other = (Appearance(row, row) for row in np.eye(2, dtype=np.float32))
    between = Appearance((own.features + other.features) / np.sqrt(2), (own.colors + other.colors) / 2)

    def is_mistake(appearance, gallery=(own,), strangers=(other,), **more):
        others = [TrackState(2, gallery=strangers)]
        evidence = gather(state_of(gallery, score=0.1), candidate(appearance=appearance, **more), others)
        decision = decide(evidence, UpdateThresholds(lost_after=9), REDETECTION)
        return decision.action is Action.REJECT and decision.lost_after == REDETECTION.confirmations

    assert is_mistake(other)
    assert is_mistake(other, gallery=(own, other)), "what was learnt since counts for nothing"
    assert not is_mistake(own)
    assert not is_mistake(between)
    assert not is_mistake(other, from_user=True)
    assert not is_mistake(other, strangers=())
    assert not is_mistake(None)


def test_what_looks_like_an_object_while_that_is_followed_is_remembered_unless_it_may_be_the_object():
    red, green = (Appearance(row, row) for row in np.eye(2, dtype=np.float32))

    def background_after(appearance, background):
        state = state_of((red,), background=0.2)
        given = replace(candidate(appearance=appearance), background=background)
        learn_background(state, given)
        return state.background

    assert background_after(red, 0.7) == 0.7
    assert background_after(red, 0.1) == 0.2
    assert background_after(green, 0.7) == 0.2, "it is rather that one"
