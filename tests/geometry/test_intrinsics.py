"""Each calibration tool's file is read, and gives the camera that the tool meant."""

import cv2
import numpy as np
import pytest

from streamer.data.camera_model import CameraModel
from streamer.errors import ConfigError
from streamer.geometry.intrinsics import read_intrinsics

K = np.array([[520.5, 0, 318.2], [0, 522.1, 243.7], [0, 0, 1]])
D = (0.12, -0.25, 0.001, -0.002, 0.05)
WANTED = CameraModel(640, 480, 520.5, 522.1, 318.2, 243.7, D)
ROS = """
image_width: 640
image_height: 480
camera_name: head
camera_matrix:
  rows: 3
  cols: 3
  data: [520.5, 0.0, 318.2, 0.0, 522.1, 243.7, 0.0, 0.0, 1.0]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [0.12, -0.25, 0.001, -0.002, 0.05]
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [500, 0, 318, 0, 0, 500, 243, 0, 0, 0, 1, 0]}
"""
ECHOED = """
header: {frame_id: head}
height: 480
width: 640
distortion_model: plumb_bob
d: [0.12, -0.25, 0.001, -0.002, 0.05]
k: [520.5, 0.0, 318.2, 0.0, 522.1, 243.7, 0.0, 0.0, 1.0]
---
"""


def read(tmp_path, text, name="camera.yaml", size=(640, 480)):
    path = tmp_path / name
    path.write_text(text)
    return read_intrinsics(path)(size)


def test_ros_saved_and_echoed(tmp_path):
    assert read(tmp_path, ROS) == WANTED
    assert read(tmp_path, ECHOED.replace("---", "")) == WANTED


def test_a_message_that_was_echoed_more_than_once_is_the_first_of_them(tmp_path):
    assert read(tmp_path, ECHOED + ECHOED + "---\n") == WANTED


@pytest.mark.parametrize("name", ["camera.yaml", "camera.xml", "camera.json"])
def test_what_opencv_writes(tmp_path, name):
    path = tmp_path / name
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("image_width", 640)
    storage.write("image_height", 480)
    storage.write("camera_matrix", K)
    storage.write("distortion_coefficients", np.array([D]))
    storage.release()
    assert read_intrinsics(path)((1, 1)) == WANTED


def test_opencv_without_a_size_is_of_the_frames_size(tmp_path):
    path = tmp_path / "camera.yml"
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("K", K)
    storage.write("D", np.zeros(5))
    storage.release()
    camera = read_intrinsics(path)((800, 600))
    assert (camera.size, camera.distortion) == ((800, 600), ())


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("1 PINHOLE 640 480 520.5 522.1 318.7 244.2", CameraModel(640, 480, 520.5, 522.1, 318.2, 243.7)),
        ("1 SIMPLE_PINHOLE 640 480 520 320 240", CameraModel(640, 480, 520, 520, 319.5, 239.5)),
        ("1 SIMPLE_RADIAL 640 480 520 320 240 .1", CameraModel(640, 480, 520, 520, 319.5, 239.5, (0.1, 0, 0, 0))),
        (
            "1 OPENCV 640 480 520.5 522.1 318.7 244.2 .12 -.25 .001 -.002",
            CameraModel(640, 480, 520.5, 522.1, 318.2, 243.7, D[:4]),
        ),
        (
            "2 OPENCV_FISHEYE 640 480 280 281 320 240 .02 -.01 .003 -.001",
            CameraModel(640, 480, 280, 281, 319.5, 239.5, (0.02, -0.01, 0.003, -0.001), "equidistant"),
        ),
    ],
)
def test_colmap_counts_from_the_corner_of_the_pixel(tmp_path, line, wanted):
    text = f"# Camera list with one line of data per camera:\n#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n{line}\n"
    camera = read(tmp_path, text, "cameras.txt")
    assert camera.cx == pytest.approx(wanted.cx)
    assert camera.distortion == pytest.approx(wanted.distortion)
    np.testing.assert_allclose(camera.matrix, wanted.matrix)
    assert (camera.size, camera.distortion_model) == (wanted.size, wanted.distortion_model)


def test_a_matrix_as_text(tmp_path):
    assert read(tmp_path, "585 0 320\n0 585 240\n0 0 1\n", "K.txt") == CameraModel(640, 480, 585, 585, 320, 240)


def test_a_fisheye_of_ros_stays_one(tmp_path):
    text = ROS.replace("plumb_bob", "equidistant").replace("0.12, -0.25, 0.001, -0.002, 0.05", "0.0, 0.0, 0.0, 0.0")
    camera = read(tmp_path, text)
    assert (camera.distortion_model, camera.distortion) == ("equidistant", (0.0,) * 4)


@pytest.mark.parametrize(
    ("text", "name", "says"),
    [
        ("hello: 1", "camera.yaml", "no camera_matrix"),
        ("[1, 2", "camera.yaml", "missing"),
        ("1 2 3\n4 5", "K.txt", "5 numbers"),
        ("1 OPENCV 640 480 520\n", "cameras.txt", "missing"),
        ("1 FOV 640 480 520 520 320 240 .5\n", "cameras.txt", "camera model FOV"),
        ("1 PINHOLE 640 480 1 1 1 1\n2 PINHOLE 640 480 1 1 1 1\n", "cameras.txt", "2 cameras"),
        ("585 0 320\n0 -585 240\n0 0 1\n", "K.txt", "focal lengths"),
        ("585 3 320\n0 585 240\n0 0 1\n", "K.txt", "skew"),
        ("a b c", "K.txt", "could not convert"),
        (ROS.replace("-0.25", ".nan"), "camera.yaml", "finite"),
        ("%YAML:1.0\n---\ncamera_matrix: !!opencv-matrix\n  rows: 9", "camera.yml", "camera"),
    ],
)
def test_what_is_no_camera_is_refused_in_one_sentence(tmp_path, text, name, says):
    with pytest.raises(ConfigError, match=says) as error:
        read(tmp_path, text, name)
    assert str(error.value).count("\n") == 0


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_intrinsics(tmp_path / "none.yaml")
    (tmp_path / "data.yaml").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ConfigError, match="no text"):
        read_intrinsics(tmp_path / "data.yaml")
