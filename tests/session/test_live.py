"""The live command: what is asked of a source, and what is said about it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from streamer.config import Config
from streamer.engine import Engine
from streamer.errors import ConfigError, DisplayError, SinkError
from streamer.models.parameters import DepthParameters
from streamer.session import live as module
from streamer.session.live import CameraRequest, LiveJob, live
from streamer.sinks.targets import Targets
from streamer.terminal.stopping import INTERRUPTED
from tests.fake_models import RedDepth
from tests.mjpeg_server import MjpegServer

NO_MODELS = Config(device="cpu", show=False, segmenter=None, depth=None)


def test_a_camera_is_asked_for_what_was_given_and_nothing_else():
    assert CameraRequest().options("0") == {}
    assert CameraRequest(640, 480, 25).options("0") == {"width": 640, "height": 480, "rate_hz": 25}
    assert CameraRequest(height=480).options("rtsp://door/1") == {"height": 480}
    assert CameraRequest(source_fps=12.5).options("clip.mp4") == {"rate_hz": 12.5}
    assert CameraRequest(source_fps=60).options("scene") == {"rate_hz": 60, "frame_count": None}


@pytest.mark.parametrize("source", ["0", "/dev/video1", "http://door/1"])
def test_a_camera_has_no_rate_of_a_file(source):
    with pytest.raises(ConfigError, match="for a camera, use --fps"):
        CameraRequest(source_fps=30).options(source)


@pytest.mark.parametrize("camera", [CameraRequest(width=640), CameraRequest(height=480), CameraRequest(fps=30)])
@pytest.mark.parametrize("source", ["clip.mp4", "scene"])
def test_a_file_has_no_settings_of_a_camera(camera, source):
    with pytest.raises(ConfigError, match="are for cameras: for a file, use --source-fps"):
        camera.options(source)


def test_nothing_shown_and_nothing_written_is_refused_before_the_source_is_opened():
    with pytest.raises(DisplayError, match="Nothing is shown and nothing is written: leave out --no-show"):
        live(Engine(NO_MODELS), LiveJob(["rtsp://nowhere.invalid/1"], (), Targets()))


def test_an_output_that_cannot_be_is_refused_before_the_source_is_opened(tmp_path):
    with pytest.raises(SinkError, match=r"end its name in \.mp4, \.mkv"):
        live(Engine(NO_MODELS), LiveJob(["rtsp://nowhere.invalid/1"], (), Targets(tmp_path / "out.avi")))


@pytest.mark.parametrize("width", [64, 1280])
def test_a_camera_is_told_with_its_settings_and_where_they_are_not_what_was_asked_for(
    tmp_path, monkeypatch, capsys, width
):
    stop = SimpleNamespace(signalled=True, code=INTERRUPTED, take_reload=lambda: False)
    monkeypatch.setattr(module, "Stop", lambda **_: nullcontext(stop))
    with MjpegServer() as server:
        job = LiveJob([server.url], (), Targets(jsonl=tmp_path / "out.jsonl"), CameraRequest(width=width))
        assert live(Engine(NO_MODELS), job) == INTERRUPTED
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("127.0.0.1-camera: 64x48 at ")
    notice = f"The stream {server.url} gives width 64 instead of 1280."
    assert [line for line in lines if "instead of" in line] == ([notice] if width == 1280 else [])


@pytest.mark.parametrize(
    ("sources", "loop", "says"),
    [
        (["a.jpg", "clip.mp4"], False, "if all are pictures"),
        (["0", "1"], False, "if all are pictures"),
        (["photo.jpg"], True, "--loop plays a recording"),
        (["0"], True, "--loop plays a recording"),
    ],
)
def test_what_cannot_be_shown_in_a_row_or_again_is_refused(sources, loop, says):
    with pytest.raises(ConfigError, match=says):
        live(Engine(NO_MODELS), LiveJob(sources, (), Targets(Path("out")), loop=loop))


def test_pictures_are_written_one_after_the_other_without_a_window(tmp_path):
    for name, value in (("one", 60), ("two", 120)):
        Image.fromarray(np.full((48, 64, 3), value, np.uint8)).save(tmp_path / f"{name}.png")
    engine = Engine(NO_MODELS.model_copy(update={"depth": DepthParameters()}), depth_estimator=RedDepth())
    job = LiveJob([str(tmp_path / "one.png"), str(tmp_path / "two.png")], (), Targets(tmp_path / "out"))
    assert live(engine, job) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["one-annotated.png", "two-annotated.png"]
