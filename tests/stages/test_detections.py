"""What is said in words becomes tracks, which keep their numbers and are doubted when nothing bears them out."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from streamer.config import Config
from streamer.data.detection import Detection
from streamer.data.mask import box_of
from streamer.data.prompt import Prompt
from streamer.data.reason import Reason
from streamer.data.track import State
from streamer.engine import Engine, Run
from streamer.errors import PromptError
from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters
from streamer.pipeline import Pipeline
from streamer.scheduling.workers import InlineWorkers
from streamer.sources.arrays import ArraySource
from streamer.sources.reader import Reader
from streamer.stages.carrying import carry
from streamer.stages.detections import DENIALS, DetectionsStage
from streamer.stages.masks import ClicksStage, MasksStage
from streamer.stages.parameters import ScheduleParameters
from streamer.terminal.telemetry import Meter
from streamer.tracking.parameters import TrackingParameters
from streamer.tracking.registry import build_tracker
from tests.fake_models import ColorSegmenter, moving_scene
from tests.pipelines import Gate, another_scene, frame, iou

INTERVAL = 4
SCHEDULE = ScheduleParameters(keyframe_interval=2, depth_interval=4, detection_interval=INTERVAL)
THINGS = {"ball": (220, 40), "box": (40, 220)}


class ColorDetector:
    """Knows a ball by its red and a box by its blue; does not see what is in ``blind``."""

    name = "color"

    def __init__(self, masks: bool = False) -> None:
        self.masks, self.blind, self.asked = masks, set[str](), list[tuple[str, ...]]()

    def detect(self, image_rgb, phrases):
        self.asked.append(tuple(phrases))
        found = []
        for phrase in set(phrases) & set(THINGS) - self.blind:
            mask = (image_rgb[..., ::2] == THINGS[phrase]).all(axis=2)
            if mask.any():
                found.append(Detection(phrase, 0.9, box_of(mask), mask if self.masks else None))
        return found


class Table:
    """A pipeline with a detections stage."""

    def __init__(self, detector=None, workers=None, text="ball; box"):
        self.detector = detector or ColorDetector()
        tracker = build_tracker(ColorSegmenter(), TrackingParameters())
        masks = MasksStage(tracker, SCHEDULE)
        self.stage = DetectionsStage(lambda: self.detector, masks, SCHEDULE)
        self.pipeline = Pipeline(
            [masks, ClicksStage(tracker), self.stage],
            workers or InlineWorkers(),
            Motion(FlowParameters(max_side_px=320)),
            masks,
        )
        if text:
            self.stage.look_for(text)

    def play(self, indices, scene=frame):
        return [self.pipeline.process(scene(index)) for index in indices]


def states(result):
    return {track.label: (track.id, track.state) for track in result.tracks}


@pytest.mark.parametrize("masks", [False, True])
def test_every_phrase_is_looked_for_followed_and_called_so(masks):
    table = Table(ColorDetector(masks))
    results = table.play(range(10))
    assert {track.label for track in results[-1].tracks} == {"ball", "box"}
    _, labels = moving_scene(9)
    for track in results[-1].tracks:
        assert iou(track.mask, labels == {"ball": 1, "box": 2}[track.label]) > 0.8
    assert [result.reason_of("detections") for result in results[:6]] == [
        Reason.PROMPT,
        *[None] * 3,
        Reason.INTERVAL,
        None,
    ]
    assert len({track.id for result in results for track in result.tracks}) == 2, "nothing is found twice"
    assert results[-1].values["detections"] == {"phrases": ["ball", "box"]}


def test_nothing_is_looked_for_before_anything_is_said_or_after_it_is_forgotten():
    table = Table(text=None)
    assert not table.play(range(3))[-1].tracks
    table.stage.look_for("ball")
    assert [track.label for track in table.play(range(3, 6))[-1].tracks] == ["ball"]
    table.stage.look_for("box")
    assert states(table.play(range(6, 9))[-1]).keys() == {"ball", "box"}
    table.stage.forget()
    assert not table.play(range(9, 20))[-1].tracks
    assert table.detector.asked == [("ball",), ("ball", "box")]


def test_a_late_answer_is_carried_to_where_things_are_now():
    gate = Gate()
    table = Table(workers=gate)
    table.play(range(6))
    gate.release("detections")
    table.play([6])
    while "masks" not in gate.waiting:
        table.play([7])
    gate.release("masks")
    result = table.pipeline.process(frame(8))
    _, labels = moving_scene(8)
    assert {track.label for track in result.tracks} == {"ball", "box"}
    for track in result.tracks:
        assert iou(track.mask, labels == {"ball": 1, "box": 2}[track.label]) > 0.8


def test_a_point_on_a_thing_is_carried_with_it_and_is_nobodys_click():
    motion = Motion(FlowParameters(max_side_px=320))
    motion.advance(0, moving_scene(0)[0])
    anchor = motion.open()
    for index in range(1, 6):
        motion.advance(index, moving_scene(index)[0])
    carried = carry(Detection("ball", 0.9, box_of(moving_scene(0)[1] == 1), point=(60.0, 80.0)), anchor)
    assert carried.point == pytest.approx((75, 80), abs=3)
    table = Table(PointingDetector(), text="ball")
    (track,) = table.play(range(3))[-1].tracks
    assert len(track.point_coords) == 0
    table.pipeline.prompt(Prompt([track.centroid], object_id=track.id))
    assert len(table.play(range(3, 5))[-1].tracks[0].point_coords) == 2


class PointingDetector(ColorDetector):
    """Says where on the thing it is surest as well."""

    def detect(self, image_rgb, phrases):
        return [
            replace(one, point=np.mean(np.reshape(one.box_xyxy, (2, 2)), 0))
            for one in super().detect(image_rgb, phrases)
        ]


@pytest.mark.parametrize("mask", [None, moving_scene(0)[1] == 1])
def test_boxes_and_masks_are_carried_by_the_flow(mask):
    motion = Motion(FlowParameters(max_side_px=320))
    motion.advance(0, moving_scene(0)[0])
    anchor = motion.open()
    for index in range(1, 6):
        motion.advance(index, moving_scene(index)[0])
    there, here = (box_of(moving_scene(index)[1] == 1) for index in (0, 5))
    carried = carry(Detection("ball", 0.9, there, mask), anchor)
    assert carried.box_xyxy == pytest.approx(here, abs=6)
    assert (carried.mask is None) == (mask is None)
    if mask is not None:
        assert iou(carried.mask, moving_scene(5)[1] == 1) > 0.75


def test_what_is_denied_several_times_in_a_row_is_uncertain_until_it_is_borne_out():
    table = Table(text="ball")
    table.play(range(3))
    table.detector.blind = {"ball"}
    seen = [states(result)["ball"][1] for result in table.play(range(3, 3 + (DENIALS + 1) * INTERVAL))]
    assert seen[: (DENIALS - 1) * INTERVAL] == [State.TRACKED] * (DENIALS - 1) * INTERVAL
    assert seen[-1] is State.UNCERTAIN
    table.detector.blind = set()
    after = table.play(range(25, 25 + INTERVAL + 1))
    assert states(after[-1])["ball"] == (1, State.TRACKED)


def test_a_guess_is_uncertain_until_a_second_look_finds_it_again():
    table = Table(GuessingDetector(), text="ball")
    assert states(table.play(range(INTERVAL))[-1])["ball"][1] is State.UNCERTAIN
    assert states(table.play(range(INTERVAL, INTERVAL + 3))[-1])["ball"][1] is State.TRACKED


class GuessingDetector(ColorDetector):
    """Is never quite sure."""

    def detect(self, image_rgb, phrases):
        return [replace(one, score=0.55) for one in super().detect(image_rgb, phrases)]


def test_what_comes_back_keeps_its_number_and_what_nobody_recognizes_gets_its_own_at_the_second_look():
    table = Table(text="box")
    before = states(table.play(range(5))[-1])["box"]
    table.play(range(5, 5 + 3 * INTERVAL), another_scene)
    back = table.play(range(20, 20 + 4 * INTERVAL))
    assert states(back[-1])["box"][0] == before[0]
    assert {track.id for track in back[-1].tracks} == {before[0]}


def test_a_new_scene_forgets_what_was_carried_and_goes_on_looking():
    table = Table()
    table.play(range(3))
    assert table.pipeline.process(another_scene(3)).reason_of("detections") is Reason.SCENE_CUT
    assert all(track.state is State.LOST for track in table.pipeline.process(another_scene(4)).tracks)


def test_files_have_masks_of_what_was_found_on_the_very_frame():
    table = Table()
    source = ArraySource([moving_scene(index)[0] for index in range(6)], rate_hz=Fraction(25))
    with Reader(source, live=False) as reader:
        results = list(Run(reader, table.pipeline, Meter()))
    assert {track.label for track in results[0].tracks} == {"ball", "box"}
    assert all(track.mask.any() for track in results[0].tracks)
    assert results[0].reason_of("detections") is Reason.PROMPT
    assert {"detections", "encode"} <= set(results[0].model_timings_ms)
    assert results[0].timings_ms["flow"] > 0


def test_an_engine_is_told_by_its_config_or_at_any_time():
    images = [moving_scene(index)[0] for index in range(6)]
    config = Config(device="cpu", depth=None, text="ball", schedule=SCHEDULE, flow=FlowParameters(max_side_px=320))
    with (
        pytest.raises(PromptError, match="does not know 'unheard'"),
        Engine(config.model_copy(update={"text": "unheard"}), ColorSegmenter()) as engine,
    ):
        engine.pipeline()
    with Engine(config, ColorSegmenter(), detector=ColorDetector()) as engine, engine.open(images) as run:
        results = []
        for result in run:
            results.append(result)
            if result.index == 2:
                run.look_for("box")
        assert [track.label for track in results[2].tracks] == ["ball"]
        assert {track.label for track in results[-1].tracks} == {"ball", "box"}
        run.forget()
    silent = config.model_copy(update={"text": None})
    refused = pytest.raises(PromptError, match="set `text` in the config")
    with Engine(silent, ColorSegmenter()) as engine, engine.open(images) as run, refused:
        run.look_for("box")


def test_a_photograph_has_its_masks_at_once():
    config = Config(device="cpu", depth=None, text="ball; box")
    with Engine(config, ColorSegmenter(), detector=ColorDetector()) as engine:
        (result,) = engine.run([moving_scene(0)[0]])
    assert {track.label for track in result.tracks} == {"ball", "box"}
    assert all(np.count_nonzero(track.mask) > 1000 for track in result.tracks)


def test_what_a_person_deleted_does_not_come_back_until_the_person_brings_it_back():
    table = Table()
    ball = states(table.play(range(6))[-1])["ball"][0]
    table.pipeline.remove(ball)
    after = table.play(range(6, 6 + 5 * INTERVAL))
    assert not any("ball" in states(result) for result in after)
    assert states(after[-1])["box"][1] is State.TRACKED
    table.pipeline.undo()
    again = table.play(range(26, 26 + 2 * INTERVAL))
    assert states(again[-1])["ball"] == (ball, State.TRACKED)
    assert len(again[-1].tracks) == 2


def test_undo_takes_back_what_a_person_did_and_nothing_that_a_detector_found():
    table = Table(text="ball")
    table.play(range(3))
    table.pipeline.undo()
    assert states(table.play(range(3, 5))[-1]).keys() == {"ball"}
    clicked = table.pipeline.prompt(Prompt([(255, 153)]))
    assert {track.id for track in table.play(range(5, 7))[-1].tracks} == {1, clicked}
    table.pipeline.undo()
    assert states(table.play(range(7, 9))[-1]) == {"ball": (1, State.TRACKED)}


def test_what_somebody_pointed_at_gets_its_name_and_is_not_found_once_more():
    table = Table(text=None)
    table.pipeline.prompt(Prompt(box=box_of(moving_scene(0)[1] == 1)))
    table.play(range(3))
    table.stage.look_for("ball")
    assert [(track.id, track.label) for track in table.play(range(3, 6))[-1].tracks] == [(1, "ball")]
