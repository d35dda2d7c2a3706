"""An object's points lie on the object: nothing between it and what is behind it."""

import numpy as np
import pytest

from streamer.data.camera_model import CameraModel
from streamer.data.depth_unit import DepthUnit
from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.data.track import State, Track
from streamer.errors import ConfigError
from streamer.geometry.point_cloud import PointCloud, point_cloud, unproject
from streamer.geometry.sure import smooth_depth, sure_pixels
from streamer.synthetic import SceneSource

CAMERA = CameraModel(160, 120, 150, 150, 80, 60)


def track_of(mask):
    return Track(1, mask, (0, 0, 1, 1), 1.0, State.TRACKED)


def box_before_a_wall(blur_px=0):
    """A box at 1 m before a wall at 3 m, and its mask, which is 3 px too large."""
    depth_m = np.full((120, 160), 3.0, np.float32)
    depth_m[30:90, 50:110] = 1.0
    inverse = 1 / depth_m
    if blur_px:
        inverse = np.stack([np.convolve(row, np.ones(blur_px) / blur_px, "same") for row in inverse])
    mask = np.zeros((120, 160), bool)
    mask[27:93, 47:113] = True
    return inverse.astype(np.float32), mask


def result_of(inverse, unit=DepthUnit.METERS, **more):
    image = np.zeros((120, 160, 3), np.uint8)
    image[..., 0] = np.arange(160)
    return Result(
        Frame(0, 0.0, image, 0.0), depth_map=inverse, depth_range=(0.1, 1.0), depth_unit=unit, camera=CAMERA, **more
    )


@pytest.mark.parametrize("blur_px", [0, 5])
def test_nothing_flies_between_the_box_and_the_wall(blur_px):
    inverse, mask = box_before_a_wall(blur_px)
    points = unproject(result_of(inverse), track_of(mask))
    assert points.dtype == np.float32
    assert len(points) > 0.5 * 60 * 60
    np.testing.assert_allclose(points[:, 2], 1.0, rtol=0.02)
    assert np.abs(points[:, 0]).max() < 0.22  # the box is 0.4 m wide


def test_points_are_where_the_camera_looks_and_have_the_pixels_color():
    inverse, mask = box_before_a_wall()
    cloud = point_cloud(result_of(inverse), track_of(mask))
    columns = np.rint(cloud.points_m[:, 0] * 150 / cloud.points_m[:, 2] + 80)
    np.testing.assert_array_equal(columns, cloud.colors_rgb[:, 0])


def test_with_a_pose_they_are_in_the_world():
    inverse, mask = box_before_a_wall()
    pose = np.eye(4)
    pose[:3, 3] = 10, 20, 30
    here = unproject(result_of(inverse), track_of(mask))
    there = unproject(result_of(inverse, world_from_camera=pose), track_of(mask), world=True)
    np.testing.assert_allclose(there, here + np.float32([10, 20, 30]), rtol=1e-5)
    with pytest.raises(ConfigError, match="--poses"):
        unproject(result_of(inverse), track_of(mask), world=True)


def test_relative_depth_has_no_points():
    inverse, mask = box_before_a_wall()
    with pytest.raises(ConfigError, match="no meters"):
        unproject(result_of(inverse, DepthUnit.RELATIVE), track_of(mask))


def test_an_empty_mask_has_no_points():
    inverse, mask = box_before_a_wall()
    assert unproject(result_of(inverse), track_of(mask & False)).shape == (0, 3)


def test_an_object_at_the_border_of_the_frame_keeps_its_pixels_there():
    inverse = np.full((120, 160), 0.5, np.float32)
    mask = np.zeros((120, 160), bool)
    mask[:, :40] = True
    sure = sure_pixels(inverse, smooth_depth(inverse), mask)
    assert sure[0, 0]
    assert not sure[50, 39]


def test_a_slanted_floor_is_smooth():
    rows = np.arange(120, dtype=np.float32)[:, None]
    floor = np.repeat(0.2 + rows / 100, 160, axis=1)
    assert smooth_depth(floor).mean() > 0.9


def test_on_rendered_scenes_hardly_a_point_lies_off_the_surface():
    scene = SceneSource(seed=0, size=(640, 360), frame_count=1)
    truth, image = scene.truth(0), scene.render(0)
    blurred = np.float32(1) * truth.inverse_depth
    frame = Frame(0, 0.0, image, 0.0)
    import cv2

    carried = cv2.resize(cv2.GaussianBlur(blurred, (0, 0), 2), (424, 240), interpolation=cv2.INTER_AREA)
    result = Result(
        frame, depth_map=carried, depth_range=(0.1, 1.0), depth_unit=DepthUnit.METERS, camera=scene.info.camera
    )
    for object_id in np.unique(truth.labels)[1:]:
        mask = cv2.dilate((truth.labels == object_id).astype(np.uint8), np.ones((5, 5))) > 0
        points = unproject(result, track_of(mask))
        assert len(points) > 0.2 * mask.sum()
        depth_m = 1 / truth.inverse_depth[truth.labels == object_id]
        low, high = depth_m.min(), depth_m.max()
        off = (points[:, 2] < 0.95 * low) | (points[:, 2] > 1.05 * high)
        assert off.mean() < 0.01


def test_thinning_takes_the_mean_of_each_cube():
    cloud = PointCloud(
        np.float32([(0.001, 0.001, 1.001), (0.003, 0.003, 1.003), (0.5, 0, 1)]),
        np.uint8([(10, 0, 0), (30, 0, 0), (5, 5, 5)]),
    )
    thin = cloud.thinned(0.01)
    assert repr(thin) == "PointCloud(2 points)"
    np.testing.assert_allclose(thin.points_m[0], (0.002, 0.002, 1.002), atol=1e-6)
    assert thin.colors_rgb[0].tolist() == [20, 0, 0]
    empty = PointCloud(np.empty((0, 3), np.float32), np.empty((0, 3), np.uint8))
    assert len(empty.thinned(0.01)) == 0
