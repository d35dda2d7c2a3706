"""From soft masks to what is shown."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.data.mask import box_of
from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters
from streamer.motion.pyramid import Grid
from streamer.tracking.compositing import INSIDE, FadeIn, on_frame, separated
from tests.tracking import fakes

IMAGE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8), (0, 0), 2)


def disc(radius, center=(80, 60)):
    return cv2.circle(np.zeros((120, 160), np.uint8), center, radius, 255, -1)


def area(soft):
    return np.count_nonzero(soft > INSIDE)


@pytest.fixture
def motion():
    motion = Motion(FlowParameters(max_side_px=160))
    motion.advance(0, IMAGE)
    return motion


def run(motion, fading, soft_masks, landed=()):
    motion.advance(motion.index + 1, IMAGE)
    return fading.apply(soft_masks, landed, motion)


def test_what_has_not_landed_late_is_shown_as_it_is(motion):
    fading = FadeIn()
    for radius in (20, 40, 10):
        soft = disc(radius)
        assert run(motion, fading, {1: soft})[1] is soft


def test_the_outline_moves_over_in_equal_steps_and_arrives(motion):
    fading = FadeIn(frames=4)
    run(motion, fading, {1: disc(25)})
    new = disc(40)
    areas = [area(run(motion, fading, {1: new}, {1})[1])]
    areas += [area(run(motion, fading, {1: new})[1]) for _ in range(4)]
    radii = np.sqrt(np.array(areas) / np.pi)
    assert radii == pytest.approx([28, 31, 34, 37, 40], abs=0.7)
    assert run(motion, fading, {1: new})[1] is new


def test_objects_fade_on_their_own_and_an_unseen_one_appears_at_once(motion):
    fading = FadeIn()
    run(motion, fading, {1: disc(25), 2: disc(10, (30, 30))})
    shown = run(motion, fading, {1: disc(40), 2: disc(12, (30, 30)), 3: disc(15)}, {1, 3})
    assert area(shown[1]) < 0.6 * area(disc(40))
    assert (shown[2] == disc(12, (30, 30))).all()
    assert (shown[3] == disc(15)).all()


def test_to_another_place_it_jumps(motion):
    fading = FadeIn()
    run(motion, fading, {1: disc(20, (40, 60))})
    assert (run(motion, fading, {1: disc(20, (120, 60))}, {1})[1] == disc(20, (120, 60))).all()


def test_a_second_landing_goes_on_from_what_is_on_the_screen(motion):
    fading = FadeIn(frames=4)
    run(motion, fading, {1: disc(25)})
    shown = run(motion, fading, {1: disc(40)}, {1})[1]
    again = run(motion, fading, {1: disc(25)}, {1})[1]
    assert abs(np.sqrt(area(shown) / np.pi) - np.sqrt(area(again) / np.pi)) < 2


def test_on_a_paused_frame_it_arrives_as_well(motion):
    fading = FadeIn(frames=2)
    fading.apply({1: disc(25)}, (), motion)
    for landed in ({1}, (), ()):
        shown = fading.apply({1: disc(40)}, landed, motion)
    assert (shown[1] == disc(40)).all()


def test_while_the_picture_moves_the_fading_outline_moves_along(motion):
    fading = FadeIn(frames=4)
    run(motion, fading, {1: disc(20)})
    soft_masks = []
    for step in range(1, 4):
        motion.advance(motion.index + 1, np.roll(IMAGE, 3 * step, axis=1))
        new = disc(30, (80 + 3 * step, 60))
        soft_masks.append(fading.apply({1: new}, {1} if step == 1 else (), motion)[1])
    centers = [np.nonzero(soft > INSIDE)[1].mean() for soft in soft_masks]
    assert np.diff(centers) == pytest.approx([3, 3], abs=0.7)


def test_after_a_scene_cut_nothing_is_faded(motion):
    fading = FadeIn()
    run(motion, fading, {1: disc(25)})
    fading.forget()
    assert (run(motion, fading, {1: disc(40)}, {1})[1] == disc(40)).all()


sides = st.integers(64, 1300)


@given(st.tuples(sides, sides), st.integers(0, 2**32 - 1), st.booleans())
def test_enlarging_a_part_equals_enlarging_all(frame_size, seed, touches_the_border):
    grid, rng = Grid.of(frame_size, 424), np.random.default_rng(seed)
    soft = np.zeros(grid.size[::-1], np.uint8)
    columns, rows = (sorted(rng.integers(0, side + 1, 2)) for side in grid.size)
    part = soft[slice(*rows), slice(0 if touches_the_border else columns[0], columns[1])]
    part[:] = rng.integers(0, 256, part.shape)
    whole = cv2.resize(soft, frame_size, interpolation=cv2.INTER_LINEAR)
    mask, box = on_frame(soft, grid)
    undecided = (whole == 127) | (whole == 128)  # OpenCV's weights are rounded a little differently
    assert np.array_equal(mask[~undecided], whole[~undecided] > 127)
    assert box == box_of(mask)


def test_nothing_has_no_box():
    grid = Grid.of((1280, 720), 424)
    mask, box = on_frame(np.zeros(grid.size[::-1], np.uint8), grid)
    assert mask.shape == (720, 1280)
    assert not mask.any()
    assert box is None


def test_contested_pixels_go_to_the_surer_object_or_to_the_one_at_that_depth():
    near, far = fakes.disc((70, 48), 20), fakes.disc((90, 48), 20)
    both = (near > 0) & (far > 0)
    first, second = separated([near, far], [0.5, 0.9], None)
    assert (second[both] > INSIDE).all()
    assert not (first[both] > INSIDE).any()
    inverse_depth = np.ones((96, 160), np.float32)
    inverse_depth[near > 0] = 5
    first, second = separated([near, far], [0.8, 0.85], inverse_depth)
    assert (first[both] > INSIDE).all()
    assert not (second[both] > INSIDE).any()


def test_what_lies_wholly_on_something_larger_is_in_front_of_it():
    person, ball = fakes.disc((80, 48), 40), fakes.disc((85, 50), 10)
    first, second = separated([person, ball], [0.9, 0.6], None)
    assert (second[ball > 0] > INSIDE).all()
    assert not (first[ball > 0] > INSIDE).any()
