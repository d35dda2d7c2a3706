"""Models that begin before they are asked: the same answers, earlier, and nothing left behind."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from fractions import Fraction

import numpy as np
import pytest

from streamer.data.depth_unit import DepthUnit
from streamer.data.frame import Frame
from streamer.data.mask import box_of
from streamer.data.prompt import Prompt
from streamer.data.reason import Reason
from streamer.engine import Run, load
from streamer.errors import ModelError
from streamer.models.image_call import ImageCall
from streamer.models.runtime import devices
from streamer.scheduling.prefetch import Prefetch, batch_that_fits, reach_of
from streamer.sources.arrays import ArraySource
from streamer.sources.reader import Reader
from streamer.synthetic import SceneSource
from streamer.terminal.telemetry import Meter
from tests.fake_models import ColorSegmenter, moving_scene
from tests.pipelines import build_pipeline
from tests.videos import make_video

SOON_S = 5.0  # never waited for in full, unless the test fails
BOTH = {"encode": Reason.INTERVAL, "estimate": Reason.INTERVAL}


class Slow:
    """Two stages' models, that note where they ran, and that the test can hold up or let fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.ran: list[tuple[str, int]] = []
        self.go = threading.Event()
        self.go.set()
        self.error = error
        self.encode = ImageCall(self._encode, max_batch=4)
        self.estimate = ImageCall(lambda images: [self._run("estimate", image) for image in images])

    @property
    def stages(self) -> list:
        return [Asked("encode", self.encode), Asked("nothing early", None), Asked("estimate", self.estimate)]

    def _encode(self, images):
        if len(images) > 1:
            self.ran.append(("batch", len(images)))
        return [self._run("encode", image) for image in images]

    def _run(self, what, image):
        self.go.wait(SOON_S)
        self.ran.append((f"{what} {threading.current_thread().name.split('_')[0]}", int(image[0, 0, 0])))
        if self.error is not None:
            raise self.error
        return image * 2


class Asked:
    """As much of a stage as the prefetch sees."""

    immediate = False

    def __init__(self, name, image_call):
        self.name, self.image_call = name, image_call


def frame(index: int) -> Frame:
    return Frame(index, index / 30, np.full((4, 4, 3), index, np.uint8), 0.0)


def wait_for(condition) -> None:
    end_s = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.002)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("streamer-prefetch")]


def test_what_was_foreseen_is_computed_once_in_the_background_and_handed_over():
    slow, one = Slow(), frame(1)
    prefetch = Prefetch(slow.stages)
    prefetch.begin([(one, BOTH)])
    wait_for(lambda: len(slow.ran) == 2)
    for _ in range(2):
        assert (slow.encode(one.image_rgb) == 2).all()
        assert (slow.estimate(one.image_rgb) == 2).all()
        prefetch.begin([(one, BOTH)])
    assert slow.ran == [("encode streamer-prefetch", 1), ("estimate streamer-prefetch", 1)]
    prefetch.close()


def test_a_stage_without_a_part_that_depends_on_the_image_alone_begins_nothing():
    slow, one = Slow(), frame(1)
    prefetch = Prefetch(slow.stages[1:2])
    prefetch.begin([(one, {"nothing early": Reason.INTERVAL})])
    prefetch.close()
    assert slow.ran == []


def test_what_nobody_foresaw_is_computed_at_once_and_an_equal_picture_is_another_one():
    slow, one = Slow(), frame(1)
    prefetch = Prefetch(slow.stages[:1])
    prefetch.begin([(one, BOTH)])
    wait_for(lambda: len(slow.ran) == 1)
    slow.encode(one.image_rgb.copy())
    assert slow.ran[1] == ("encode MainThread", 1)
    prefetch.close()


def test_a_plan_without_a_run_begins_nothing():
    slow = Slow()
    prefetch = Prefetch(slow.stages)
    prefetch.begin([(frame(1), {}), (frame(2), {"estimate": Reason.INTERVAL})])
    wait_for(lambda: slow.ran)
    prefetch.close()
    wait_for(lambda: not threads())
    assert slow.ran == [("estimate streamer-prefetch", 2)]


def test_what_is_foreseen_no_more_is_not_begun_and_its_picture_is_let_go():
    slow, frames = Slow(), [frame(index) for index in range(3)]
    slow.go.clear()
    prefetch = Prefetch(slow.stages[:1])
    prefetch.begin([(one, BOTH) for one in frames])
    prefetch.begin([(frames[2], BOTH)])
    held = [weakref.ref(one.image_rgb) for one in frames]
    slow.go.set()
    assert (slow.encode(frames[2].image_rgb) == 4).all()
    assert [index for _, index in slow.ran] == [0, 2], "the second one was still waiting, and is not needed any more"
    prefetch.begin([])
    frames.clear()
    prefetch.close()
    wait_for(lambda: not threads())
    gc.collect()
    assert [one() for one in held] == [None] * 3


