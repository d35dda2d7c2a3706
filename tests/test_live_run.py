"""Live from Python: results to be taken or polled, prompts from any thread, and no call that waits for a model."""

import threading
import time
from contextlib import ExitStack
from functools import partial

import numpy as np
import pytest

import streamer
from streamer.config import Config
from streamer.data.known_depths import KnownDepths
from streamer.engine import Engine, model_threads
from streamer.engine.models import Models
from streamer.errors import ModelError, PromptError, SourceError, StaleFrameError
from streamer.models import registry
from streamer.motion.parameters import FlowParameters
from streamer.stages.parameters import ScheduleParameters
from tests.fake_models import ColorSegmenter, RedDepth, moving_scene

BALL, SIZE = (60, 80), (320, 240)
CONFIG = Config(
    device="cpu",
    schedule=ScheduleParameters(keyframe_interval=4, depth_interval=3),
    flow=FlowParameters(max_side_px=320),
)
STILL = moving_scene(0)[0]


@pytest.fixture
def engine():
    with Engine(CONFIG, segmenter=ColorSegmenter(), depth_estimator=RedDepth()) as engine:
        yield engine.load()


@pytest.fixture
def robot(engine):
    """A live run whose frames the test pushes."""
    with engine.live(streamer.Pushed(SIZE)) as robot:
        yield robot


def results_of(robot, until, limit_s=10.0):
    """Push the same picture until a result is as wanted, and give all that came."""
    results, end_s = [], time.monotonic() + limit_s
    for _ in iter(partial(robot.push, STILL), None):
        result = next(iter_new(robot, results))
        results.append(result)
        if until(result):
            return results
        assert time.monotonic() < end_s, f"only {results[-1]}"
    raise AssertionError


def iter_new(robot, results):
    newest = results[-1].index if results else -1
    return (result for result in robot if result.index > newest)


def test_a_click_is_answered_and_its_stamp_comes_back(robot):
    stamps = {robot.push(STILL, stamp_ns=number): number for number in (1, 2)}
    first = next(iter(robot))
    assert first.stamp_ns == stamps[first.index]
    assert first.tracks == (), "nobody has said what to follow"
    assert robot.click(BALL, label="ball") == 1
    assert robot.box((200, 100, 260, 170)) == 2
    result = results_of(robot, lambda result: [track.mask.any() for track in result.tracks] == [True, True])[-1]
    ball = result.tracks[0]
    assert (ball.label, ball.mask[BALL[1], BALL[0]]) == ("ball", True)
    assert ball.centroid == pytest.approx(BALL, abs=8)
    robot.remove(2)
    assert [track.id for track in results_of(robot, lambda result: len(result.tracks) == 1)[-1].tracks] == [1]
    robot.undo()
    assert len(results_of(robot, lambda result: len(result.tracks) == 2)[-1].tracks) == 2


def test_what_is_said_before_the_first_frame_counts_and_has_its_number_at_once(robot):
    assert [robot.click(BALL), robot.mask(moving_scene(0)[1] == 2)] == [1, 2]
    assert [track.id for track in results_of(robot, lambda result: len(result.tracks) == 2)[-1].tracks] == [1, 2]


def test_what_does_not_lie_on_the_frame_is_refused_and_the_run_goes_on(robot):
    for wrong in (
        partial(robot.click, (999, 5)),
        partial(robot.box, (400, 0, 500, 9)),
        partial(robot.mask, np.ones((2, 2), bool)),
    ):
        with pytest.raises(PromptError):
            wrong()
    assert results_of(robot, lambda result: result.depth_map is not None)


def test_who_is_slow_gets_the_newest_and_each_frame_once(robot):
    robot.push(STILL)
    taken = iter(robot)
    next(taken)
    for _ in range(5):
        last = robot.push(STILL)
        while robot.latest().index < last:
            time.sleep(0.001)
    assert next(taken).index == last
    later = threading.Timer(0.1, partial(robot.push, STILL))
    later.start()
    assert next(taken).index == last + 1


def test_polling_never_gives_an_old_frame_for_a_new_one(robot):
    with pytest.raises(StaleFrameError, match="has given no frame yet"):
        robot.latest()
    robot.push(STILL, stamp_ns=time.time_ns() - 200_000_000)
    next(iter(robot))
    assert robot.latest(max_age_s=5.0) is robot.latest()
    with pytest.raises(StaleFrameError, match=r"is 0\.\d\d s old, and the source is running"):
        robot.latest(max_age_s=0.1)


def test_it_ends_with_its_source_and_says_so(engine):
    source = streamer.Pushed(SIZE)
    with engine.live(source) as robot:
        source.push(STILL)
        taken = iter(robot)
        next(taken)
        source.close()
        assert list(taken) == []
        assert robot.state == "ended"
        with pytest.raises(StaleFrameError, match="has ended"):
            robot.latest(max_age_s=60)


def test_closing_from_another_thread_ends_whoever_waits(robot):
    threading.Timer(0.1, robot.close).start()
    assert list(robot) == []
    robot.close()
    with pytest.raises(SourceError, match="closed"):
        robot.push(STILL)


def test_an_engine_that_is_closed_ends_its_runs(engine):
    robots = [engine.live(streamer.Pushed(SIZE)) for _ in range(2)]
    threading.Timer(0.1, engine.close).start()
    assert [list(robot) for robot in robots] == [[], []]
    for robot in robots:
        robot.close()


