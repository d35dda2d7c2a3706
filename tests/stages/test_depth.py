"""Runs of a depth model, and its map in between."""

import numpy as np
import pytest

from streamer.data.reason import Reason
from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters
from streamer.stages.depth import DepthStage
from streamer.stages.parameters import ScheduleParameters
from streamer.stages.protocol import Situation
from tests.fake_models import RedDepth
from tests.pipelines import frame


@pytest.fixture
def motion():
    return Motion(FlowParameters(max_side_px=320))


@pytest.fixture
def stage():
    return DepthStage(RedDepth().estimate, ScheduleParameters(depth_interval=4))


def advance(motion, index):
    motion.advance(index, frame(index).image_rgb)
    return frame(index)


def test_before_the_first_map_it_knows_nothing(stage, motion):
    advance(motion, 0)
    part = stage.at(motion)
    assert (part.age, part.depth, stage.on_grid(motion)) == (None, None, None)


def test_it_is_due_at_its_own_interval(stage):
    assert [stage.due(Situation(index, 0)) for index in range(1, 5)] == [None, None, None, Reason.INTERVAL]


def test_a_late_map_is_carried_and_takes_the_scale_of_what_was_known_when_it_was_asked_for(stage, motion):
    first = stage.job(advance(motion, 0), motion)
    stage.adopt(first.call(), first.anchor)
    before = stage.at(motion).depth
    late = stage.job(advance(motion, 1), motion)
    advance(motion, 2)
    assert stage.at(motion).age == 2
    stage.adopt(late.call(), late.anchor)
    part = stage.at(motion)
    assert part.age == 1
    assert part.depth.range == pytest.approx(before.range, rel=0.02)
    assert np.median(np.abs(part.depth.inverse_depth - before.inverse_depth)) < 1


def test_a_new_scene_starts_from_nothing(stage, motion):
    job = stage.job(advance(motion, 0), motion)
    stage.adopt(job.call(), job.anchor)
    stage.start_scene()
    assert stage.at(motion).depth is None
