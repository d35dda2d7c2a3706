from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.scheduling.scheduler import Plan, Scheduler, Situation

CALM = Situation(index=10, keyframe_index=5, depth_index=8, objects=1)


def test_nothing_to_do_between_intervals():
    assert Scheduler(10, 5).plan(CALM) == Plan()


def test_first_frame_runs_depth_and_looks_when_there_is_something_to_look_for():
    assert Scheduler().plan(Situation(index=0, objects=1)) == Plan("first", "first")
    assert Scheduler().plan(Situation(index=0)) == Plan(None, "first")
    assert Scheduler().plan(Situation(index=0, wanted="discover")).keyframe == "discover"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"index": 15}, "interval"),
        ({"wanted": "prompt"}, "prompt"),
        ({"trouble": "points lost"}, "points lost"),
        ({"scene_cut": True}, "scene cut"),
        ({"index": 7, "trouble": "points lost"}, None),
        ({"index": 15, "objects": 0}, None),
        ({"index": 15, "keyframe_ready": False}, None),
        ({"wanted": "prompt", "keyframe_ready": False}, None),
    ],
)
def test_keyframe_reasons(change, reason):
    assert Scheduler(10, 5, min_keyframe_gap=3).plan(replace(CALM, **change)).keyframe == reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"index": 13}, "interval"), ({"scene_cut": True}, "scene cut"), ({"index": 13, "depth_ready": False}, None)],
)
def test_depth_reasons(change, reason):
    assert Scheduler(10, 5).plan(replace(CALM, **change)).depth == reason


def test_a_half_that_is_left_out_is_never_planned():
    busy = Situation(index=100, objects=3, wanted="prompt", scene_cut=True)
    assert Scheduler(keyframe_interval=None).plan(busy).keyframe is None
    assert Scheduler(depth_interval=None).plan(busy).depth is None


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 200))
def test_intervals_are_kept_over_a_run(keyframe_interval, depth_interval, frames):
    scheduler, situation = Scheduler(keyframe_interval, depth_interval), Situation(index=0, objects=1)
    keyframes, depths = [], []
    for index in range(frames):
        plan = scheduler.plan(replace(situation, index=index))
        if plan.keyframe:
            keyframes.append(index)
            situation = replace(situation, keyframe_index=index)
        if plan.depth:
            depths.append(index)
            situation = replace(situation, depth_index=index)
    assert keyframes == list(range(0, frames, keyframe_interval))
    assert depths == list(range(0, frames, depth_interval))


@pytest.mark.parametrize("wanted", [None, "prompt"])
def test_where_models_take_turns_nobody_is_forgotten_however_much_a_person_wants(wanted):
    scheduler, situation = Scheduler(10, 10), Situation(index=0, objects=1, in_turns=True)
    order = []
    for index in range(0, 300, 30):
        plan = scheduler.plan(replace(situation, index=index, wanted=wanted))
        assert (plan.keyframe is None) != (plan.depth is None)
        order.append("keyframe" if plan.keyframe else "depth")
        last = {"keyframe_index": index} if plan.keyframe else {"depth_index": index}
        situation = replace(situation, **last)
    assert order == ["keyframe", "depth"] * 5


@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(0, 12),
    st.integers(0, 12),
    st.integers(0, 2),
    st.sampled_from([None, "prompt"]),
    st.integers(1, 40),
)
def test_what_is_foreseen_is_what_comes_on_calm_frames(
    keyframes, depths, since_key, since_depth, objects, wanted, count
):
    scheduler = Scheduler(keyframes, depths)
    now = Situation(20, 20 - since_key, 20 - since_depth, objects=objects)
    foreseen = list(
        scheduler.foresee(replace(now, wanted=wanted, trouble="lost", scene_cut=True), range(21, 21 + count))
    )
    assert len(foreseen) == count
    for index, expected in enumerate(foreseen, start=21):
        plan = scheduler.plan(replace(now, index=index))
        assert plan == expected
        key, depth = plan.keyframe is not None, plan.depth is not None
        now = replace(
            now, keyframe_index=index if key else now.keyframe_index, depth_index=index if depth else now.depth_index
        )
