"""The engine: models loaded once, sources opened with care, everything put back afterwards."""

from __future__ import annotations

import sys
import threading

import cv2
import numpy as np
import pytest

import streamer
from streamer.config import Config
from streamer.data.camera_model import CameraModel, Provenance
from streamer.data.prompt import Prompt
from streamer.engine import Engine, model_threads
from streamer.engine import engine as composition
from streamer.engine import stages as engine_stages
from streamer.errors import ConfigError, ModelError, PromptError, SourceError
from streamer.geometry.parameters import CameraParameters
from streamer.models import registry
from streamer.models.parameters import DepthParameters, SegmenterParameters
from streamer.models.runtime import devices
from streamer.motion.parameters import FlowParameters
from streamer.scheduling import sharing
from streamer.stages.parameters import ScheduleParameters
from streamer.tracking.parameters import TrackingParameters
from tests.fake_models import ColorSegmenter, RedDepth, moving_scene

COUNT = 8
BALL, BOX = (60, 80), (250, 150)
CONFIG = Config(
    device="cpu",
    schedule=ScheduleParameters(keyframe_interval=4, depth_interval=3),
    flow=FlowParameters(max_side_px=320),
    tracking=TrackingParameters(max_objects=2),
)


def images(count=COUNT):
    return [moving_scene(index)[0] for index in range(count)]


@pytest.fixture
def engine():
    """With models that need no weights."""
    with Engine(CONFIG, segmenter=ColorSegmenter(), depth_estimator=RedDepth()) as engine:
        yield engine


@pytest.fixture
def opened(monkeypatch):
    """The sources that were opened, and whether each was closed."""
    closed: dict[object, bool] = {}
    plain = composition.open_source

    def open_source(*arguments, **options):
        source = plain(*arguments, **options)
        close, closed[source] = source.close, False

        def noted():
            closed[source] = True
            close()

        source.close = noted
        return source

    monkeypatch.setattr(composition, "open_source", open_source)
    return closed


def streamer_threads():
    return {thread for thread in threading.enumerate() if thread.name.startswith("streamer-")}


def all_end(threads):
    """Whether they do, soon: nobody waits for a model that computes ahead."""
    for thread in threads:
        thread.join(5)
    return not any(thread.is_alive() for thread in threads)


def iou(mask, truth):
    return (mask & truth).sum() / (mask | truth).sum()


def test_run_gives_every_frame_with_what_was_clicked(engine):
    results = list(engine.run(images(), [Prompt([BALL])]))
    assert [result.index for result in results] == list(range(COUNT))
    for result in results:
        assert [track.id for track in result.tracks] == [1]
        assert iou(result.tracks[0].mask, moving_scene(result.index)[1] == 1) > 0.8
    assert [result.index for result in results if result.reason_of("masks")] == [0, 4]
    assert [result.index for result in results if result.reason_of("depth")] == [0, 3, 6]


def test_one_picture_alone_gets_masks_as_fine_as_itself(engine):
    coarse = FlowParameters(max_side_px=64, grid_side_px=64)
    engine.config = CONFIG.model_copy(update={"flow": coarse})
    (alone,) = engine.run(images(1))
    first = next(engine.run(images()))
    assert first.depth_map.shape[1] == 64
    assert alone.depth_map.shape[1] > 0.9 * alone.frame.size[0]


def test_without_prompts_objects_are_looked_for_up_to_the_limit_of_the_config(engine):
    first = next(engine.run(images()))
    assert first.reason_of("masks") == "discover"
    assert len(first.tracks) == 2
    engine.config = CONFIG.model_copy(update={"tracking": TrackingParameters(max_objects=0)})
    assert [len(result.tracks) for result in engine.run(images())] == [0] * COUNT


def test_a_run_sums_up_what_was_read_and_shown(engine):
    with engine.open(images(), [Prompt([BALL])]) as run:
        assert run.info.size == (320, 240)
        assert [next(iter(run)).index for _ in range(5)] == [0, 1, 2, 3, 4]
        frames = run.summary()["frames"]
        assert (frames["shown"], frames["dropped"]) == (5, {})
        assert 5 <= frames["read"] <= COUNT, "the reading thread may be ahead"
        list(run)
        summary = run.summary()
    assert (summary["frames"]["read"], summary["device"]) == (COUNT, engine.device)
    assert summary["stages"]["masks"]["runs"] == 2
    assert summary["stages"]["depth"]["runs"] == 3


def test_a_run_that_is_left_early_closes_its_source_and_its_threads(engine, opened):
    before = streamer_threads()
    results = engine.run(images(200), [Prompt([BALL])])
    next(results)
    new = streamer_threads() - before
    assert new
    results.close()
    assert list(opened.values()) == [True]
    assert all_end(new)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [(Prompt([(320, 5)]), "lies outside the frame, which is 320x240"), (Prompt(mask=np.ones((9, 9), bool)), "is 9x9")],
)
def test_prompts_are_checked_before_the_models_are_loaded(opened, monkeypatch, prompt, message):
    monkeypatch.setattr(registry, "load_segmenter", lambda parameters, device: pytest.fail("the model was loaded"))
    with Engine(CONFIG) as engine, pytest.raises(PromptError, match=message), engine.open(images(), [prompt]):
        pass
    assert list(opened.values()) == [True]


