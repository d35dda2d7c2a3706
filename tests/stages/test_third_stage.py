"""A slow kind of model that nobody has thought of: one stage, written here, and nothing changed anywhere else."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Hashable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.data.frame import Frame
from streamer.data.part import Part
from streamer.data.prompt import Prompt
from streamer.data.reason import Reason
from streamer.data.result import Result, StageStatus
from streamer.engine import Run
from streamer.models.image_call import ImageCall
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.pipeline import Pipeline
from streamer.scheduling.prefetch import Prefetch
from streamer.scheduling.threads import ThreadedWorkers
from streamer.scheduling.workers import Workers
from streamer.sinks.jsonl import to_dict
from streamer.sources.arrays import ArraySource
from streamer.sources.reader import Reader
from streamer.stages.protocol import Job, Situation, due_at_interval
from streamer.terminal.report import live_rows
from streamer.terminal.telemetry import Meter
from tests.fake_models import ColorSegmenter, RedDepth, moving_scene
from tests.pipelines import Gate, another_scene, build_pipeline, frame

INTERVAL, COUNT = 11, 30
SOON_S = 5.0


class BrightnessStage:
    """The mean level of the upper left corner, which takes long to find out."""

    name = "brightness"
    immediate = False

    def __init__(self) -> None:
        self.image_call = ImageCall(lambda images: [self._measure(image) for image in images])
        self.measured_in: list[str] = []
        self._known: tuple[float, Anchor] | None = None

    def due(self, situation: Situation) -> Reason | None:
        return due_at_interval(situation, INTERVAL)

    def job(self, frame: Frame, motion: Motion) -> Job[float]:
        return Job(lambda: self.image_call(frame.image_rgb), motion.open())

    def adopt(self, answer: float, anchor: Anchor) -> None:
        self._known = answer, anchor

    def at(self, motion: Motion) -> Part:
        if self._known is None:
            return Part()
        level, anchor = self._known
        return Part(anchor.age, values={"level": level})

    def propagate(self, motion: Motion) -> None:
        """There is nothing to carry in one number."""

    def start_scene(self) -> None:
        self._known = None

    def _measure(self, image_rgb: NDArray[np.uint8]) -> float:
        self.measured_in.append(threading.current_thread().name)
        return level_of(image_rgb)


def level_of(image_rgb: NDArray[np.uint8]) -> float:
    return float(image_rgb[:60, :60].mean())


def with_all_three(stage: BrightnessStage, workers: Workers | None = None) -> Pipeline:
    pipeline = build_pipeline(ColorSegmenter(), RedDepth(), workers, more=[stage])
    pipeline.prompt(Prompt([(60, 80)]))
    return pipeline


def played() -> tuple[list[Result], Meter]:
    pipeline, meter, results = with_all_three(BrightnessStage()), Meter(), []
    for index in range(COUNT):
        results.append(pipeline.process(frame(index)))
        meter.add(results[-1], 0.0)
    return results, meter


def test_it_is_scheduled_carried_and_timed() -> None:
    results, _ = played()
    reasons = {result.index: result.reason_of("brightness") for result in results if result.reason_of("brightness")}
    assert reasons == {0: Reason.FIRST, 11: Reason.INTERVAL, 22: Reason.INTERVAL}
    assert [result.age_of("brightness") for result in results] == [index % INTERVAL for index in range(COUNT)]
    for result in results:
        seen_at = result.index - result.index % INTERVAL
        assert result.values == {"brightness": {"level": level_of(moving_scene(seen_at)[0])}}
        assert ("brightness" in result.model_timings_ms) == (result.index in reasons)


def test_the_others_go_on_as_if_it_were_not_there() -> None:
    alone = build_pipeline(ColorSegmenter(), RedDepth())
    alone.prompt(Prompt([(60, 80)]))
    for result in played()[0]:
        without = alone.process(frame(result.index))
        assert (without.reason_of("masks"), without.reason_of("depth")) == (
            result.reason_of("masks"),
            result.reason_of("depth"),
        )
        np.testing.assert_array_equal(without.tracks[0].mask, result.tracks[0].mask)
        np.testing.assert_array_equal(without.depth_map, result.depth_map)


def test_its_words_stand_in_json_lines_and_its_figures_in_the_summary_and_on_the_console() -> None:
    results, meter = played()
    line = json.loads(json.dumps(to_dict(results[INTERVAL + 1])))
    level = level_of(moving_scene(INTERVAL)[0])
    assert line["stages"]["brightness"] == {"reason": None, "age": 1, "age_s": None, "values": {"level": level}}
    assert "brightness" in to_dict(results[INTERVAL])["model_timings_ms"]
    summary = json.loads(json.dumps(meter.summary()))
    stage = summary["stages"]["brightness"]
    assert (stage["runs"], stage["reasons"]) == (3, {"interval": 2, "first": 1})
    assert stage["age_frames"]["max"] == INTERVAL - 1
    assert summary["model_timings_ms"]["brightness"]["count"] == 3
    assert "brightness" in dict(live_rows(summary))["models"]
    assert "brightness" in dict(live_rows(summary))["last run"]


def test_a_late_answer_is_as_old_as_the_frame_that_it_is_about_and_a_new_scene_throws_it_away() -> None:
    gate = Gate()
    pipeline = with_all_three(BrightnessStage(), gate)
    for index in range(5):
        assert pipeline.process(frame(index)).age_of("brightness") is None
    assert pipeline.queues()["brightness"] == "busy"
    gate.release("brightness")
    late = pipeline.process(frame(5))
    assert (late.age_of("brightness"), late.values["brightness"]["level"]) == (5, level_of(moving_scene(0)[0]))
    cut = pipeline.process(another_scene(6))
    assert cut.stages["brightness"] == StageStatus(Reason.SCENE_CUT, None)


def test_files_have_it_computed_early() -> None:
    stage = BrightnessStage()
    pipeline, meter = with_all_three(stage), Meter()
    prefetch = Prefetch(pipeline.stages)
    source = ArraySource([moving_scene(index)[0] for index in range(COUNT)], rate_hz=Fraction(25))
    with Reader(source, live=False) as reader:
        results = list(Run(reader, pipeline, meter, prefetch))
    prefetch.close()
    assert len(results) == COUNT
    assert results[-1].values["brightness"]["level"] == level_of(moving_scene(2 * INTERVAL)[0])
    assert len(stage.measured_in) == 3
    assert stage.measured_in[0] == "MainThread", "nobody could foresee the first frame"
    assert all(name.startswith("streamer-prefetch") for name in stage.measured_in[1:])


def test_where_slow_models_take_turns_it_has_its_own() -> None:
    """All three are always due; none runs again before the others have."""
    gate = Gate(in_turns=("masks", "depth", "brightness"))
    pipeline, started = with_all_three(BrightnessStage(), gate), []
    for index in range(9 * INTERVAL):
        result = pipeline.process(frame(index, speed_px=1))
        started += [name for name, status in result.stages.items() if status.reason]
        assert len(gate.waiting) <= 1
        if index % INTERVAL == INTERVAL - 1:
            gate.release(*gate.waiting)
    assert sorted(started[:3]) == ["brightness", "depth", "masks"]
    assert started == started[:3] * 3


def test_in_threads_each_of_the_three_has_its_turn() -> None:
    slow = ("masks", "depth", "brightness")
    running, overlapped, ran = threading.Semaphore(1), [], []
    workers, stage = ThreadedWorkers(in_turns=slow), BrightnessStage()
    submit = workers.submit

    def watched(lane: str, key: Hashable, call: Callable[[], Any]) -> Hashable | None:
        def alone() -> Any:
            if lane in slow and not running.acquire(blocking=False):
                overlapped.append(lane)
            try:
                ran.append(lane)
                return call()
            finally:
                ended.set()
                running.release()

        return submit(lane, key, alone)

    ended = threading.Event()
    workers.submit = watched  # type: ignore[method-assign]
    pipeline = with_all_three(stage, workers)
    try:
        index = 0
        while len(ran) < 9 and index < 2000:
            ended.clear()
            started = [name for name, one in pipeline.process(frame_like(index)).stages.items() if one.reason]
            index += INTERVAL
            if started:
                assert ended.wait(SOON_S)
    finally:
        workers.close(timeout_s=5)
    assert not overlapped
    assert set(ran[:3]) == set(slow)
    assert ran[3:9] == ran[:3] * 2


def frame_like(index: int) -> Frame:
    """Always the same image, so that there is no trouble and no new scene however many frames are left out."""
    return Frame(index, index / 30, moving_scene(0)[0], 0.0)
