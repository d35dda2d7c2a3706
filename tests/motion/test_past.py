"""Where what was pointed at a moment ago is now."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters
from streamer.motion.past import FRAMES
from tests.fake_models import moving_scene
from tests.motion.test_motion import shifted, textured

SPEED_PX = 4.0


def motion_over(count, picture):
    motion = Motion(FlowParameters(max_side_px=320, grid_side_px=320))
    for index in range(count):
        motion.advance(index, picture(index))
    return motion


def points(*places):
    return np.float32(places)


def test_a_point_is_found_where_the_picture_has_moved_to():
    image = textured((320, 240))
    motion = motion_over(8, lambda index: shifted(image, 5 * index, 2 * index))
    for index in (0, 3, 6):
        here, found = motion.points_to_present(points((100, 80), (40, 150)), index)
        ago = 7 - index
        assert found.all()
        assert np.abs(here - points((100 + 5 * ago, 80 + 2 * ago), (40 + 5 * ago, 150 + 2 * ago))).max() < 1.5


def test_a_click_near_the_tail_of_what_moves_stays_on_it():
    """Dense flow smears the ball over the ground that it uncovers, and would lead to the ground as well."""
    motion = motion_over(11, lambda index: moving_scene(index, speed_px=SPEED_PX)[0])
    _, labels = moving_scene(10, speed_px=SPEED_PX)
    tail = 60 - 22, 80  # of the ball on frame 0, which has a radius of 28
    here, found = motion.points_to_present(points(tail), 0)
    assert found.all()
    column, row = np.rint(here[0]).astype(int)
    assert labels[row, column] == 1
    assert labels[tail[1], tail[0]] == 0, "the ball has left that place: a click that is not carried misses it"


def test_the_present_frame_is_itself():
    motion = motion_over(3, lambda index: textured((320, 240)))
    here, found = motion.points_to_present(points((10, 20)), 2)
    assert here.tolist() == [[10, 20]]
    assert found.all()


def test_what_has_left_the_picture_is_not_found():
    image = textured((320, 240))
    motion = motion_over(6, lambda index: shifted(image, 12 * index, 0))
    _, found = motion.points_to_present(points((300, 100), (100, 100)), 0)
    assert found.tolist() == [False, True]


def test_what_is_covered_is_not_found():
    def picture(index):
        image = textured((320, 240)).copy()
        image[60:120, 60:120] = 230
        image[40:140, max(0, 20 * index - 80) : 20 * index + 20] = 10  # something dark that comes from the left
        return image

    motion = motion_over(8, picture)
    _, found = motion.points_to_present(points((90, 90), (250, 200)), 0)
    assert found.tolist() == [False, True]


@pytest.mark.parametrize("index", [-1, 1, 99])
def test_a_frame_of_another_scene_or_of_none_is_not_remembered(index):
    motion = motion_over(3, lambda index: textured((320, 240)))
    for later in (3, 4):
        motion.advance(later, np.full((240, 320, 3), 20, np.uint8))
    with pytest.raises(LookupError):
        motion.points_to_present(points((10, 10)), index)


def test_a_frame_of_another_size_leads_nowhere():
    motion = motion_over(3, lambda index: textured((320, 240)))
    motion.advance(3, textured((160, 120)))
    with pytest.raises(LookupError):
        motion.points_to_present(points((10, 10)), 2)


def test_the_past_does_not_grow():
    image = textured((64, 48))
    motion = motion_over(FRAMES + 5, lambda index: image)
    with pytest.raises(LookupError):
        motion.points_to_present(points((10, 10)), 4)
    assert motion.points_to_present(points((10, 10)), 5)[1].all()
