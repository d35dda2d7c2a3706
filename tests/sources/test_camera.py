"""Network cameras, real ones on loopback, and webcams as far as there is none."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from streamer.errors import SourceError
from streamer.sources import camera as camera_module
from streamer.sources.camera import CameraSource
from tests.mjpeg_server import MjpegServer
from tests.videos import number_of


def drain(source: CameraSource) -> None:
    while source.read() is not None:
        pass


@pytest.fixture
def server() -> Iterator[MjpegServer]:
    with MjpegServer() as running:
        yield running


@pytest.fixture
def dumb_port() -> Iterator[int]:
    """A server that accepts and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_network_stream_gives_frames_with_times_of_arrival(server: MjpegServer) -> None:
    with CameraSource(server.url) as source:
        assert source.info.live
        assert (source.info.size, source.info.name, source.info.frame_count) == ((64, 48), "127.0.0.1-camera", None)
        before_s = time.monotonic()
        frames = [source.read() for _ in range(5)]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    numbers = [number_of(frame.image_rgb) for frame in frames]
    assert [b - a for a, b in pairwise(numbers)] == [1] * 4
    assert frames[0].time_s == 0
    assert {frame.stamp_origin for frame in frames} == {"arrival"}
    assert all(0 < time.time_ns() - frame.stamp_ns < 60e9 for frame in frames)
    assert all(frame.captured_at_s - frames[0].captured_at_s == frame.time_s for frame in frames)
    assert before_s <= frames[0].captured_at_s < frames[4].captured_at_s <= time.monotonic()
    assert np.abs(frames[0].image_rgb[2:8, 2:12].astype(int) - (200, 20, 20)).mean() < 20


def test_what_differs_from_what_was_asked_is_told(server: MjpegServer) -> None:
    with CameraSource(server.url, width=1280, height=48) as source:
        assert (source.settings["width"], source.settings["height"]) == (64, 48)
        assert source.notice is not None
        assert "width 64 instead of 1280" in source.notice
        assert "height" not in source.notice
    with CameraSource(server.url, width=64) as source:
        assert source.notice is None


def test_the_password_is_used_but_never_shown() -> None:
    with MjpegServer(login="admin:hunter2") as server:
        with pytest.raises(SourceError, match="cannot be reached: check the address, the network and the password"):
            CameraSource(server.url)
        source = CameraSource(server.url.replace("://", "://admin:hunter2@"), width=1280)
    shown = f"{source.info} {source.settings} {source.notice}"
    with source, pytest.raises(SourceError) as caught:
        drain(source)
    assert "hunter2" not in shown + str(caught.value)
    assert "admin" not in shown + str(caught.value)


def test_a_server_that_falls_silent_is_noticed_in_time(server: MjpegServer) -> None:
    with CameraSource(server.url, read_timeout_s=0.2) as source:
        assert source.read() is not None
        server.silent.set()
        silent_at_s = time.monotonic()
        with pytest.raises(SourceError, match="stopped answering"):
            drain(source)
        assert time.monotonic() - silent_at_s < 1.9


def test_a_server_that_dies_is_noticed(server: MjpegServer) -> None:
    with CameraSource(server.url) as source:
        server.stop()
        with pytest.raises(SourceError, match=r"The stream http://127\.0\.0\.1:\d+/camera\.mjpg stopped answering"):
            drain(source)
    server.start()


def test_closing_does_not_wait_for_a_blocked_read(server: MjpegServer) -> None:
    source = CameraSource(server.url, read_timeout_s=0.5)
    server.silent.set()
    ended = []

    def read() -> None:
        while (frame := source.read()) is not None:
            del frame
        ended.append(True)

    reader = threading.Thread(target=read)
    reader.start()
    time.sleep(0.05)
    began_s = time.monotonic()
    source.close()
    assert time.monotonic() - began_s < 0.4
    reader.join(30)
    assert ended == [True]


def test_unreachable_addresses_are_refused_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for scheme in ("http", "rtsp"):
        with pytest.raises(SourceError, match=r"cannot be reached: check the address") as caught:
            CameraSource(f"{scheme}://user:secret@127.0.0.1:{port}/live?token=abc")
        assert "secret" not in str(caught.value)
        assert "abc" not in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_server_that_accepts_but_never_answers_is_given_up_in_time(dumb_port: int, scheme: str) -> None:
    began_s = time.monotonic()
    with pytest.raises(SourceError, match="cannot be reached"):
        CameraSource(f"{scheme}://127.0.0.1:{dumb_port}/live", open_timeout_s=0.3)
    assert time.monotonic() - began_s < 5


