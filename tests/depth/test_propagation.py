import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.depth.propagation import DepthCarrier, align
from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters

RAMP = np.tile(np.linspace(1, 9, 320, dtype=np.float32), (176, 1))
IMAGE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (176, 320, 3), dtype=np.uint8), (0, 0), 2)
IMAGE = cv2.normalize(IMAGE, None, 0, 255, cv2.NORM_MINMAX)


@given(st.floats(0.1, 10), st.floats(-5, 5))
def test_align_finds_scale_and_shift(scale, shift):
    reference = np.random.default_rng(1).normal(5, 2, 4000).astype(np.float32)
    found_scale, found_shift = align((reference - shift) / np.float32(scale), reference)
    assert found_scale == pytest.approx(scale, rel=0.01)
    assert found_shift == pytest.approx(shift, abs=0.05)


def test_align_is_not_fooled_by_a_part_that_moved():
    reference = np.linspace(0, 10, 4000, dtype=np.float32)
    new = reference / 2 - 1
    new[:400] += 30
    scale, shift = align(new, reference)
    assert np.abs(scale * new[400:] + shift - reference[400:]).mean() < 0.4


def test_align_leaves_a_flat_map_alone():
    assert align(np.ones(100, np.float32), np.arange(100, dtype=np.float32)) == (1.0, 0.0)


def test_noise_does_not_shrink_the_scale_run_after_run():
    random, carrier, motion = np.random.default_rng(2), DepthCarrier(), Motion(FlowParameters(max_side_px=320))
    motion.advance(0, IMAGE)
    carrier.adopt(RAMP, motion.open(), None)
    for _ in range(50):
        noisy = RAMP + random.normal(0, 0.7, RAMP.shape).astype(np.float32)
        carrier.adopt(noisy * 3 + 4, motion.open(), carrier.on_grid(motion.present))
    assert np.ptp(np.percentile(carrier.on_grid(motion.present), (5, 95))) == pytest.approx(7.2, rel=0.15)


def test_a_new_map_takes_the_scale_of_the_old_one():
    carrier, motion = DepthCarrier(), Motion(FlowParameters(max_side_px=320))
    motion.advance(0, IMAGE)
    carrier.adopt(RAMP, motion.open(), None)
    before = carrier.range
    carrier.adopt(RAMP * 7 - 3, motion.open(), carrier.on_grid(motion.present))
    assert np.abs(carrier.on_grid(motion.present) - carrier.on_grid(motion.present)[0]).max() < 1e-3
    assert carrier.range == pytest.approx(before, rel=0.01)


def test_depth_moves_with_the_picture():
    carrier, motion = DepthCarrier(), Motion(FlowParameters(max_side_px=320))
    motion.advance(0, IMAGE)
    carrier.adopt(RAMP, motion.open(), None)
    motion.advance(1, np.roll(IMAGE, 8, axis=1))
    moved = carrier.on_grid(motion.present)
    assert np.abs(moved[40:-40, 60:-60] - np.roll(RAMP, 8, axis=1)[40:-40, 60:-60]).mean() < 0.1


def test_the_background_comes_to_light_behind_a_thing_that_moves_away():
    carrier, motion = DepthCarrier(), Motion(FlowParameters(max_side_px=320))
    thing = np.full((60, 60, 3), 255, np.uint8)
    thing[::8], thing[:, ::8] = 0, 0
    for index, x in enumerate((100, 108, 116)):
        image = IMAGE.copy()
        image[50:110, x : x + 60] = thing
        motion.advance(index, image)
        if index == 0:
            depth = np.ones((176, 320), np.float32)
            depth[50:110, 100:160] = 5
            carrier.adopt(depth, motion.open(), None)
    carried = carrier.on_grid(motion.present)
    assert np.median(carried[60:100, 101:114]) < 1.5
    assert np.median(carried[60:100, 122:170]) > 4.5


def test_after_a_cut_nothing_is_left():
    carrier, motion = DepthCarrier(), Motion(FlowParameters(max_side_px=320))
    motion.advance(0, IMAGE)
    carrier.adopt(RAMP, motion.open(), None)
    carrier.forget()
    assert carrier.on_grid(motion.present) is None
    assert carrier.range is None
    assert carrier.anchor is None


def test_stats_are_quartiles_smoothed_over_time():
    carrier, mask = DepthCarrier(), np.zeros((176, 320), bool)
    mask[50:100, 100:200] = True
    first = carrier.stats(1, RAMP, mask)
    assert (first.lower, first.median, first.upper) == pytest.approx(np.percentile(RAMP[mask], (25, 50, 75)), abs=0.05)
    second = carrier.stats(1, RAMP + 1, mask)
    assert first.median < second.median < first.median + 1
    assert carrier.stats(1, RAMP, np.zeros_like(mask)) is None
    assert carrier.stats(1, RAMP + 1, mask).median == pytest.approx(first.median + 1)
