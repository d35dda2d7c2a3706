"""When the tracker looks at a keyframe, and what becomes of what it says."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from streamer.data.prompt import Prompt
from streamer.data.reason import Reason
from streamer.errors import PromptError
from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters
from streamer.pipeline import Pipeline
from streamer.scheduling.workers import InlineWorkers
from streamer.stages.masks import LOOK_AGAIN_EVERY, ClicksStage, MasksStage
from streamer.stages.parameters import ScheduleParameters
from streamer.stages.protocol import Situation
from streamer.tracking.parameters import TrackingParameters
from streamer.tracking.registry import build_tracker
from tests.fake_models import ColorSegmenter, RedDepth
from tests.pipelines import Gate, another_scene, build_pipeline, frame

SCHEDULE = ScheduleParameters(keyframe_interval=10, depth_interval=5, min_keyframe_gap=3)


class QuietTracker:
    """Follows as many objects as it is told, and notes what it is asked."""

    image_call, mask_age = None, None

    def __init__(self, objects=1, trouble=None, unanswered=False):
        self.objects, self.trouble, self.unanswered = objects, trouble, unanswered
        self.noted = []

    def __len__(self):
        return self.objects

    def add_points_or_box(self, prompt, motion, undoable=True):
        self.noted.append("points or box")
        return 1

    def add_mask(self, prompt, motion, undoable=True):
        self.noted.append("mask")
        return 1

    def undo(self):
        self.noted.append("undo")

    def start_scene(self, keep_found):
        self.noted.append(("new scene", keep_found))

    def keyframe(self, image_rgb, motion, find):
        self.unanswered = False
        self.noted.append(("keyframe", find))
        return lambda: SimpleNamespace(timings_ms={})

    def corrections(self):
        return None


def stage_of(objects=1, trouble=None, unanswered=False):
    tracker = QuietTracker(objects, trouble, unanswered)
    return MasksStage(tracker, SCHEDULE, max_objects=4), tracker


@pytest.fixture
def motion():
    motion = Motion(FlowParameters(max_side_px=320))
    motion.advance(0, frame(0).image_rgb)
    return motion


def situation(index=10, last_index=5, **changes):
    return Situation(index, last_index, **changes)


@pytest.mark.parametrize(
    ("change", "tracker", "reason"),
    [
        ({}, {}, None),
        ({"index": 15}, {}, "interval"),
        ({"index": 15}, {"objects": 0}, None),
        ({"last_index": None}, {}, "first"),
        ({"last_index": None}, {"objects": 0}, None),
        ({"scene_cut": True}, {}, "scene cut"),
        ({}, {"trouble": Reason.POINTS_LOST}, "points lost"),
        ({"index": 7}, {"trouble": Reason.POINTS_LOST}, None),
        ({"calm": True}, {"trouble": Reason.POINTS_LOST}, None),
        ({}, {"unanswered": True}, "prompt"),
        ({"calm": True}, {"unanswered": True}, None),
        ({"held": True}, {}, "held"),
        ({"held": True}, {"objects": 0}, "held"),
        ({"held": True, "last_index": 10}, {"objects": 0}, None),
        ({"held": True, "last_index": 10}, {}, None),
        ({"held": True, "last_index": 10}, {"unanswered": True, "trouble": Reason.AREA_JUMP}, None),
    ],
)
def test_keyframe_reasons(change, tracker, reason):
    assert stage_of(**tracker)[0].due(situation(**change)) == reason


def test_what_a_person_wants_comes_first_and_once(motion):
    stage, tracker = stage_of()
    stage.prompt(Prompt([(5, 5)]), motion)
    tracker.unanswered = True
    assert stage.due(situation(scene_cut=True)) is Reason.PROMPT
    assert stage.due(situation(calm=True)) is None, "nobody foresees what a person says"
    stage.force()
    assert stage.due(situation()) is Reason.FORCED
    stage.job(frame(0), motion)
    assert stage.due(situation()) is None
    assert tracker.noted == ["points or box", ("keyframe", 0)]


@pytest.mark.parametrize("beside", [None, "prompt", "force"])
def test_who_looks_for_objects_does_so_whatever_else_is_wanted(motion, beside):
    stage, tracker = stage_of(objects=0)
    stage.discover()
    if beside == "prompt":
        stage.prompt(Prompt([(5, 5)]), motion)
    if beside == "force":
        stage.force()
    assert stage.due(situation(last_index=None)) is Reason.DISCOVER
    stage.job(frame(0), motion)
    assert tracker.noted[-1] == ("keyframe", 4)
    assert stage.due(situation()) is None


@pytest.mark.parametrize("automatic", [True, False])
def test_a_new_scene_is_searched_where_nobody_said_what_to_follow(motion, automatic):
    stage, tracker = stage_of()
    if automatic:
        stage.discover()
        stage.job(frame(0), motion)
    stage.start_scene()
    assert tracker.noted[-1] == ("new scene", not automatic)
    assert stage.due(situation(scene_cut=True)) == ("discover" if automatic else "scene cut")


def test_masks_go_their_own_way_into_the_tracker(motion):
    stage, tracker = stage_of()
    stage.prompt(Prompt(mask=frame(0).image_rgb[..., 0] > 200), motion)
    stage.prompt(Prompt(box=(1, 1, 9, 9)), motion)
    assert tracker.noted == ["mask", "points or box"]


def test_an_object_keeps_its_label_until_another_is_said_and_also_when_it_is_brought_back():
    pipeline = build_pipeline(ColorSegmenter())
    pipeline.prompt(Prompt([(60, 80)], label=" red \n ball"))
    assert [track.label for track in pipeline.process(frame(0)).tracks] == ["red ball"]
    pipeline.prompt(Prompt([(250, 150)]))
    pipeline.prompt(Prompt([(66, 80)], object_id=1))
    assert [track.label for track in pipeline.process(frame(1)).tracks] == ["red ball", None]
    pipeline.remove(1)
    assert [track.label for track in pipeline.process(frame(2)).tracks] == [None]
    pipeline.undo()
    pipeline.prompt(Prompt([(66, 80)], object_id=2, label="cup"))
    assert [track.label for track in pipeline.process(frame(3)).tracks] == ["red ball", "cup"]


@pytest.mark.parametrize(("unanswered", "reason"), [(True, "prompt"), (False, None)])
def test_what_is_taken_back_is_asked_again_only_where_something_is_left_to_ask(unanswered, reason):
    stage, _ = stage_of(unanswered=unanswered)
    stage.undo()
    assert stage.due(situation()) == reason


def test_clicks_are_due_while_something_is_unanswered_and_ask_nothing_without_an_embedding(motion):
    tracker = QuietTracker(unanswered=True)
    clicks = ClicksStage(tracker)
    assert clicks.immediate
    assert clicks.due(situation()) is Reason.PROMPT
    assert clicks.due(situation(calm=True)) is None
    assert clicks.job(frame(0), motion) is None
    assert ClicksStage(QuietTracker()).due(situation()) is None


def reasons(pipeline, times=3):
    seen = [pipeline.refresh() for _ in range(times)]
    return [(result.reason_of("masks"), result.reason_of("depth")) for result in seen]


def test_a_held_frame_is_looked_at_once_by_whatever_is_older():
    pipeline = build_pipeline(ColorSegmenter(), RedDepth())
    pipeline.prompt(Prompt([(60, 80)]))
    for index in range(3):
        result = pipeline.process(frame(index))
    assert (result.age_of("masks"), result.age_of("depth")) == (2, 2)
    assert reasons(pipeline) == [("held", "held"), (None, None), (None, None)]
    held = pipeline.refresh()
    assert (held.index, held.age_of("masks"), held.age_of("depth")) == (2, 0, 0)
    pipeline.process(frame(3))
    assert reasons(pipeline) == [("held", "held"), (None, None), (None, None)], "each held frame is another one"


def test_a_held_frame_that_shows_a_new_scene_is_not_looked_at_twice():
    pipeline = build_pipeline(ColorSegmenter(), RedDepth())
    pipeline.prompt(Prompt([(60, 80)]))
    pipeline.process(frame(0))
    assert pipeline.process(another_scene(1)).reason_of("masks") is Reason.SCENE_CUT
    assert reasons(pipeline) == [(None, None)] * 3


def test_a_keyframe_that_is_forced_on_a_held_frame_comes_at_once_each_time():
    pipeline = build_pipeline(ColorSegmenter())
    pipeline.prompt(Prompt([(60, 80)]))
    for index in range(3):
        pipeline.process(frame(index))
    pipeline.force_keyframe()
    assert reasons(pipeline) == [("forced", None), (None, None), (None, None)]
    pipeline.force_keyframe()
    assert reasons(pipeline) == [("forced", None), (None, None), (None, None)], "it has been looked at already"


def test_a_click_while_a_held_frame_is_looked_at_is_answered_once_the_embedding_is_there():
    gate = Gate()
    pipeline = build_pipeline(ColorSegmenter(), None, gate)
    pipeline.prompt(Prompt([(60, 80)]))
    pipeline.process(frame(0))
    pipeline.prompt(Prompt([(250, 150)], object_id=2))
    gate.release("masks")
    pipeline.refresh()
    assert "clicks" in gate.waiting
    gate.release("clicks")
    result = pipeline.refresh()
    assert result.tracks[1].mask.any()
    assert "clicks" not in gate.waiting, "it is not asked again and again"


def test_a_held_frame_without_objects_is_looked_at_so_that_a_click_on_it_is_answered_at_once():
    segmenter = ColorSegmenter()
    pipeline = build_pipeline(segmenter)
    for index in range(3):
        pipeline.process(frame(index))
    assert segmenter.encoded == 0
    assert reasons(pipeline) == [("held", None), (None, None), (None, None)]
    pipeline.prompt(Prompt([(66, 80)]))
    assert pipeline.refresh().tracks[0].mask.any()
    assert segmenter.encoded == 1


def test_a_click_answered_from_an_older_frame_is_answered_again_from_the_held_one():
    gate = Gate()
    pipeline = build_pipeline(ColorSegmenter(), None, gate)
    pipeline.prompt(Prompt([(60, 80)]))
    pipeline.process(frame(0))
    gate.release("masks")
    pipeline.process(frame(1))
    pipeline.refresh()
    assert "masks" in gate.waiting, "the held frame is being looked at"
    pipeline.prompt(Prompt([(250, 150)], object_id=2))
    gate.release("clicks")
    assert pipeline.refresh().tracks[1].mask.any(), "there was an embedding to answer from"
    gate.release("masks")
    pipeline.refresh()
    gate.release("clicks")
    held = pipeline.refresh()
    assert held.age_of("masks") == 0, "both go back to the held frame"
    assert not gate.waiting


def test_what_the_parts_of_a_keyframe_took_is_told_on_the_frame_that_adopts_it_and_only_there():
    pipeline = build_pipeline(ColorSegmenter())
    pipeline.prompt(Prompt([(60, 80)]))
    assert {"masks", "encode", "decode"} <= set(pipeline.process(frame(0)).model_timings_ms)
    assert not pipeline.process(frame(1)).model_timings_ms


def test_a_level_alone_is_said_about_an_object_and_answered_on_a_held_frame():
    pipeline = build_pipeline(ColorSegmenter())
    pipeline.prompt(Prompt([(60, 80)]))
    pipeline.process(frame(0))
    pipeline.refresh()
    pipeline.prompt(Prompt(object_id=1, mask_level="object"))
    whole = pipeline.refresh().tracks[0].mask.mean()
    pipeline.prompt(Prompt(object_id=1, mask_level="auto"))
    assert pipeline.refresh().tracks[0].mask.mean() < 0.5 < whole, "the largest candidate is the whole frame"
    with pytest.raises(PromptError, match="says nothing"):
        pipeline.prompt(Prompt(mask_level="part"))


def test_who_keeps_looking_finds_what_appears_later_and_nothing_twice():
    segmenter = ColorSegmenter()
    tracker = build_tracker(segmenter, TrackingParameters())
    stage = MasksStage(tracker, ScheduleParameters(keyframe_interval=LOOK_AGAIN_EVERY), 4, keeps_looking=True)
    pipeline = Pipeline([stage, ClicksStage(tracker)], InlineWorkers(), Motion(FlowParameters(max_side_px=320)), stage)
    stage.discover()
    empty = frame(0).image_rgb.copy()
    empty[100:200, 220:] = empty[0, 0]  # the blue box is not there yet
    pipeline.process(replace(frame(0), image_rgb=empty))
    assert len(tracker) == 1
    for index in range(1, LOOK_AGAIN_EVERY + 1):
        result = pipeline.process(replace(frame(0), index=index, image_rgb=frame(0).image_rgb))
    assert result.reason_of("masks") is not None
    assert len(tracker) == 2, "the ball is known, the box is new"
