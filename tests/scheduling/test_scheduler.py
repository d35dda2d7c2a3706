"""Which stages start on a frame: a pure function."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.data.reason import Reason
from streamer.scheduling.scheduler import Moment, foresee, plan
from streamer.stages.protocol import due_at_interval


class Every:
    """A stage that is due at an interval, or when a person wants it."""

    immediate, image_call = False, None

    def __init__(self, name, interval, wanted=None):
        self.name, self._interval, self.wanted = name, interval, wanted

    def due(self, situation):
        wanted = None if situation.calm else self.wanted
        return wanted or due_at_interval(situation, self._interval)


def pair(masks, depth, wanted=None):
    return [Every("masks", masks, wanted), Every("depth", depth)]


READY = frozenset({"masks", "depth", "third"})
CALM = Moment(index=10, last={"masks": 5, "depth": 8}, ready=READY)


def test_nothing_to_do_between_intervals():
    assert plan(pair(10, 5), CALM) == {}


def test_everything_runs_on_the_first_frame():
    assert plan(pair(10, 5), Moment(0, ready=READY)) == {"masks": Reason.FIRST, "depth": Reason.FIRST}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"index": 15}, {"masks": "interval", "depth": "interval"}),
        ({"index": 13}, {"depth": "interval"}),
        ({"scene_cut": True}, {"masks": "scene cut", "depth": "scene cut"}),
        ({"held": True}, {"masks": "held", "depth": "held"}),
        ({"held": True, "last": {"masks": 10, "depth": 8}}, {"depth": "held"}),
        ({"index": 15, "ready": frozenset({"depth"})}, {"depth": "interval"}),
        ({"index": 13, "ready": frozenset({"masks"})}, {}),
    ],
)
def test_whatever_is_due_and_can_start_is_planned_with_its_reason(change, expected):
    assert plan(pair(10, 5), replace(CALM, **change)) == expected


def test_a_stage_that_is_left_out_is_never_planned():
    busy = replace(CALM, index=100, scene_cut=True)
    assert set(plan(pair(10, 5, Reason.PROMPT)[:1], busy)) == {"masks"}
    assert set(plan(pair(10, 5)[1:], busy)) == {"depth"}
    assert plan([], busy) == {}


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 200))
def test_intervals_are_kept_over_a_run(keyframe_interval, depth_interval, frames):
    now, ran = Moment(0, ready=READY), {"masks": [], "depth": []}
    for index in range(frames):
        now = replace(now, index=index)
        for name in plan(pair(keyframe_interval, depth_interval), now):
            ran[name].append(index)
            now = replace(now, last={**now.last, name: index})
    assert ran["masks"] == list(range(0, frames, keyframe_interval))
    assert ran["depth"] == list(range(0, frames, depth_interval))


@pytest.mark.parametrize("wanted", [None, Reason.PROMPT])
def test_where_models_take_turns_nobody_is_forgotten_however_much_a_person_wants(wanted):
    now, order = Moment(0, ready=READY, in_turns=frozenset({"masks", "depth"})), []
    for index in range(0, 300, 30):
        now = replace(now, index=index)
        (name,) = plan(pair(10, 10, wanted), now)
        order.append(name)
        now = replace(now, last={**now.last, name: index})
    assert order == ["masks", "depth"] * 5


@given(st.permutations(["masks", "depth", "third"]), st.integers(1, 10))
def test_any_number_of_stages_take_turns_fairly(names, rounds):
    stages = [Every(name, 1, Reason.PROMPT if name == names[0] else None) for name in names]
    now, order = Moment(0, ready=READY, in_turns=READY), []
    for index in range(3 * rounds):
        now = replace(now, index=index)
        (name,) = plan(stages, now)
        order.append(name)
        now = replace(now, last={**now.last, name: index})
    assert order == names * rounds
    assert set(Counter(order).values()) == {rounds}


def test_who_takes_no_turns_starts_beside_those_who_do():
    stages = [*pair(1, 1), Every("third", 1)]
    planned = plan(stages, Moment(0, ready=READY, in_turns=frozenset({"masks", "depth"})))
    assert set(planned) == {"masks", "third"}


@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(0, 12),
    st.integers(0, 12),
    st.sampled_from([None, Reason.PROMPT]),
    st.booleans(),
    st.integers(1, 40),
)
def test_what_is_foreseen_is_what_comes_on_calm_frames(keyframes, depths, since_key, since_depth, wanted, held, count):
    now = Moment(20, {"masks": 20 - since_key, "depth": 20 - since_depth}, READY)
    excited = replace(now, scene_cut=True, held=held)
    foreseen = list(foresee(pair(keyframes, depths, wanted), excited, range(21, 21 + count)))
    assert len(foreseen) == count
    for index, expected in enumerate(foreseen, start=21):
        now = replace(now, index=index)
        planned = plan(pair(keyframes, depths), now)
        assert planned == expected
        now = replace(now, last={**now.last, **dict.fromkeys(planned, index)})
