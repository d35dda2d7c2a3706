"""Pixels become rays and come back, whatever the lens."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.data.camera_model import CameraModel, Provenance

PINHOLE = CameraModel(640, 480, 585.0, 585.0, 320.0, 240.0)
WEBCAM = CameraModel(640, 480, 520.0, 522.0, 318.2, 243.7, (0.12, -0.25, 0.001, -0.002, 0.05))
RATIONAL = CameraModel(640, 480, 400, 400, 320, 240, (0.4, 0.1, 0, 0, 0.02, 0.7, 0.2, 0.05), "rational_polynomial")
FISHEYE = CameraModel(640, 480, 280.0, 281.0, 319.0, 239.0, (0.02, -0.01, 0.003, -0.001), "equidistant")
CAMERAS = pytest.mark.parametrize(
    "camera", [PINHOLE, WEBCAM, RATIONAL, FISHEYE], ids=["pinhole", "plumb", "ratio", "eye"]
)
pixels = st.tuples(st.floats(0, 639), st.floats(0, 479))


@CAMERAS
@settings(max_examples=40, deadline=None)
@given(at=st.lists(pixels, min_size=1, max_size=20), depth_m=st.floats(0.05, 100))
def test_a_pixel_comes_back_from_where_it_looks_to(camera, at, depth_m):
    points_m = camera.unproject(np.array(at), np.full(len(at), depth_m))
    np.testing.assert_allclose(points_m[:, 2], depth_m)
    np.testing.assert_allclose(camera.project(points_m), at, atol=1e-4)


@CAMERAS
def test_the_ray_of_the_principal_point_is_the_axis(camera):
    np.testing.assert_allclose(camera.rays([(camera.cx, camera.cy)]), [(0, 0, 1)], atol=1e-9)


def test_a_pinhole_is_similar_triangles():
    np.testing.assert_allclose(PINHOLE.unproject([(320 + 58.5, 240 - 117)], [2.0]), [(0.2, -0.4, 2.0)])


def test_a_barrel_looks_further_aside_than_a_pinhole():
    barrel = CameraModel(640, 480, 585.0, 585.0, 320.0, 240.0, (-0.2, 0.0, 0.0, 0.0))
    assert barrel.rays([(600, 240)])[0, 0] > PINHOLE.rays([(600, 240)])[0, 0] * 1.02


def test_a_fisheye_without_coefficients_is_one_all_the_same():
    fisheye = CameraModel(640, 480, 300.0, 300.0, 320.0, 240.0, (0.0,) * 4, "equidistant")
    assert fisheye.rays([(320 + 300, 240)])[0, 0] == pytest.approx(np.tan(1.0))  # 1 rad from the axis


def test_where_the_distortion_folds_over_nothing_is_made_up():
    folding = CameraModel(640, 480, 300.0, 300.0, 320.0, 240.0, (-0.4, 0.0, 0.0, 0.0))  # r - 0.4 r^3 is 0.61 at most
    assert np.isnan(folding.rays([(639, 479)])).any()
    assert np.isfinite(folding.rays([(400, 300)])).all()


def test_what_is_behind_the_camera_is_seen_nowhere():
    places = WEBCAM.project([(0.1, 0.1, -1.0), (0.1, 0.1, 0.0), (0.0, 0.0, 1.0)])
    assert np.isnan(places[:2]).all()
    np.testing.assert_allclose(places[2], (WEBCAM.cx, WEBCAM.cy))


def test_the_grid_of_rays_is_the_ray_of_each_pixel_and_computed_once():
    small = WEBCAM.resized((64, 48))
    grid = small.ray_grid()
    assert (grid.shape, grid.dtype) == ((48, 64, 3), np.float32)
    np.testing.assert_allclose(grid[10, 20], small.rays([(20, 10)])[0], rtol=1e-6)
    assert small.ray_grid() is grid
    assert not grid.flags.writeable


@CAMERAS
def test_scaled_frames_look_to_the_same_places(camera):
    half = camera.resized((320, 240))
    # The corner of the picture is at (-0.5, -0.5) at every size.
    np.testing.assert_allclose(half.rays([(99.75, 49.75)]), camera.rays([(200.0, 100.0)]), atol=1e-9)
    assert half.resized((640, 480)).cx == pytest.approx(camera.cx)


def test_a_field_of_view_spans_the_whole_width():
    camera = CameraModel.from_fov((1280, 720), 90.0)
    assert camera.fx == pytest.approx(640)
    assert camera.rays([(-0.5, 359.5)])[0] == pytest.approx((-1, 0, 1))  # the left border of the leftmost pixel
    assert camera.fov_deg == pytest.approx(90)
    assert camera.provenance is Provenance.FOV


def test_what_is_assumed_is_said_and_does_not_depend_on_how_the_phone_is_held():
    wide, tall = CameraModel.assumed((1280, 720)), CameraModel.assumed((720, 1280))
    assert wide.fx == tall.fx
    assert wide.fov_deg == pytest.approx(60)
    assert (wide.provenance, f"{tall.provenance}") == (Provenance.ASSUMED, "assumed")


@pytest.mark.parametrize(
    "change",
    [{"width": 0}, {"fx": 0}, {"fy": float("nan")}, {"distortion": (0.1,)}, {"distortion_model": "magic"}],
)
def test_what_cannot_be_is_refused(change):
    given = {"width": 640, "height": 480, "fx": 500, "fy": 500, "cx": 320, "cy": 240}
    with pytest.raises(ValueError, match=r"\w"):
        CameraModel(**given | change)