def test_a_connection_that_hangs_beyond_opencvs_own_timeout_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking up a name has no timeout."""
    release = threading.Event()

    def hang(*arguments: object) -> object:
        release.wait(10)
        return FakeCapture()

    monkeypatch.setattr(camera_module.cv2, "VideoCapture", hang)
    with pytest.raises(SourceError, match="cannot be reached"):
        CameraSource("rtsp://slow.example/live", open_timeout_s=0.01)
    release.set()


@pytest.mark.parametrize("camera", [98, "98", "/dev/video98"])
def test_a_camera_that_does_not_exist_is_refused_quietly(camera: int | str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match=r"^Camera (98|video98) cannot be opened: check its number"):
        CameraSource(camera)
    assert capfd.readouterr() == ("", "")


class FakeCapture:
    """A webcam that does 640x480 at 30 Hz, whatever it is asked for."""

    def __init__(self, *arguments: object) -> None:
        cv2 = camera_module.cv2
        self.asked: dict[int, float] = {}
        self.images = [np.full((480, 640, 3), (10, 20, 30), np.uint8)] * 2
        self.given = {cv2.CAP_PROP_FPS: 30.0, cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*"MJPG"))}
        self.released = 0

    def isOpened(self) -> bool:  # noqa: N802, OpenCV's own name
        return True

    def set(self, key: int, value: float) -> bool:
        self.asked[key] = value
        return True

    def get(self, key: int) -> float:
        return self.given.get(key, 0.0)

    def getBackendName(self) -> str:  # noqa: N802, OpenCV's own name
        return "FAKE"

    def read(self) -> tuple[bool, np.ndarray | None]:
        return (True, self.images.pop()) if self.images else (False, None)

    def release(self) -> None:
        self.released += 1


def test_a_webcam_is_asked_and_its_answer_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    cv2 = camera_module.cv2
    capture = FakeCapture()
    monkeypatch.setattr(cv2, "VideoCapture", lambda *arguments: capture)
    source = CameraSource(0, width=1280, height=480, rate_hz=60)
    assert capture.asked[cv2.CAP_PROP_FRAME_WIDTH] == 1280
    assert capture.asked[cv2.CAP_PROP_FPS] == 60
    expected = {"width": 640, "height": 480, "rate_hz": 30.0, "fourcc": "MJPG", "backend": "FAKE"}
    assert source.settings == expected
    assert source.notice == "Camera 0 gives width 640 instead of 1280, frame rate 30 instead of 60."
    assert (source.info.name, source.info.size, source.info.rate_hz) == ("camera 0", (640, 480), 30)
    frame = source.read()
    assert frame is not None
    assert frame.image_rgb[0, 0].tolist() == [30, 20, 10]
    with pytest.raises(SourceError, match="Camera 0 stopped answering: plug it in again"):
        source.read()
    source.close()
    source.close()
    assert capture.released == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the stamps of Video4Linux")
@pytest.mark.parametrize(
    ("driver_age_s", "origin", "age_s"), [(0.04, "driver", 0.04), (1e6, "arrival", 0), (-5, "arrival", 0)]
)
def test_a_frame_was_captured_when_the_driver_says_so(
    monkeypatch: pytest.MonkeyPatch, driver_age_s: float, origin: str, age_s: float
) -> None:
    capture = FakeCapture()
    monkeypatch.setattr(camera_module.cv2, "VideoCapture", lambda *arguments: capture)
    now_s, now_ns = time.monotonic(), time.time_ns()
    capture.given[camera_module.cv2.CAP_PROP_POS_MSEC] = (now_s - driver_age_s) * 1000
    with CameraSource(0) as source:
        frame = source.read()
    assert frame is not None
    assert frame.stamp_origin == origin
    assert frame.captured_at_s == pytest.approx(now_s - age_s, abs=0.03)
    assert frame.stamp_ns == pytest.approx(now_ns - age_s * 1e9, abs=3e7)


def test_a_webcam_that_gives_no_picture_is_refused_and_released(monkeypatch: pytest.MonkeyPatch) -> None:
    capture = FakeCapture()
    capture.images.clear()
    monkeypatch.setattr(camera_module.cv2, "VideoCapture", lambda *arguments: capture)
    with pytest.raises(SourceError, match="Camera 0 was opened but gives no picture"):
        CameraSource(0)
    assert capture.released == 1
