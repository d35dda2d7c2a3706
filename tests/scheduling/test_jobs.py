"""Jobs under way: which of their answers are still wanted, and about which frame."""

import numpy as np
import pytest

from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters
from streamer.scheduling.jobs import Pending
from streamer.stages.protocol import Job
from tests.pipelines import Gate


@pytest.fixture
def anchor():
    motion = Motion(FlowParameters(max_side_px=64))
    motion.advance(7, np.zeros((48, 64, 3), np.uint8))
    return motion.open()


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def pending(gate):
    return Pending(gate)


def test_an_answer_comes_with_the_frame_that_it_is_about_and_once(pending, gate, anchor):
    pending.start("depth", Job(lambda: "a map", anchor))
    assert (len(pending), list(pending.finished())) == (1, [])
    gate.release("depth")
    ((done, about),) = pending.finished()
    assert (done.lane, done.value, about) == ("depth", "a map", anchor)
    assert (len(pending), list(pending.finished())) == (0, [])


def test_answers_about_the_scene_before_are_thrown_away(pending, gate, anchor):
    pending.start("depth", Job(lambda: "old", anchor))
    pending.start_scene()
    pending.start("masks", Job(lambda: "new", anchor))
    gate.release("depth")
    gate.release("masks")
    assert [done.value for done, _ in pending.finished()] == ["new"]
    assert len(pending) == 0


def test_a_job_that_a_newer_one_replaced_is_forgotten(pending, gate, anchor):
    pending.start("depth", Job(lambda: "old", anchor))
    pending.start("depth", Job(lambda: "new", anchor))
    assert len(pending) == 1
    gate.release("depth")
    assert [done.value for done, _ in pending.finished()] == ["new"]


@pytest.mark.parametrize("scene_cut", [False, True])
def test_what_a_model_raised_is_raised_even_where_nobody_wants_its_answer(pending, gate, anchor, scene_cut):
    pending.start("depth", Job(lambda: 1 / 0, anchor))
    if scene_cut:
        pending.start_scene()
    gate.release("depth")
    with pytest.raises(ZeroDivisionError):
        list(pending.finished())


def test_once_cleared_nothing_is_wanted(pending, gate, anchor):
    pending.start("depth", Job(lambda: "a map", anchor))
    pending.clear()
    gate.release("depth")
    assert list(pending.finished()) == []
