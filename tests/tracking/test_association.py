"""Which detection is of which track."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.data.detection import Detection
from streamer.data.track import State, Track
from streamer.tracking.association import MIN_IOU, associate, overlap

LABELS = ("dog", "cat")
MASK = np.zeros((1, 1), bool)


@st.composite
def boxes(draw):
    x, y = draw(st.integers(0, 90)), draw(st.integers(0, 90))
    return float(x), float(y), float(x + draw(st.integers(1, 60))), float(y + draw(st.integers(1, 60)))


def track(object_id, box, label="dog", state=State.TRACKED):
    return Track(object_id, MASK, box, 0.9, state, label=label)


detections = st.lists(st.builds(Detection, st.sampled_from(LABELS), st.floats(0, 1), boxes()), max_size=8)
tracks = st.lists(st.tuples(boxes(), st.sampled_from((*LABELS, None)), st.sampled_from(list(State))), max_size=8).map(
    lambda all_of: [track(place + 1, *one) for place, one in enumerate(all_of)]
)


@given(detections, tracks)
def test_every_track_that_was_looked_for_is_borne_out_or_denied_and_lost_ones_are_neither(found, followed):
    result = associate(found, followed)
    asked = {one.id for one in followed if one.label is not None and one.state is not State.LOST}
    assert set(result.confirmed) | set(result.denied) == asked
    assert not set(result.confirmed) & set(result.denied)


@given(detections, tracks)
def test_what_bears_out_a_track_has_its_label_overlaps_it_and_bears_out_no_other(found, followed):
    result = associate(found, followed)
    by_id = {one.id: one for one in followed}
    assert len(set(result.confirmed.values())) == len(result.confirmed)
    for object_id, place in result.confirmed.items():
        assert found[place].label == by_id[object_id].label
        assert overlap(found[place].box_xyxy, by_id[object_id].box_xyxy) >= MIN_IOU


@given(detections, tracks)
def test_what_is_new_overlaps_no_track_of_its_label_and_nothing_else_that_is_new(found, followed):
    result = associate(found, followed)
    assert not set(result.new) & set(result.confirmed.values())
    for place in result.new:
        for one in followed:
            if one.label == found[place].label and one.state is not State.LOST:
                assert overlap(found[place].box_xyxy, one.box_xyxy) == 0
        for other in set(result.new) - {place}:
            same = found[other].label == found[place].label
            assert not (same and overlap(found[place].box_xyxy, found[other].box_xyxy))


@given(detections, tracks, st.randoms())
def test_the_order_of_the_tracks_does_not_matter(found, followed, random):
    shuffled = random.sample(followed, len(followed))
    assert associate(found, followed).confirmed == associate(found, shuffled).confirmed


@given(boxes(), boxes())
def test_overlap_is_symmetric_and_whole_for_the_same_box(one, other):
    assert overlap(one, other) == overlap(other, one)
    assert overlap(one, one) == 1.0


def test_a_detection_goes_to_the_track_that_it_overlaps_most_and_a_second_one_of_it_is_dropped():
    found = [Detection("dog", 0.9, (0, 0, 10, 10)), Detection("dog", 0.8, (1, 0, 11, 10))]
    result = associate(found, [track(1, (2, 0, 12, 10)), track(2, (100, 0, 110, 10))])
    assert dict(result.confirmed) == {1: 1}
    assert (result.new, result.denied) == ((), (2,))


def test_a_part_of_a_followed_thing_bears_it_out():
    result = associate([Detection("dog", 0.9, (4, 4, 8, 8))], [track(1, (0, 0, 40, 40))])
    assert dict(result.confirmed) == {1: 0}


def test_one_thing_that_is_called_two_names_is_one_and_what_is_followed_already_is_not_new():
    box, almost, part = (10.0, 10.0, 60.0, 60.0), (10.0, 12.0, 60.0, 60.0), (10.0, 10.0, 60.0, 30.0)
    found = [Detection("dog", 0.9, box), Detection("cat", 0.8, almost), Detection("cat", 0.7, part)]
    assert associate(found, []).new == (0, 2)
    nameless = track(1, almost, label=None)
    assert associate(found, [], [nameless]).new == (2,)
    assert associate(found, [], [nameless]).named == {1: 1}
    assert associate(found, [], [track(1, (0.0, 10.0, 50.0, 60.0), label=None)]).named == {1: 0}
    assert associate(found, [], [track(1, (0.0, 0.0, 20.0, 20.0), label=None)]).named == {}
    assert associate(found, [], [track(1, almost, label=None, state=State.LOST)]).new == (0, 2)
