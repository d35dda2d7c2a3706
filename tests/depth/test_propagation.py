"""Depth maps between two runs of the model: carried, and steady in scale and color."""

import cv2
import numpy as np
import pytest

from streamer.depth.propagation import DepthPropagation
from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters

RAMP = np.tile(np.linspace(1, 9, 320, dtype=np.float32), (176, 1))
IMAGE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (176, 320, 3), dtype=np.uint8), (0, 0), 2)
IMAGE = cv2.normalize(IMAGE, None, 0, 255, cv2.NORM_MINMAX)


def test_noise_does_not_shrink_the_scale_run_after_run():
    random, propagation, motion = np.random.default_rng(2), DepthPropagation(), Motion(FlowParameters(max_side_px=320))
    motion.advance(0, IMAGE)
    propagation.adopt(RAMP, motion.open(), None)
    for _ in range(50):
        noisy = RAMP + random.normal(0, 0.7, RAMP.shape).astype(np.float32)
        propagation.adopt(noisy * 3 + 4, motion.open(), propagation.on_grid(motion.present))
    assert np.ptp(np.percentile(propagation.on_grid(motion.present), (5, 95))) == pytest.approx(7.2, rel=0.15)


def test_a_new_map_takes_the_scale_of_the_old_one():
    propagation, motion = DepthPropagation(), Motion(FlowParameters(max_side_px=320))
    motion.advance(0, IMAGE)
    propagation.adopt(RAMP, motion.open(), None)
    before = propagation.range
    propagation.adopt(RAMP * 7 - 3, motion.open(), propagation.on_grid(motion.present))
    assert np.abs(propagation.on_grid(motion.present) - propagation.on_grid(motion.present)[0]).max() < 1e-3
    assert propagation.range == pytest.approx(before, rel=0.01)


def test_depth_moves_with_the_picture():
    propagation, motion = DepthPropagation(), Motion(FlowParameters(max_side_px=320))
    motion.advance(0, IMAGE)
    propagation.adopt(RAMP, motion.open(), None)
    motion.advance(1, np.roll(IMAGE, 8, axis=1))
    moved = propagation.on_grid(motion.present)
    assert np.abs(moved[40:-40, 60:-60] - np.roll(RAMP, 8, axis=1)[40:-40, 60:-60]).mean() < 0.1


def test_the_background_comes_to_light_behind_a_thing_that_moves_away():
    propagation, motion = DepthPropagation(), Motion(FlowParameters(max_side_px=320))
    thing = np.full((60, 60, 3), 255, np.uint8)
    thing[::8], thing[:, ::8] = 0, 0
    for index, x in enumerate((100, 108, 116)):
        image = IMAGE.copy()
        image[50:110, x : x + 60] = thing
        motion.advance(index, image)
        if index == 0:
            depth = np.ones((176, 320), np.float32)
            depth[50:110, 100:160] = 5
            propagation.adopt(depth, motion.open(), None)
    carried = propagation.on_grid(motion.present)
    assert np.median(carried[60:100, 101:114]) < 1.5
    assert np.median(carried[60:100, 122:170]) > 4.5


def test_after_a_cut_nothing_is_left():
    propagation, motion = DepthPropagation(), Motion(FlowParameters(max_side_px=320))
    motion.advance(0, IMAGE)
    propagation.adopt(RAMP, motion.open(), None)
    propagation.forget()
    assert propagation.on_grid(motion.present) is None
    assert propagation.range is None
    assert propagation.age(7) is None


def test_stats_are_quartiles_smoothed_over_time():
    propagation, mask = DepthPropagation(), np.zeros((176, 320), bool)
    mask[50:100, 100:200] = True
    first = propagation.stats(1, RAMP, mask)
    assert (first.lower, first.median, first.upper) == pytest.approx(np.percentile(RAMP[mask], (25, 50, 75)), abs=0.05)
    propagation.advance()
    for _ in range(3):
        second = propagation.stats(1, RAMP + 1, mask)
        assert first.median < second.median < first.median + 1
        assert second.median == pytest.approx(first.median + 0.3), "asking again on the same frame changes nothing"
    propagation.advance()
    assert propagation.stats(1, RAMP, np.zeros_like(mask)) is None
    propagation.advance()
    assert propagation.stats(1, RAMP + 1, mask).median == pytest.approx(first.median + 1)
