"""On rendered scenes, whose truth is exact: relative maps become meters, and objects have their place."""

from functools import cache

import numpy as np
import pytest

from streamer.data.depth_unit import DepthUnit
from streamer.data.frame import Frame
from streamer.data.known_depths import KnownDepths
from streamer.depth.ground import Ground
from streamer.errors import PromptError
from streamer.geometry.known_camera import KnownCamera
from streamer.motion.motion import Motion
from streamer.pipeline import Pipeline
from streamer.scheduling.workers import InlineWorkers
from streamer.stages.depth import DepthStage
from streamer.stages.parameters import ScheduleParameters
from streamer.synthetic import SceneSource
from tests.pipelines import Gate, another_scene

SIZE = (320, 180)
SCENE = SceneSource(seed=0, size=SIZE, frame_count=None)


@cache
def truth(index):
    return SCENE.truth(index)


@cache
def frame(index):
    return Frame(index, index / 30, SCENE.render(index), 0.0)


class Oracle:
    """Knows the truth, at another scale and shift at every look."""

    def __init__(self):
        self.calls = 0

    def estimate(self, image_rgb):
        self.calls += 1
        index = next(index for index in range(60) if frame(index).image_rgb is image_rgb)
        return truth(index).inverse_depth * (30 + 5 * (self.calls % 3)) + 4 * (self.calls % 2)


def ramp(image_rgb):
    """Nearer to the right."""
    height, width = image_rgb.shape[:2]
    return np.tile(np.linspace(1, 9, width, dtype=np.float32), (height, 1))


def two_meters(image_rgb):
    return np.full(image_rgb.shape[:2], 0.5, np.float32)


def pipeline_of(ground=None, unit=DepthUnit.RELATIVE, workers=None, estimate=None):
    camera, schedule = KnownCamera(own=SCENE.info.camera), ScheduleParameters(depth_interval=3)
    stage = DepthStage(estimate or Oracle().estimate, schedule, unit, camera, ground)
    pipeline = Pipeline([stage], workers or InlineWorkers(), Motion(), camera=camera, calibrated=stage)
    return pipeline, stage


def known(index, count=5, seed=1):
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(60, 180, count), rng.integers(0, 320, count)
    return KnownDepths(np.column_stack([columns, rows]), 1 / truth(index).inverse_depth[rows, columns])


def abs_rel(result, index, far_m=12.0):
    true_m = 1 / truth(index).inverse_depth
    near = true_m < far_m
    return float(np.mean(np.abs(result.depth_m[near] / true_m[near] - 1)))


def test_five_known_points_on_the_first_frame_are_enough():
    pipeline, _ = pipeline_of()
    pipeline.calibrate(known(0))
    for index in range(8):
        result = pipeline.process(frame(index))
        assert result.depth_unit is DepthUnit.METERS
        assert abs_rel(result, index) < 0.05
        assert 0 < result.depth_error < 0.15


def test_points_that_are_pushed_later_count_from_then_on():
    pipeline, _ = pipeline_of()
    assert pipeline.process(frame(0)).depth_m is None
    pipeline.process(frame(1))
    pipeline.calibrate(known(1))
    result = pipeline.process(frame(2))
    assert abs_rel(result, 2) < 0.05


def test_a_beam_that_sees_one_point_a_frame_is_enough_after_a_while():
    pipeline, _ = pipeline_of()
    for index in range(10):
        result = pipeline.process(frame(index))
        pipeline.calibrate(known(index, count=1, seed=index))
    assert abs_rel(result, 9) < 0.05


@pytest.mark.parametrize("looks_at", [0, 2])
def test_points_are_kept_until_the_first_map_is_there(looks_at):
    """They are said of frame 0 or 1; the model looks at frame 0, or only at frame 2, and answers later."""
    gate = Gate()
    pipeline, stage = pipeline_of(workers=gate)
    if looks_at:
        stage.due = lambda situation, due=stage.due: due(situation) if situation.index >= looks_at else None
    pipeline.calibrate(known(0, seed=1))
    for index in range(4):
        pipeline.process(frame(index))
        if index == 1:
            pipeline.calibrate(known(1, seed=2))
    gate.release("depth")
    result = pipeline.process(frame(4))
    assert abs_rel(result, 4) < 0.06