def test_there_is_nothing_to_say_where_masks_are_left_out(opened):
    config = CONFIG.model_copy(update={"segmenter": None})
    with Engine(config) as engine, pytest.raises(PromptError, match="Masks are left out"):
        list(engine.run(images(), [Prompt([BALL])]))
    assert list(opened.values()) == []


def test_one_prompt_needs_no_list(engine):
    assert [track.id for track in next(engine.run(images(), Prompt([BALL], object_id=7))).tracks] == [7]


def test_check_sees_the_source_and_closes_it_by_raising(engine, opened):
    seen = []

    def check(info):
        seen.append((info.name, info.size))
        raise SourceError("not this one")

    with pytest.raises(SourceError, match="not this one"), engine.open(images(), check=check):
        pass
    assert seen == [("arrays", (320, 240))]
    assert list(opened.values()) == [True]


def test_a_model_that_cannot_be_loaded_closes_the_source(opened, monkeypatch):
    def fail(parameters, device):
        raise ModelError("no weights")

    monkeypatch.setattr(registry, "load_segmenter", fail)
    with Engine(CONFIG) as engine, pytest.raises(ModelError, match="no weights"), engine.open(images()):
        pass
    assert list(opened.values()) == [True]


def test_each_run_starts_from_nothing_with_the_same_models(engine):
    runs = [[track.id for track in list(engine.run(images(), [Prompt([place])]))[-1].tracks] for place in (BALL, BOX)]
    assert runs == [[1], [1]]


def test_close_may_come_twice_and_while_a_run_is_open(opened):
    engine = Engine(CONFIG, segmenter=ColorSegmenter(), depth_estimator=RedDepth())
    before = streamer_threads()
    with engine.open(images(), [Prompt([BALL])], live=True) as run:
        frame = run.reader.get(5)
        run.pipeline.process(frame)
        new = streamer_threads() - before
        assert new
        engine.close()
        engine.close()
    engine.close()
    assert all_end(new)
    assert list(opened.values()) == [True]


def test_live_shares_the_processor_and_puts_everything_back(engine, monkeypatch):
    monkeypatch.setattr(sharing, "core_count", lambda: 4)

    def settings():
        return devices.thread_count(), cv2.getNumThreads(), sys.getswitchinterval()

    torch_threads, cv2_threads, interval_s = before = settings()
    try:
        devices.set_threads(4)
        cv2.setNumThreads(3)
        with engine.load().open(images(), [Prompt([BALL])]):
            assert settings() == (4, 3, interval_s)
        run = engine.open(images(), [Prompt([BALL])], live=True)
        run.__enter__()
        assert settings() == (3, 2, pytest.approx(0.001))
        assert not run.__exit__(RuntimeError, RuntimeError("midway"), None)
        assert settings() == (4, 3, interval_s)
    finally:
        devices.set_threads(torch_threads)
        cv2.setNumThreads(cv2_threads)
    assert settings() == before


@pytest.mark.parametrize(
    ("config", "own", "threads"),
    [
        (CONFIG, False, 2),
        (CONFIG, True, 4),
        (Config(device="cpu", segmenter=SegmenterParameters(model="vit_b")), False, 4),
        (Config(device="cpu", schedule=ScheduleParameters(model_threads=3)), True, 3),
    ],
)
def test_small_models_leave_half_the_cores_of_a_file_to_the_rest_of_it(monkeypatch, config, own, threads):
    monkeypatch.setattr(model_threads, "core_count", lambda: 4)
    monkeypatch.setattr(registry, "load_segmenter", lambda *_: ColorSegmenter())
    monkeypatch.setattr(registry, "load_depth", lambda *_: RedDepth())
    models = {"segmenter": ColorSegmenter()} if own else {}
    before = devices.thread_count()
    devices.set_threads(4)
    try:
        with Engine(config, **models) as engine, engine.open(images(2)):
            assert devices.thread_count() == threads
        assert devices.thread_count() == 4
        with Engine(config, **models) as engine, engine.open(images(1)) as run:
            assert run.info.is_alone
            assert devices.thread_count() == 4, "one picture alone has nothing beside it"
    finally:
        devices.set_threads(before)


def test_load_takes_a_preset_a_file_or_a_config(tmp_path):
    neither = ["segmenter=null", "depth=null"]
    assert streamer.load("tiny", ["device=cpu", *neither]).config.schedule == Config().schedule
    (tmp_path / "own.yaml").write_text("segmenter: null\ndepth: null\nschedule: {keyframe_interval: 7}\n")
    engine = composition.load(tmp_path / "own.yaml", ["schedule.depth_interval=2"])
    assert (engine.config.schedule.keyframe_interval, engine.config.schedule.depth_interval) == (7, 2)
    config = Config(segmenter=None, depth=None)
    engine = composition.load(config)
    assert engine.config is config
    assert (engine.segmenter, engine.depth_estimator) == (None, None)
    assert [result.tracks for result in engine.run(images(2))] == [(), ()]


