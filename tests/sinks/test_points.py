"""Point clouds that other programs open, of what is surely the object's."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from streamer.data.depth_unit import DepthUnit
from streamer.data.reason import Reason
from streamer.data.result import StageStatus
from streamer.data.track import State
from streamer.errors import SinkError
from streamer.geometry.point_cloud import PointCloud, unproject
from streamer.sinks.points import PointSink, to_ply
from tests.geometry.test_point_cloud import box_before_a_wall, result_of, track_of

KEYFRAME = {"masks": StageStatus(Reason.INTERVAL, 0)}


def result(state=State.TRACKED, **more):
    inverse, mask = box_before_a_wall()
    tracks = (replace(track_of(mask), id=3, state=state),)
    return replace(result_of(inverse), **{"stages": KEYFRAME, "tracks": tracks} | more)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_ply_is_read_back_as_it_was(tmp_path):
    points = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    cloud = PointCloud(points, np.arange(21, dtype=np.uint8).reshape(7, 3))
    (tmp_path / "a.ply").write_bytes(to_ply(cloud))
    read = trimesh.load(tmp_path / "a.ply")
    np.testing.assert_array_equal(read.vertices, points)
    np.testing.assert_array_equal(read.colors[:, :3], cloud.colors_rgb)


def test_each_object_on_each_keyframe_has_a_file(tmp_path):
    sink = PointSink(tmp_path)
    sink.write(result())
    sink.write(result(stages={}))  # carried
    sink.write(result(state=State.UNCERTAIN, frame=replace(result().frame, index=5)))
    sink.close()
    assert names(tmp_path) == ["00000-object-3.ply"]
    read = trimesh.load(tmp_path / "00000-object-3.ply")
    np.testing.assert_allclose(read.vertices, unproject(result(), result().tracks[0]))


def test_with_poses_the_views_of_an_object_become_one(tmp_path):
    sink = PointSink(tmp_path)
    for index in range(3):
        pose = np.eye(4)
        pose[0, 3] = 0.05 * index  # the camera moves to the right, and sees the box where it is: further left
        inverse, mask = box_before_a_wall()
        shift = -round(0.05 * index * 150)
        view = result_of(np.roll(inverse, shift, axis=1), world_from_camera=pose)
        tracks = (replace(track_of(np.roll(mask, shift, axis=1)), id=3),)
        sink.write(replace(view, tracks=tracks, stages=KEYFRAME, frame=replace(view.frame, index=index)))
    sink.close()
    sink.close()
    assert names(tmp_path) == [*(f"0000{index}-object-3-world.ply" for index in range(3)), "object-3-world.ply"]
    fused = trimesh.load(tmp_path / "object-3-world.ply").vertices
    one = trimesh.load(tmp_path / "00000-object-3-world.ply").vertices
    assert len(fused) < 1.3 * len(one)
    np.testing.assert_allclose(fused.mean(axis=0), one.mean(axis=0), atol=0.01)


def test_a_glb_has_the_same_points_up_and_towards_the_viewer(tmp_path):
    sink = PointSink(tmp_path, "glb")
    sink.write(result())
    sink.close()
    (read,) = trimesh.load(tmp_path / "00000-object-3.glb").geometry.values()
    points = unproject(result(), result().tracks[0])
    np.testing.assert_allclose(read.vertices, points * (1, -1, -1), atol=1e-6)


def test_without_meters_nothing_is_written_and_the_person_is_told(tmp_path):
    sink = PointSink(tmp_path)
    assert sink.warning is None
    sink.write(result(depth_unit=DepthUnit.RELATIVE))
    sink.write(result(depth_map=None))  # before the first map
    sink.close()
    assert names(tmp_path) == []
    assert sink.warning.startswith("1 keyframes are not in --points, because depth had no meters there")


def test_a_missing_library_is_said_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr("streamer.sinks.optional.find_spec", lambda name: None)
    with pytest.raises(SinkError, match="uv pip install trimesh"):
        PointSink(tmp_path / "new", "glb")
    assert not (tmp_path / "new").exists()