def test_another_scene_has_no_meters_until_it_is_calibrated_anew():
    pipeline, _ = pipeline_of(estimate=ramp)
    pipeline.calibrate(KnownDepths([(10, 90), (300, 90)], [5.0, 1.0]))
    assert pipeline.process(frame(0)).depth_m is not None
    other = another_scene(1)
    cut = pipeline.process(Frame(1, 1 / 30, other.image_rgb[:180], 0.0))
    assert cut.depth_unit is DepthUnit.RELATIVE
    assert cut.depth_error is None


def test_an_object_has_its_place_and_its_distance_in_meters():
    pipeline, stage = pipeline_of()
    pipeline.calibrate(known(0, count=8))
    result = pipeline.process(frame(0))
    motion = pipeline._motion
    for object_id in np.unique(truth(0).labels)[1:]:
        mask = truth(0).labels == object_id
        rows, columns = np.nonzero(mask)
        points = SCENE.info.camera.unproject(np.column_stack([columns, rows]), 1 / truth(0).inverse_depth[mask])
        true_place = np.median(points, axis=0)
        on_grid = motion.grid.shrink(mask.astype(np.float32)) > 0.5
        place = stage.position_m(stage.on_grid(motion), on_grid, motion)
        assert np.linalg.norm(place - true_place) < 0.05 * np.linalg.norm(true_place)
        stats = stage.stats(int(object_id), stage.on_grid(motion), on_grid)
        assert stats.unit is DepthUnit.METERS
        assert stats.lower <= stats.median <= stats.upper
        assert stats.median == pytest.approx(np.median(points[:, 2]), rel=0.05)
        assert 0 < stats.error < 0.2
    assert result.depth_m is not None


def test_without_meters_there_is_no_place():
    pipeline, stage = pipeline_of()
    pipeline.process(frame(0))
    motion = pipeline._motion
    on_grid, mask = stage.on_grid(motion), np.ones(motion.grid.shape, bool)
    assert stage.position_m(on_grid, mask, motion) is None
    stats = stage.stats(1, on_grid, mask)
    assert (stats.unit, stats.error) == (DepthUnit.RELATIVE, None)
    assert stats.median == pytest.approx(np.median(on_grid), rel=0.05)


def test_a_metric_model_stays_as_it_is_and_takes_no_points():
    pipeline, stage = pipeline_of(Ground(1.5, 6.0), DepthUnit.METERS, estimate=two_meters)
    result = pipeline.process(frame(0))
    np.testing.assert_allclose(result.depth_m, 2.0)
    assert result.depth_error is None
    motion = pipeline._motion
    x, y, z = stage.position_m(stage.on_grid(motion), np.ones(motion.grid.shape, bool), motion)
    assert (abs(x), abs(y), z) == (pytest.approx(0, abs=0.05), pytest.approx(0, abs=0.05), pytest.approx(2))
    with pytest.raises(PromptError, match="meters already"):
        pipeline.calibrate(known(0))


def test_without_depth_there_is_nothing_to_calibrate():
    pipeline = Pipeline([], InlineWorkers(), Motion())
    with pytest.raises(PromptError, match="Depth is left out"):
        pipeline.calibrate(known(0))


def test_a_point_beside_the_frame_is_refused():
    pipeline, _ = pipeline_of()
    pipeline.process(frame(0))
    with pytest.raises(PromptError, match="outside the frame"):
        pipeline.calibrate(KnownDepths([(500, 10)], [1.0]))


def test_a_known_height_above_the_ground_makes_meters():
    """The demo's camera walks 1.5 m above the meadow and looks down by about 0.1 rad."""
    pipeline, _ = pipeline_of(Ground(1.5, float(np.degrees(0.1))))
    for index in range(5):
        result = pipeline.process(frame(index))
    assert abs_rel(result, 4, far_m=8.0) < 0.05
    assert 0.02 < result.depth_error < 0.2
