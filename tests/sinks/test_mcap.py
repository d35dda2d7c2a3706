"""ROS 2 messages in an MCAP file, read back message by message with rosbags, which shares no code with the writer."""

import struct

import cv2
import numpy as np
import pytest
from mcap.reader import make_reader

from streamer.data.camera_model import CameraModel
from streamer.data.depth_unit import DepthUnit
from streamer.errors import SinkError
from streamer.sinks.mcap import McapSink
from streamer.sinks.parameters import RobotLogParameters
from tests.disk import full_beyond
from tests.robot_logs import HEIGHT, SIZE, START_NS, WIDTH, decoded_png, read_back, result


def written(path, *results, **parameters):
    sink = McapSink(path, RobotLogParameters(**parameters))
    for one in results:
        sink.write(one)
    sink.close()
    sink.close()
    return read_back(path)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return written(tmp_path_factory.mktemp("mcap") / "a.mcap", *(result(index) for index in range(3)))


def test_every_message_of_every_frame_has_the_stamp_of_its_capture(log):
    counts = {topic: len(messages) for topic, messages in log.items()}
    assert counts == {
        "/camera/image/compressed": 3,
        "/camera/inverse_depth/compressedDepth": 3,
        "/camera/label_info": 3,
        "/camera/labels": 3,
        "/camera/detections": 3,
        "/camera/annotations": 3,
    }
    stamps_ns = [START_NS + index * 40_000_000 for index in range(3)]
    for topic, messages in log.items():
        assert [stamp_ns for stamp_ns, _ in messages] == stamps_ns[: len(messages)]
        for stamp_ns, message in messages:
            if topic != "/camera/annotations":
                assert message.header.frame_id == "camera_optical_frame"
                assert message.header.stamp.sec * 10**9 + message.header.stamp.nanosec == stamp_ns


def test_the_image_is_a_jpeg_of_the_right_colors(log):
    _, message = log["/camera/image/compressed"][0]
    assert message.format == "jpeg"
    image = cv2.imdecode(np.frombuffer(bytes(message.data), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.abs(image.astype(int) - result(0).frame.image_rgb).max() < 12


def test_relative_depth_is_named_inverse_and_holds_what_depth_maps_hold(log):
    _, message = log["/camera/inverse_depth/compressedDepth"][1]
    assert message.format == "16UC1; compressedDepth png"
    assert struct.unpack("<iff", bytes(message.data)[:12]) == (0, 0.0, 0.0)
    assert np.array_equal(decoded_png(message), np.rint(result(1).inverse_depth * 1000))


def test_metric_depth_is_meters(tmp_path):
    log = written(tmp_path / "a.mcap", result(unit=DepthUnit.METERS))
    _, message = log["/camera/depth/compressedDepth"][0]
    assert "/camera/inverse_depth/compressedDepth" not in log
    assert message.format == "32FC1; compressedDepth png"
    _, a, b = struct.unpack("<iff", bytes(message.data)[:12])
    assert a / (decoded_png(message) - b) == pytest.approx(result(unit=DepthUnit.METERS).depth_m, abs=1e-3)


def test_a_camera_that_is_known_is_told_with_its_distortion(tmp_path):
    camera = CameraModel(WIDTH, HEIGHT, 60.0, 61.0, 31.5, 23.5, (-0.2, 0.05, 0.001, -0.002, 0.0))
    _, info = written(tmp_path / "a.mcap", result(camera=camera))["/camera/camera_info"][0]
    assert (info.width, info.height, info.distortion_model) == (WIDTH, HEIGHT, "plumb_bob")
    assert info.k.tolist() == [60, 0, 31.5, 0, 61, 23.5, 0, 0, 1]
    assert info.p.reshape(3, 4)[:, :3].ravel().tolist() == info.k.tolist()
    assert info.d.tolist() == list(camera.distortion)


def test_a_camera_that_is_assumed_is_not_calibrated(tmp_path):
    _, info = written(tmp_path / "a.mcap", result(camera=CameraModel.assumed(SIZE)))["/camera/camera_info"][0]
    assert (info.width, info.height) == SIZE
    assert not info.k.any()  # what ROS calls an uncalibrated camera
    assert not info.p.any()
    assert info.d.size == 0


CAMERA = CameraModel(WIDTH, HEIGHT, 60.0, 61.0, 31.5, 23.5)
POINT = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("rgb", "<u4"), ("label", "<u4")])