def test_load_loads_and_says_what_is_wrong_at_once():
    with pytest.raises(ConfigError, match="keyframe_interval"):
        composition.load("tiny", ["schedule.keyframe_intervall=3"])
    with pytest.raises(ModelError, match="no device 'abacus'"):
        composition.load(Config(device="abacus", segmenter=None, depth=None))


def test_models_are_loaded_once_as_the_config_says(monkeypatch):
    loaded = []

    def load_depth(parameters, device):
        loaded.append((parameters, device))
        return RedDepth()

    monkeypatch.setattr(registry, "load_depth", load_depth)
    config = Config(device="cpu", segmenter=None, depth={"model": "some/model", "precision": "float32"})
    with composition.load(config) as engine:
        assert engine.load().depth_estimator is engine.depth_estimator
    assert loaded == [(DepthParameters(model="some/model", precision="float32"), "cpu")]


def test_the_config_reaches_the_tracker_whole(monkeypatch):
    built = []
    plain = engine_stages.build_tracker

    def build_tracker(segmenter, parameters, refiner):
        built.append((segmenter, parameters))
        return plain(segmenter, parameters, refiner)

    monkeypatch.setattr(engine_stages, "build_tracker", build_tracker)
    segmenter, own = ColorSegmenter(), TrackingParameters(max_objects=1)
    with Engine(CONFIG, segmenter=segmenter, depth_estimator=RedDepth()) as engine:
        engine.pipeline()
        engine.pipeline(tracking=own)
    assert built == [(segmenter, CONFIG.tracking), (segmenter, own)]
    assert [parameters is wanted for (_, parameters), wanted in zip(built, (CONFIG.tracking, own), strict=True)] == [
        True,
        True,
    ]


def test_models_of_ones_own_are_used_where_the_config_does_not_leave_their_kind_out(monkeypatch):
    monkeypatch.setattr(registry, "load_segmenter", lambda parameters, device: pytest.fail("a model was loaded"))
    monkeypatch.setattr(registry, "load_depth", lambda *arguments: pytest.fail("a model was loaded"))
    segmenter, estimator = ColorSegmenter(), RedDepth()
    with Engine(CONFIG, segmenter=segmenter, depth_estimator=estimator).load() as engine:
        assert (engine.segmenter, engine.depth_estimator) == (segmenter, estimator)
    for left_out, stages in (("segmenter", ["depth"]), ("depth", ["masks", "clicks"])):
        config = CONFIG.model_copy(update={left_out: None})
        with Engine(config, segmenter=segmenter, depth_estimator=estimator) as engine:
            assert [stage.name for stage in engine.pipeline().stages] == stages
            last = list(engine.run(images(5)))[-1]
            assert (last.depth_map is None, last.tracks == ()) == (left_out == "depth", left_out == "segmenter")


def test_every_result_says_what_is_known_of_the_camera(engine, tmp_path):
    (result,) = engine.run(images(1))
    assert result.camera == CameraModel.assumed((320, 240))
    scene = next(iter(engine.run("scene", size=(320, 240), frame_count=1)))
    assert (scene.camera.provenance, scene.camera.fov_deg) == (Provenance.GIVEN, pytest.approx(62))
    config = CONFIG.model_copy(update={"camera": CameraParameters(fov_deg=75)})
    with Engine(config, segmenter=ColorSegmenter(), depth_estimator=RedDepth()) as told:
        (result,) = told.run(images(1))
    assert (result.camera.provenance, result.camera.fov_deg) == (Provenance.FOV, pytest.approx(75))


def test_intrinsics_of_another_camera_are_refused_before_anything_slow_begins(tmp_path, opened):
    (tmp_path / "K.txt").write_text("1 PINHOLE 640 360 500 500 320 180")
    config = CONFIG.model_copy(update={"camera": CameraParameters(intrinsics=tmp_path / "K.txt")})
    with (
        Engine(config, segmenter=ColorSegmenter(), depth_estimator=RedDepth()) as engine,
        pytest.raises(ConfigError, match="of another shape"),
    ):
        list(engine.run(images(2)))
    assert list(opened.values()) == [True]


def test_a_model_that_sees_the_field_of_view_tells_it(engine):
    class Wide(RedDepth):
        fov_deg = None

        def estimate(self, image_rgb):
            self.fov_deg = 82.0
            return super().estimate(image_rgb)

    with Engine(CONFIG, segmenter=ColorSegmenter(), depth_estimator=Wide()) as told:
        result = list(told.run(images(2)))[-1]
    assert (result.camera.provenance, result.camera.fov_deg) == (Provenance.ESTIMATED, pytest.approx(82))
