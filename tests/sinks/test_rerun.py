"""Rerun recordings, read back chunk by chunk with Rerun's own reader."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from rerun.chunk import RrdReader

from streamer.data.camera_model import CameraModel
from streamer.data.depth_unit import DepthUnit
from streamer.errors import SinkError
from streamer.sinks.parameters import RobotLogParameters
from streamer.sinks.rerun import RerunSink, RerunViewerSink
from tests.disk import full_beyond
from tests.robot_logs import HEIGHT, START_NS, WIDTH, result

CAMERA = CameraModel(WIDTH, HEIGHT, 60.0, 61.0, 31.5, 23.5)
PARAMETERS = RobotLogParameters()
pytestmark = pytest.mark.filterwarnings("ignore:RRD file has no footer")  # what a killed process leaves


def columns_of(path: Path) -> dict[str, dict[str, list]]:
    """Every value of a recording: by entity and column, in the order of the frames."""
    found: dict[str, dict[int, dict]] = {}
    for chunk in RrdReader(path).stream().to_chunks():
        if "frame" in chunk.timeline_names:
            batch = chunk.to_record_batch()
            stamps_ns = batch["capture"].cast("int64")
            for row in batch.drop_columns(["capture", "log_time"]).append_column("capture", stamps_ns).to_pylist():
                found.setdefault(chunk.entity_path, {}).setdefault(row["frame"], {}).update(row)
    return {
        entity: {name: [rows[frame].get(name) for frame in sorted(rows)] for name in rows[min(rows)]}
        for entity, rows in found.items()
    }


def written(path: Path, *results) -> dict[str, dict[str, list]]:
    sink = RerunSink(path, PARAMETERS)
    for one in results:
        sink.write(one)
    sink.close()
    sink.close()
    return columns_of(path)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("rerun") / "a.rrd"
    return written(path, *(result(index, camera=CAMERA) for index in range(3)))


def picture(blob: list) -> np.ndarray:
    return cv2.imdecode(np.array(blob[0], np.uint8), cv2.IMREAD_UNCHANGED)


def test_every_frame_is_there_at_its_number_and_the_stamp_of_its_capture(log):
    assert {"/camera", "/camera/image", "/camera/masks", "/camera/boxes", "/camera/clicks", "/inverse_depth"} <= set(
        log
    )
    for entity in ("/camera/image", "/camera/masks", "/inverse_depth"):
        assert log[entity]["frame"] == [0, 1, 2]
        assert log[entity]["capture"] == [START_NS + index * 40_000_000 for index in range(3)]


def test_the_camera_is_a_pinhole(log):
    (matrix,), (resolution,) = (log["/camera"][f"Pinhole:{name}"][0] for name in ("image_from_camera", "resolution"))
    assert pytest.approx(CAMERA.matrix) == np.reshape(matrix, (3, 3)).T
    assert resolution == [WIDTH, HEIGHT]


def test_the_image_is_a_jpeg_and_relative_depth_is_kept_out_of_space(log):
    image = picture(log["/camera/image"]["EncodedImage:blob"][0])
    assert np.abs(image[..., ::-1].astype(int) - result(0).frame.image_rgb).max() < 12
    assert "/camera/depth" not in log
    assert np.array_equal(
        picture(log["/inverse_depth"]["EncodedDepthImage:blob"][1]), np.rint(result(1).inverse_depth * 1000)
    )


def test_masks_boxes_and_names_belong_to_the_track(log):
    buffer = np.array(log["/camera/masks"]["SegmentationImage:buffer"][2][0], np.uint8)
    assert np.array_equal(buffer.reshape(HEIGHT, WIDTH), result(2).tracks[0].mask * 3)
    assert log["/camera/boxes"]["Boxes2D:class_ids"] == [[3]] * 3
    assert log["/camera/boxes"]["Boxes2D:centers"][1] == [[31, 20]]
    assert log["/camera/boxes"]["Boxes2D:labels"][0] == ["cup 3 0.88"]
    context = log["/"]["AnnotationContext:context"][0][0]
    names = {entry["class_id"]: entry["class_description"]["info"]["label"] for entry in context}
    assert names[3], names[7] == ("cup 3", "object 7")
    assert log["/score/3"]["Scalars:scalars"] == [[0.875]] * 3


def test_metric_depth_lies_in_the_camera_in_millimeters(tmp_path):
    metric = result(unit=DepthUnit.METERS, camera=CAMERA)
    log = written(tmp_path / "a.rrd", metric)
    assert "/inverse_depth" not in log
    assert log["/camera/depth"]["EncodedDepthImage:meter"] == [[1000.0]]
    depth_m = picture(log["/camera/depth"]["EncodedDepthImage:blob"][0]) / 1000
    assert depth_m == pytest.approx(metric.depth_m, abs=1e-3)
    assert len(RrdReader(tmp_path / "a.rrd").blueprints()) == 2  # the second one shows space as well


def test_positions_lie_in_the_world_where_the_cameras_pose_is_known(tmp_path):
    pose = np.eye(4)
    pose[:3, 3] = 1, 2, 3
    log = written(tmp_path / "a.rrd", result(unit=DepthUnit.METERS, camera=CAMERA, pose=pose))
    assert log["/positions"]["Points3D:positions"][0][0] == pytest.approx([1.1, 1.8, 5.0])
    assert log["/camera"]["Transform3D:translation"][0][0] == [1, 2, 3]


def test_a_camera_that_is_assumed_is_no_pinhole(tmp_path):
    assert "/camera" not in written(tmp_path / "a.rrd", result(camera=CameraModel.assumed((WIDTH, HEIGHT))))


def test_reruns_own_check_finds_the_file_sound(tmp_path):
    written(tmp_path / "a.rrd", result())
    program = Path(sys.executable).with_name("rerun")
    done = subprocess.run([program, "rrd", "verify", tmp_path / "a.rrd"], capture_output=True, text=True)
    assert "verified without error" in done.stdout + done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.rrd"]


def test_a_killed_process_leaves_a_recording_that_opens(tmp_path):
    program = """