def test_keyframes_are_encoded_in_whole_batches_and_depth_one_by_one():
    slow, frames = Slow(), [frame(index) for index in range(5)]
    prefetch = Prefetch(slow.stages, batch_size=2)
    prefetch.begin([(frames[0], BOTH)])
    wait_for(lambda: slow.ran == [("estimate streamer-prefetch", 0)])
    prefetch.begin([(one, BOTH) for one in frames])
    values = [slow.encode(one.image_rgb)[0, 0, 0] for one in frames]
    prefetch.close()
    wait_for(lambda: not threads())
    assert values == [0, 2, 4, 6, 8]
    assert [step for step in slow.ran if step[0] == "batch"] == [("batch", 2), ("batch", 2)]
    assert ("encode MainThread", 4) in slow.ran, "half a batch is not begun"
    assert len(slow.ran) == 5 + 2 + 5


def test_an_error_is_raised_where_its_value_is_asked_for_and_nowhere_else():
    slow, frames = Slow(ModelError("Out of memory: take a smaller model.")), [frame(index) for index in range(2)]
    prefetch = Prefetch(slow.stages)
    prefetch.begin([(one, BOTH) for one in frames])
    wait_for(lambda: len(slow.ran) == 4)
    prefetch.begin([(frames[1], BOTH)])
    with pytest.raises(ModelError, match="Out of memory"):
        slow.encode(frames[1].image_rgb)
    with pytest.raises(ModelError, match="Out of memory"):
        slow.estimate(frames[1].image_rgb)
    prefetch.close()


def test_closing_does_not_wait_for_a_call_and_leaves_no_thread():
    slow = Slow()
    slow.go.clear()
    prefetch = Prefetch(slow.stages)
    prefetch.begin([(frame(index), BOTH) for index in range(3)])
    start_s = time.monotonic()
    prefetch.close()
    prefetch.close()
    assert time.monotonic() - start_s < 1
    slow.go.set()
    wait_for(lambda: not threads())
    assert len(slow.ran) <= 1


def test_the_model_runs_for_one_picture_at_a_time():
    slow, frames = Slow(), [frame(index) for index in range(2)]
    at_work, most = [0], [0]
    run = slow._run

    def counted(what, image):
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        time.sleep(0.02)
        value = run(what, image)
        at_work[0] -= 1
        return value

    slow._run = counted
    prefetch = Prefetch(slow.stages[:1])
    prefetch.begin([(frames[0], BOTH)])
    slow.encode(frames[1].image_rgb)
    prefetch.close()
    wait_for(lambda: not threads())
    assert most == [1]


def test_batches_hold_no_more_than_half_a_gibibyte_of_frames():
    assert batch_that_fits(10, (1280, 720)) == 4
    assert batch_that_fits(10, (7680, 4320)) == 1
    for size in ((1920, 1080), (3840, 2160)):
        batch = batch_that_fits(10, size)
        assert 3 * size[0] * size[1] * reach_of(10, batch) <= 2**29
    assert reach_of(10, 1) < 10


# In a run ------------------------------------------------------------------------------------------------------


class PlainDepth:
    """Inverse depth is the red channel, whatever was asked before."""

    name = "plain"
    unit = DepthUnit.RELATIVE

    def __init__(self) -> None:
        self.ran_in: list[str] = []

    def estimate(self, image_rgb):
        self.ran_in.append(threading.current_thread().name)
        return image_rgb[..., 0].astype(np.float32)


class Watched(ColorSegmenter):
    """Fails the track now and then (`wrong`), and notes where it encoded."""

    def __init__(self) -> None:
        super().__init__()
        self.ran_in: list[str] = []

    def encode(self, image_rgb):
        self.ran_in.append(threading.current_thread().name)
        return super().encode(image_rgb)


def play(early: bool, images, steps) -> tuple[list, Watched, PlainDepth]:
    segmenter, depth = Watched(), PlainDepth()
    pipeline = build_pipeline(segmenter, depth, min_keyframe_gap=2, max_objects=2)
    prefetch = Prefetch(pipeline.stages) if early else None
    source, seen = ArraySource(images, rate_hz=Fraction(25)), []
    with Reader(source, live=False) as reader:
        run = Run(reader, pipeline, Meter("a device"), prefetch)
        for step in steps.pop("before", []):
            step(pipeline)
        for result in run:
            seen.append(result)
            wait_for(lambda: len(reader.waiting) == min(4, len(images) - len(seen)))
            for step in steps.get(result.index, []):
                step(pipeline)
    if prefetch is not None:
        prefetch.close()
    return seen, segmenter, depth