def test_metric_depth_and_a_known_camera_give_points_in_space(tmp_path):
    one = result(unit=DepthUnit.METERS, camera=CAMERA)
    _, cloud = written(tmp_path / "a.mcap", one)["/camera/points"][0]
    assert {field.name: (field.offset, field.datatype) for field in cloud.fields} == {
        **{name: (POINT.fields[name][1], 7) for name in "xyz"},
        **{name: (POINT.fields[name][1], 6) for name in ("rgb", "label")},
    }
    points = np.frombuffer(bytes(cloud.data), POINT)
    assert (cloud.width, cloud.height, cloud.row_step) == (len(points), 1, 20 * len(points))
    assert len(points) > 0.9 * WIDTH * HEIGHT
    pixels = np.rint(CAMERA.project(np.column_stack([points[name] for name in "xyz"]))).astype(int)
    columns, rows = pixels.T
    assert points["z"] == pytest.approx(one.depth_m[rows, columns])
    assert np.array_equal(points["label"], one.tracks[0].mask[rows, columns] * 3)
    red, green, blue = (points["rgb"] >> shift & 255 for shift in (16, 8, 0))
    assert np.array_equal(np.column_stack([red, green, blue]), one.frame.image_rgb[rows, columns])


def test_a_cloud_has_no_more_points_than_asked_for(tmp_path):
    metric = result(unit=DepthUnit.METERS, camera=CAMERA)
    _, cloud = written(tmp_path / "a.mcap", metric, points=500)["/camera/points"][0]
    assert 100 < cloud.width <= 500
    assert "/camera/points" not in written(tmp_path / "b.mcap", metric, points=0)


def test_a_camera_that_is_assumed_puts_nothing_into_space(tmp_path):
    log = written(tmp_path / "a.mcap", result(unit=DepthUnit.METERS, camera=CameraModel.assumed(SIZE)))
    assert "/camera/points" not in log
    (one,) = log["/camera/detections"][0][1].detections
    assert np.isnan(one.results[0].pose.pose.position.z)
    assert one.results[0].pose.covariance[0] == -1


def test_a_detection_says_where_its_object_is_and_how_surely(tmp_path):
    log = written(tmp_path / "a.mcap", result(unit=DepthUnit.METERS, camera=CAMERA))
    (one,) = log["/camera/detections"][0][1].detections
    position = one.results[0].pose.pose.position
    assert (position.x, position.y, position.z) == (0.1, -0.2, 2.0)
    assert one.results[0].pose.covariance.reshape(6, 6)[2, 2] == pytest.approx((0.1 * 2.0) ** 2)


def test_the_pose_of_the_camera_is_a_transform(tmp_path):
    turned = np.array([[0, -1, 0, 1.5], [1, 0, 0, -2.0], [0, 0, 1, 0.25], [0, 0, 0, 1.0]])  # 90 degrees about z
    _, message = written(tmp_path / "a.mcap", result(pose=turned))["/tf"][0]
    (one,) = message.transforms
    assert (one.header.frame_id, one.child_frame_id) == ("map", "camera_optical_frame")
    place, turn = one.transform.translation, one.transform.rotation
    assert (place.x, place.y, place.z) == (1.5, -2.0, 0.25)
    assert (turn.x, turn.y, turn.z, turn.w) == pytest.approx((0, 0, 0.5**0.5, 0.5**0.5))


def test_a_label_pixel_is_the_number_of_the_track_and_label_info_names_it(log):
    _, message = log["/camera/labels"][2]
    assert (message.width, message.height, message.encoding, message.step) == (*SIZE, "mono16", 2 * WIDTH)
    labels = np.frombuffer(bytes(message.data), "<u2").reshape(HEIGHT, WIDTH)
    assert np.array_equal(labels, result(2).tracks[0].mask * 3)
    _, info = log["/camera/label_info"][0]
    assert {one.class_id: one.class_name for one in info.class_map} == {3: "cup 3", 7: "object 7"}


