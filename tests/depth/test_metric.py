"""Meters stay meters: a perfect oracle in place of the model, in front of which the camera moves in."""

import cv2
import numpy as np
import pytest

from streamer.data.depth_unit import DepthUnit
from streamer.data.frame import Frame
from streamer.motion.motion import Motion
from streamer.pipeline import Pipeline
from streamer.scheduling.workers import InlineWorkers
from streamer.stages.depth import DepthStage
from streamer.stages.parameters import ScheduleParameters

WALL = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 255, (480, 640, 3), dtype=np.uint8), (0, 0), 3)
FRAMES = 51


def distance_m(index: int) -> float:
    return 2.0 - index / (FRAMES - 1)


def frame_at(index: int) -> Frame:
    """The wall from ``distance_m``: at half the distance it is twice as large."""
    zoom = distance_m(0) / distance_m(index)
    image = cv2.warpAffine(WALL, cv2.getRotationMatrix2D((320, 240), 0, zoom), (640, 480))
    return Frame(index, index / 30, image, 0.0)


@pytest.mark.parametrize("interval", [1, 5])
def test_the_camera_moves_in_and_so_do_the_meters(interval):
    seen = iter(range(0, FRAMES, interval))

    def oracle(image_rgb):
        return np.full(image_rgb.shape[:2], 1 / distance_m(next(seen)), np.float32)

    stage = DepthStage(oracle, ScheduleParameters(depth_interval=interval), DepthUnit.METERS)
    pipeline = Pipeline([stage], InlineWorkers(), Motion())
    for index in range(FRAMES):
        result = pipeline.process(frame_at(index))
        known = distance_m(index - index % interval)
        assert result.depth_unit is DepthUnit.METERS
        np.testing.assert_allclose(result.depth_m, known, rtol=1e-4)


def test_what_is_relative_has_no_meters():
    stage = DepthStage(lambda image: np.ones(image.shape[:2], np.float32), ScheduleParameters())
    result = Pipeline([stage], InlineWorkers(), Motion()).process(frame_at(0))
    assert result.depth_m is None
    assert result.depth_unit is DepthUnit.RELATIVE


def test_an_object_is_told_in_meters_smoothed_and_as_it_is_now():
    stage = DepthStage(lambda image: np.full(image.shape[:2], 0.5, np.float32), ScheduleParameters(), DepthUnit.METERS)
    mask = np.ones((40, 40), bool)
    assert stage.stats(1, np.full((40, 40), 0.5, np.float32), mask).median == pytest.approx(2.0)
    stage.propagate(Motion())
    nearer = stage.stats(1, np.full((40, 40), 1.0, np.float32), mask)
    assert nearer.now == pytest.approx(1.0)
    assert nearer.median == pytest.approx(0.7 * 2.0 + 0.3 * 1.0)
    assert nearer.unit is DepthUnit.METERS
