"""Depths that are known from elsewhere, in every form in which sensors give them."""

import numpy as np
import pytest

from streamer.data.camera_model import CameraModel
from streamer.data.known_depths import KnownDepths, check_inside
from streamer.errors import PromptError

CAMERA = CameraModel(640, 480, 500, 500, 320, 240)


def test_a_tape_measures_along_the_ray_and_a_map_along_the_axis():
    known = KnownDepths([(320, 240), (320 + 500, 240)], [2.0, 2.0], along_ray=True).on_axis(CAMERA)
    np.testing.assert_allclose(known.meters, [2.0, 2.0 / 2**0.5], rtol=1e-6)  # the second one is 45 degrees aside
    assert known.on_axis(CAMERA) is known


def test_a_lidar_sees_more_than_the_camera():
    points = [(0, 0, 4.0), (0.4, 0, 2.0), (0, 0, -3.0), (9, 0, 1.0)]
    known = KnownDepths.from_points(points, CAMERA, relative_error=0.01)
    np.testing.assert_allclose(known.point_coords, [(320, 240), (420, 240)])
    np.testing.assert_allclose(known.meters, [4, 2])
    assert known.relative_error == 0.01


def test_of_a_depth_camera_a_sample_is_taken_and_holes_are_none():
    depth_m = np.zeros((480, 640), np.float32)
    depth_m[100:200, 300:500] = 1.5
    depth_m[150] = np.nan
    known = KnownDepths.from_depth_map(depth_m)
    assert 300 <= len(known) < 700
    assert (known.meters == 1.5).all()
    columns, rows = known.point_coords.T
    assert ((rows >= 100) & (rows < 200) & (rows != 150) & (columns >= 300) & (columns < 500)).all()
    assert len(KnownDepths.from_depth_map(np.zeros((4, 4)))) == 0


@pytest.mark.parametrize(
    ("coords", "meters", "says"),
    [
        ([(1, 2)], [1, 2], "1 pixels and 2 depths"),
        ([(1, 2)], [0], "above 0"),
        ([(1, float("nan"))], [1], "finite"),
        ([(1, 2, 3)], [1], "N pixels"),
        ("no", [1], "N pixels"),
    ],
)
def test_what_cannot_be_is_refused(coords, meters, says):
    with pytest.raises(PromptError, match=says):
        KnownDepths(coords, meters)


def test_points_beside_the_frame_are_refused():
    check_inside(KnownDepths([(0, 0), (639, 479)], [1, 1]), (640, 480))
    with pytest.raises(PromptError, match="at 640,10 lies outside the frame of 640x480"):
        check_inside(KnownDepths([(5, 5), (640, 10)], [1, 1]), (640, 480))


def test_it_is_short_in_print():
    assert repr(KnownDepths([(1, 2)], [3.0])) == "KnownDepths(1 points, along the axis)"