import itertools, sys, time
from pathlib import Path
from streamer.sinks.parameters import RobotLogParameters
from streamer.sinks.rerun import RerunSink
from tests.robot_logs import result
sink = RerunSink(Path(sys.argv[1]), RobotLogParameters(), endless=True)
for index in itertools.count():
    sink.write(result(index))
    time.sleep(0.01)
"""
    process = subprocess.Popen([sys.executable, "-c", program, tmp_path / "a.rrd"], cwd=Path(__file__).parents[2])
    partial = tmp_path / "a.partial.rrd"
    end_s = time.monotonic() + 60
    while not partial.exists() or partial.stat().st_size < 100_000:
        assert time.monotonic() < end_s
        time.sleep(0.02)
    process.kill()
    process.wait()
    frames = columns_of(partial)["/camera/image"]["frame"]
    assert frames == list(range(len(frames)))
    assert len(frames) > 5


def test_a_full_disk_is_told_and_nobody_waits(tmp_path):
    rng = np.random.default_rng(0)
    sink = RerunSink(tmp_path / "a.rrd", PARAMETERS)

    def write_on():
        for index in range(1000):
            noisy = result(index)
            noisy.frame.image_rgb[:] = rng.integers(0, 256, noisy.frame.image_rgb.shape)
            sink.write(noisy)
            time.sleep(0.002)

    with full_beyond(500_000):
        with pytest.raises(SinkError, match=r"\(File too large\).* is in a\.partial\.rrd"):
            write_on()
        with pytest.raises(SinkError, match=r"\(File too large\)"):
            sink.close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.partial.rrd"]
    assert columns_of(tmp_path / "a.partial.rrd")["/camera/image"]["frame"][0] == 0


def test_another_name_is_refused(tmp_path):
    with pytest.raises(SinkError, match=r"end its name in \.rrd, or say --rerun live"):
        RerunSink(tmp_path / "a.mcap", PARAMETERS)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a screen")
def test_without_a_screen_no_viewer_is_started(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("streamer.sinks.rerun._is_listening", lambda address: False)
    with pytest.raises(SinkError, match=r"no screen for Rerun's viewer: .* --rerun FILE\.rrd"):
        RerunViewerSink(PARAMETERS)


def test_a_viewer_that_does_not_answer_is_not_waited_for(monkeypatch):
    monkeypatch.setattr("streamer.sinks.rerun._FAREWELL_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        monkeypatch.setattr("streamer.sinks.rerun._VIEWER", deaf.getsockname())
        sink = RerunViewerSink(PARAMETERS)
        for index in range(20):
            sink.write(result(index))
        sink.close()
        sink.close()