def assert_same(left, right) -> None:
    assert len(left) == len(right)
    for one, other in zip(left, right, strict=True):
        assert (one.stages, one.depth_range) == (other.stages, other.depth_range)
        np.testing.assert_array_equal(one.inverse_depth, other.inverse_depth)
        assert [(track.id, track.score, track.state) for track in one.tracks] == [
            (track.id, track.score, track.state) for track in other.tracks
        ]
        for track, same in zip(one.tracks, other.tracks, strict=True):
            np.testing.assert_array_equal(track.mask, same.mask)
            np.testing.assert_array_equal(track.point_coords, same.point_coords)


STEPS = {
    "calm": lambda: {"before": [lambda pipeline: pipeline.prompt(Prompt([(60, 80)]))]},
    "a click and a forced keyframe": lambda: {
        "before": [lambda pipeline: pipeline.prompt(Prompt([(60, 80)]))],
        6: [lambda pipeline: pipeline.prompt(Prompt([(250, 150)], object_id=2))],
        9: [lambda pipeline: pipeline.force_keyframe()],
        13: [lambda pipeline: pipeline.undo()],
    },
    "found": lambda: {"before": [lambda pipeline: pipeline.discover()]},
    "no object": dict,
}


@pytest.mark.parametrize("steps", STEPS)
def test_results_are_the_same_with_and_without_a_prefetch(steps):
    images = [moving_scene(index)[0] for index in range(18)]
    plain, segmenter, depth = play(False, images, STEPS[steps]())
    early, early_segmenter, early_depth = play(True, images, STEPS[steps]())
    assert_same(early, plain)
    assert set(segmenter.ran_in + depth.ran_in) == {"MainThread"}
    # All but the first, which nobody could foresee.
    assert early_depth.ran_in.count("MainThread") == 1
    assert len(early_depth.ran_in) == len(depth.ran_in) == 5
    if steps == "calm":
        assert early_segmenter.ran_in.count("MainThread") == 1
        assert len(early_segmenter.ran_in) == len(segmenter.ran_in) == 4


def test_a_scene_cut_moves_the_schedule_the_same_way():
    images = [moving_scene(index)[0] for index in range(18)]
    images[7:] = [255 - image[:, ::-1] for image in images[7:]]
    images = [np.ascontiguousarray(image) for image in images]
    plain, _, _ = play(False, images, STEPS["calm"]())
    early, _, early_depth = play(True, images, STEPS["calm"]())
    assert plain[7].reason_of("masks") == "scene cut"
    assert_same(early, plain)
    assert early_depth.ran_in.count("MainThread") == 2, "the first frame and the cut"


@pytest.mark.parametrize("threads_used", [1, 2])
def test_the_bundled_models_give_the_same_bits_on_a_rendered_video(tmp_path, threads_used):
    scene = SceneSource(seed=0, size=(320, 240), frame_count=24)
    path, labels = tmp_path / "scene.mp4", scene.truth(0).labels
    make_video(path, 24, size=(320, 240), images=[scene.render(index) for index in range(24)])
    boxes = [Prompt(box=box_of(labels == value), object_id=int(value)) for value in np.unique(labels[labels > 0])[:2]]
    before, ran = devices.thread_count(), {}
    devices.set_threads(threads_used)
    try:
        for early in ("true", "false"):
            with load("tiny", ["device=cpu", f"schedule.prefetch={early}"]) as engine:
                note(engine.segmenter, "encode", ran.setdefault(early, []))
                note(engine.depth_estimator, "estimate", ran[early])
                ran[early + " results"] = follow_and_click(engine, path, boxes)
    finally:
        devices.set_threads(before)
    assert_same(ran["true results"], ran["false results"])
    assert sum(result.reason_of("masks") is not None for result in ran["true results"]) >= 3
    assert any(name.startswith("streamer-prefetch") for name in ran["true"])
    assert set(ran["false"]) == {"MainThread"}


def note(model, method, ran) -> None:
    call = getattr(model, method)

    def noted(image):
        ran.append(threading.current_thread().name)
        return call(image)

    setattr(model, method, noted)


def follow_and_click(engine, path, boxes) -> list:
    results = []
    with engine.open(path, boxes) as run:
        for result in run:
            results.append(result)
            if result.index == 13:
                run.pipeline.prompt(Prompt([(160, 120)]))
    return results


def test_a_run_that_is_left_midway_leaves_nothing_behind():
    images = (moving_scene(index)[0] for index in range(12))
    with load("tiny", ["device=cpu"]) as engine:
        held = []
        for result in engine.run(images, [Prompt([(60, 80)])]):
            held.append(weakref.ref(result.frame.image_rgb))
            if result.index == 7:
                break
    wait_for(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("streamer")])
    del result
    gc.collect()
    assert {one() for one in held} == {None}
