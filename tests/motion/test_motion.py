import gc

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.motion.anchors import Anchor, compose
from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters
from streamer.motion.pyramid import Grid, Pyramid


def textured(size=(640, 360), seed=0):
    width, height = size
    noise = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4, 3), dtype=np.uint8)
    return cv2.GaussianBlur(cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC), (0, 0), 2)


def shifted(image, dx, dy):
    height, width = image.shape[:2]
    return cv2.warpAffine(image, np.float32([[1, 0, dx], [0, 1, dy]]), (width, height), borderMode=cv2.BORDER_REFLECT)


@given(st.integers(16, 4000), st.integers(16, 4000), st.integers(64, 1000), st.data())
def test_grid_maps_points_there_and_back(width, height, max_side, data):
    grid = Grid.of((width, height), max_side)
    point = np.float32([[data.draw(st.floats(0, width - 1)), data.draw(st.floats(0, height - 1))]])
    assert np.allclose(grid.to_frame(grid.from_frame(point)), point, atol=1e-2)
    assert max(grid.size) <= max(max_side, 8) + 8


def affine_step(grid, matrix, offset):
    """A map of the grid's points, as one between half levels, whose pixels lie amid four of the grid's."""
    points = 2 * np.stack(half_points(grid), axis=-1) + 0.5
    points = (points @ np.float32(matrix).T + np.float32(offset) - 0.5) / 2
    return np.ascontiguousarray(points[..., 0]), np.ascontiguousarray(points[..., 1])


def half_points(grid):
    rows, columns = np.indices((grid.size[1] // 2, grid.size[0] // 2), np.float32)
    return columns, rows


@given(st.lists(st.tuples(st.floats(-0.02, 0.02), st.floats(-2, 2), st.floats(-2, 2)), min_size=1, max_size=5))
def test_composed_steps_equal_the_composed_affine_map(steps):
    """Linear interpolation of an affine map is exact, so composing must be exact too, away from the border."""
    grid = Grid.of((160, 96), 160)
    pyramid = Pyramid.of(np.zeros((96, 160, 3), np.uint8), grid, grid)
    anchors, wholes = [], []
    for turn, dx, dy in steps:
        anchors.append(Anchor(0, pyramid, *half_points(grid)))
        wholes.append(np.eye(3))
        matrix = np.array([[1, -turn], [turn, 1]])
        compose(anchors, *affine_step(grid, matrix, (dx, dy)))
        step = np.eye(3)
        step[:2, :2], step[:2, 2] = matrix, (dx, dy)
        wholes = [whole @ step for whole in wholes]
    center = np.float32([[80, 48], [70, 40]])
    for age, (anchor, whole) in enumerate(zip(reversed(anchors), reversed(wholes), strict=True), start=1):
        expected = center @ whole[:2, :2].T + whole[:2, 2]
        assert np.allclose(anchor.points_to_anchor(center), expected, atol=1e-2)
        assert anchor.age == age


def test_what_is_on_the_anchor_is_carried_with_the_picture():
    motion, image = Motion(FlowParameters(grid_side_px=640)), textured()
    motion.advance(0, image)
    anchor = motion.open()
    mask = np.zeros(motion.grid.size[::-1], np.uint8)
    cv2.circle(mask, (200, 180), 60, 255, -1)
    for index in range(1, 8):
        motion.advance(index, shifted(image, 5 * index, 2 * index))
    expected = shifted(mask, 35, 14) > 127
    carried = anchor.carry(mask) > 127
    assert anchor.age == 7
    assert (carried & expected).sum() / (carried | expected).sum() > 0.95
    assert np.allclose(anchor.points_to_anchor(np.float32([[235, 194]])), [[200, 180]], atol=1.5)


def test_the_step_leads_to_the_frame_before():
    motion, image = Motion(FlowParameters(grid_side_px=320)), textured()
    motion.advance(0, image)
    motion.advance(1, shifted(image, 8, 0))
    assert motion.step[0].shape == (88, 160)
    assert np.median(motion.step[0] - np.arange(160)) == pytest.approx(-8 / 4, abs=0.1)


def test_what_was_uncovered_is_not_trusted():
    motion, image = Motion(), textured()
    first, second = image.copy(), image.copy()
    first[100:200, 200:300] = second[100:200, 240:340] = 255
    motion.advance(0, first)
    anchor = motion.open()
    assert anchor.trust(motion.present).min() == 1
    motion.advance(1, second)
    trust = cv2.resize(anchor.trust(motion.present), motion.grid.frame_size, interpolation=cv2.INTER_LINEAR)
    assert trust[110:190, 205:225].mean() < 0.3
    assert trust[250:].mean() > 0.9


def test_an_anchor_nobody_holds_costs_nothing():
    motion, image = Motion(), textured()
    motion.advance(0, image)
    kept, dropped = motion.open(), motion.open()
    assert motion.open_anchors == 2
    del dropped
    gc.collect()
    motion.advance(1, image)
    assert motion.open_anchors == 1
    assert kept.age == 1


def test_points_that_do_not_come_back_are_reported():
    motion, image = Motion(), textured()
    motion.advance(0, image)
    moved = shifted(image, 6, 3)
    moved[100:200, 300:420] = textured((120, 100), seed=9)
    motion.advance(1, moved)
    points, good = motion.follow(np.float32([[150, 250], [360, 150], [638, 100]]))
    assert np.allclose(points[0], (156, 253), atol=0.5)
    assert good.tolist() == [True, False, False]


def test_a_cut_is_seen_and_fast_motion_is_not_a_cut():
    motion, image = Motion(), textured()
    motion.advance(0, image)
    assert not motion.scene_cut
    motion.advance(1, shifted(image, 12, 6))
    assert not motion.scene_cut
    other = cv2.convertScaleAbs(textured(seed=3), alpha=0.4, beta=130)
    motion.advance(2, other)
    assert motion.scene_cut
    motion.advance(3, other)
    assert not motion.scene_cut


def test_a_frame_of_another_size_starts_afresh():
    motion = Motion()
    motion.advance(0, textured())
    motion.advance(1, textured((320, 200)))
    assert motion.scene_cut
    assert motion.step is None
    assert motion.grid.frame_size == (320, 200)


def test_no_points_are_followed_without_trouble():
    motion = Motion()
    motion.advance(0, textured())
    motion.advance(1, textured())
    points, good = motion.follow(np.empty((0, 2), np.float32))
    assert points.shape == (0, 2)
    assert good.shape == (0,)


@pytest.mark.parametrize("size", [(2000, 8), (1, 1), (5, 3), (8, 900)])
def test_the_thinnest_frames_have_a_flow_as_well(size):
    motion = Motion()
    for index in range(3):
        motion.advance(index, np.full((size[1], size[0], 3), 40 * index, np.uint8))
    assert motion.step is not None
    points = np.zeros((1, 2), np.float32)
    np.testing.assert_allclose(motion.grid.from_frame(motion.grid.to_frame(points)), points, atol=1e-4)