def test_no_thread_is_left(engine):
    before = set(threading.enumerate())
    with engine.live(streamer.Pushed(SIZE)) as robot:
        results_of(robot, lambda result: result.depth_map is not None)
    deadline_s = time.monotonic() + 5
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert not left


def test_a_failing_source_is_told_to_whoever_asks(engine):
    def images():
        yield STILL
        raise SourceError("The cable is out.")

    with engine.live(images()) as robot:
        with pytest.raises(SourceError, match="The cable is out"):
            list(robot)
        with pytest.raises(SourceError, match="The cable is out"):
            robot.latest()


def test_only_what_is_pushed_can_be_pushed_to(engine):
    with engine.live(iter([STILL])) as camera, pytest.raises(SourceError, match="gives its own frames"):
        camera.push(STILL)


def test_frames_come_while_the_models_load_and_what_was_said_meanwhile_is_answered(monkeypatch):
    may_load, loaded_in = threading.Event(), []

    def load(what):
        assert may_load.wait(20)
        loaded_in.append(threading.current_thread().name)
        return what

    monkeypatch.setattr(registry, "load_segmenter", lambda *_: load(ColorSegmenter()))
    monkeypatch.setattr(registry, "load_depth", lambda *_: load(RedDepth()))
    with streamer.live(streamer.Pushed(SIZE), CONFIG, [streamer.Prompt([BALL])]) as robot:
        early = results_of(robot, lambda result: result.index >= 3)
        assert robot.loading
        assert all(result.depth_map is None and not result.tracks[0].mask.any() for result in early)
        assert robot.click((230, 130)) == 2
        may_load.set()
        late = results_of(robot, lambda result: result.depth_map is not None and result.tracks[-1].mask.any())[-1]
        assert not robot.loading
        assert all(track.mask.any() for track in late.tracks)
    assert loaded_in == ["streamer-masks", "streamer-depth"]


def test_models_begin_to_load_once_the_first_frame_is_out(monkeypatch):
    """Importing what they need takes the interpreter, which the first frame would wait for."""
    begun = threading.Event()
    monkeypatch.setattr(model_threads, "share_models", lambda count: begun.set())
    with Engine(CONFIG) as engine, engine.live(streamer.Pushed(SIZE)) as robot:
        assert not begun.wait(0.2)
        robot.push(STILL)
        next(iter(robot))
        assert begun.wait(0.5)


def test_the_detector_is_not_loaded_for_whoever_says_no_words():
    models = Models(CONFIG, ColorSegmenter(), RedDepth())
    assert models.loader("detections") is None
    assert models.loader("masks") is not None
    said = Models(CONFIG.model_copy(update={"text": "dog"}), ColorSegmenter(), RedDepth())
    assert said.loader("detections") is not None


def test_models_load_with_the_first_wait_for_them():
    models, order = Models(CONFIG, ColorSegmenter(), RedDepth()), []
    load_now = models.load
    models.load = lambda: (order.append("load"), load_now())

    def meanwhile(loaded_within):
        order.append("shown")
        assert loaded_within(5)

    models.load_beside(meanwhile)
    assert order[:2] == ["shown", "load"]
    models.load_beside(lambda loaded_within: order.append("never"))
    assert models.loaded
    assert "never" not in order


def test_a_model_that_cannot_be_loaded_ends_the_run_with_its_sentence(monkeypatch):
    def load(*_):
        raise ModelError("The weights of vit_x are not here.")

    monkeypatch.setattr(registry, "load_segmenter", load)
    config = CONFIG.model_copy(update={"depth": None})
    with streamer.live(streamer.Pushed(SIZE), config) as robot, pytest.raises(ModelError, match="vit_x are not here"):
        results_of(robot, lambda result: False)


def test_cameras_share_the_models_which_are_asked_one_at_a_time():
    class OneAtATime(ColorSegmenter):
        def __init__(self):
            super().__init__(delay_s=0.01)
            self.busy = threading.Lock()

        def encode(self, image_rgb):
            assert self.busy.acquire(blocking=False), "two encodes at once"
            try:
                return super().encode(image_rgb)
            finally:
                self.busy.release()

    with Engine(CONFIG, segmenter=OneAtATime(), depth_estimator=RedDepth()).load() as engine, ExitStack() as stack:
        robots = [stack.enter_context(engine.live(streamer.Pushed(SIZE), [streamer.Prompt([BALL])])) for _ in range(3)]
        counts, end_s = [0], time.monotonic() + 60
        while min(counts) < 5:
            assert time.monotonic() < end_s, counts
            for robot in robots:
                robot.push(STILL)
            time.sleep(0.01)
            stages = [robot.summary()["stages"] for robot in robots]
            counts = [stage["masks"]["runs"] if "masks" in stage else 0 for stage in stages]
        assert max(counts) <= 3 * min(counts), "one camera was served much more than the others"
        assert all(robot.latest().tracks[0].mask.any() for robot in robots)


def test_what_is_known_of_depth_may_be_said_at_any_time(robot):
    """Relative depth is the red channel here: the ball has 220, the box 40, the background 70."""
    robot.push(STILL)
    results_of(robot, lambda result: result.depth_map is not None)
    robot.calibrate(KnownDepths([BALL, (250, 150), (10, 10)], [1.0, 5.0, 3.33]))
    result = results_of(robot, lambda result: result.depth_m is not None)[-1]
    assert result.depth_m[BALL[1], BALL[0]] == pytest.approx(1.0, rel=0.1)
    assert result.depth_error is not None
