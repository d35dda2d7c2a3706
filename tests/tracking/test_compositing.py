"""From soft masks to what is shown."""

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.data.mask import box_of
from streamer.motion.pyramid import Grid
from streamer.tracking.compositing import INSIDE, on_frame, separated
from tests.tracking import fakes


def disc(radius, center=(80, 60)):
    return cv2.circle(np.zeros((120, 160), np.uint8), center, radius, 255, -1)


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