def test_detections_have_the_number_of_the_track_its_box_and_its_score(log):
    for index, (_, message) in enumerate(log["/camera/detections"]):
        (one,) = message.detections  # the lost object is not detected
        assert one.id == "3"
        center, (hypothesis,) = one.bbox.center, [each.hypothesis for each in one.results]
        assert (center.position.x, center.position.y, center.theta) == (30 + index, 20, 0)
        assert (one.bbox.size_x, one.bbox.size_y) == (20, 20)
        assert (hypothesis.class_id, hypothesis.score) == ("cup", 0.875)


def test_foxglove_draws_the_outline_over_the_image(log):
    _, message = log["/camera/annotations"][0]
    (loop,), (text,) = message.points, message.texts
    corners = np.array([(point.x, point.y) for point in loop.points])
    assert loop.type == 2
    assert (corners.min(axis=0).tolist(), corners.max(axis=0).tolist()) == ([20.5, 10.5], [39.5, 29.5])
    assert (text.text, text.position.x, text.position.y) == ("3 cup 0.88", 20, 10)


def test_without_masks_and_depth_there_is_the_image_alone(tmp_path):
    bare = result(depth=False)
    object.__setattr__(bare, "tracks", ())
    log = written(tmp_path / "a.mcap", bare, namespace="/robot/left")
    assert list(log) == ["/robot/left/image/compressed"]
    assert log["/robot/left/image/compressed"][0][1].header.frame_id == "robot_left_optical_frame"


def test_foxglove_knows_every_schema_and_finds_the_index(tmp_path):
    path = tmp_path / "a.mcap"
    written(path, result())
    with path.open("rb") as file:
        summary = make_reader(file).get_summary()
        assert make_reader(file).get_header().profile == "ros2"
    assert {schema.encoding for schema in summary.schemas.values()} == {"ros2msg"}
    assert {channel.message_encoding for channel in summary.channels.values()} == {"cdr"}
    assert summary.statistics.message_count == 6
    assert len(summary.chunk_indexes) == 1


def test_the_file_opens_after_every_frame(tmp_path):
    """What a killed process leaves behind: never a file without an end."""
    sink = McapSink(tmp_path / "a.mcap")
    partial, counts = tmp_path / "a.partial.mcap", []
    for index in range(150):
        sink.write(result(index))
        if index % 30 == 29:
            counts.append(len(read_back(partial).get("/camera/labels", ())))
    assert counts == sorted(counts)
    assert counts[-1] > 80  # all but the last chunk
    sink.close()
    assert len(read_back(tmp_path / "a.mcap")["/camera/labels"]) == 150
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.mcap"]


def test_a_full_disk_leaves_a_file_that_opens(tmp_path):
    sink = McapSink(tmp_path / "a.mcap", RobotLogParameters(jpeg_quality=100))
    rng = np.random.default_rng(0)

    def write_on():
        for index in range(1000):
            noisy = result(index)
            noisy.frame.image_rgb[:] = rng.integers(0, 256, noisy.frame.image_rgb.shape)
            sink.write(noisy)

    with full_beyond(1_500_000):
        with pytest.raises(SinkError, match=r"\(File too large\).* is in a\.partial\.mcap"):
            write_on()
        with pytest.raises(SinkError, match=r"\(File too large\)"):
            sink.write(result())
        sink.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.partial.mcap"]
    assert len(read_back(tmp_path / "a.partial.mcap")["/camera/labels"]) > 20


def test_nothing_is_left_where_nothing_was_written(tmp_path):
    McapSink(tmp_path / "new" / "a.mcap").close()
    assert list((tmp_path / "new").iterdir()) == []


def test_another_name_is_refused(tmp_path):
    with pytest.raises(SinkError, match=r"end its name in \.mcap"):
        McapSink(tmp_path / "a.bag")


def test_a_missing_library_is_said_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr("streamer.sinks.optional.find_spec", lambda name: None)
    with pytest.raises(SinkError, match=r"^--mcap needs a library .*: run `uv pip install mcap-ros2-support`\.$"):
        McapSink(tmp_path / "a.mcap")
