"""Whatever a person may write for a source."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from streamer.errors import SourceError
from streamer.sources.arrays import ArraySource
from streamer.sources.file import VideoSource
from streamer.sources.images import ImageFolderSource, ImageSource
from streamer.sources.open import kind_of, open_source
from streamer.sources.paced import PacedSource
from tests.mjpeg_server import MjpegServer
from tests.videos import make_video, number_of

IMAGE = np.zeros((4, 6, 3), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("1.png", "2.png", "other.jpg"):
        Image.fromarray(IMAGE).save(tmp_path / name)
    make_video(tmp_path / "clip.mp4", 3)
    return tmp_path


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def file_server(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.005,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (0, "camera"),
        ("0", "camera"),
        ("/dev/video2", "camera"),
        ("rtsp://host/live", "stream"),
        ("http://host/clip.mp4", "stream"),
        ("scene", "scene"),
        ("./scene", "video"),
        ("clip.mp4", "video"),
        ("clip.gif", "video"),
        ("photo.JPG", "image"),
        ("frames/*.png", "folder"),
        ("frames/frame.%04d.png", "folder"),
        ("file:///nowhere/clip%20one.mp4", "video"),
        ("-", "video"),
        ("/dev/fd/63", "video"),
        ([IMAGE], "arrays"),
        (iter([IMAGE]), "arrays"),
    ],
)
def test_what_a_source_is_shows_before_it_is_opened(spec: object, kind: str) -> None:
    assert kind_of(spec) == kind


def test_paths_open_as_what_they_are(folder: Path) -> None:
    assert isinstance(open_source(folder / "clip.mp4"), VideoSource)
    assert isinstance(open_source(str(folder / "1.png")), ImageSource)
    assert isinstance(open_source([IMAGE], rate_hz=5), ArraySource)
    whole, numbered = open_source(folder), open_source(str(folder / "[0-9].png"), rate_hz=5)
    assert isinstance(whole, ImageFolderSource)
    assert isinstance(numbered, ImageFolderSource)
    assert (whole.info.frame_count, numbered.info.frame_count, numbered.info.rate_hz) == (3, 2, 5)


def test_a_file_with_pattern_signs_in_its_name_is_that_file(folder: Path) -> None:
    path = (folder / "1.png").rename(folder / "a[1].png")
    assert open_source(str(path)).info.name == "a[1]"


def test_numbered_names_are_a_sequence(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        Image.fromarray(IMAGE).save(tmp_path / f"frame.{number:04d}.png")
    for name in ("frame.1.png", "frame.0001b.png", "other.0001.png"):
        Image.fromarray(IMAGE).save(tmp_path / name)
    source = open_source(str(tmp_path / "frame.%04d.png"), rate_hz=10)
    assert [frame.stem for frame in iter(source.read, None)] == ["frame.0001", "frame.0002", "frame.0010"]
    assert open_source(str(tmp_path / "frame.%d.png")).info.frame_count == 4


def test_signs_in_the_name_of_a_folder_are_no_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "[1] #2 %d"
    folder.mkdir()
    for name in ("1.png", "2.png"):
        Image.fromarray(IMAGE).save(folder / name)
    assert open_source(str(folder / "*.png")).info.frame_count == 2
    assert open_source(str(folder / "%d.png")).info.frame_count == 2
    monkeypatch.chdir(tmp_path)
    assert open_source("[1] #2 %d/*.png").info.frame_count == 2
    assert open_source("*/1.png").info.frame_count == 1


def test_a_file_address_is_its_path(folder: Path) -> None:
    (folder / "clip.mp4").rename(folder / "a clip.mp4")
    source = open_source((folder / "a clip.mp4").as_uri())
    assert source.info.path == folder / "a clip.mp4"
    source.close()


def test_a_file_called_scene_is_that_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "clip.mp4").rename(folder / "scene")
    assert kind_of("scene") == "video"


def test_a_source_without_a_name_is_refused() -> None:
    with pytest.raises(SourceError, match="The source has no name"):
        open_source("")


def test_a_transport_stream_on_a_web_server_ends(folder: Path, file_server: str) -> None:
    make_video(folder / "clip.ts", 12, audio=True)
    source = open_source(f"{file_server}/clip.ts")
    assert isinstance(source, VideoSource)
    assert len(list(iter(source.read, None))) == 12
    assert source.damage is None
    assert source.info.address == f"{file_server}/clip.ts"
    source.close()


def test_the_scene_opens_by_its_name() -> None:
    pytest.importorskip("streamer.synthetic")
    scene = open_source("scene", size=(64, 48), frame_count=2)
    assert scene.info.size == (64, 48)
    scene.close()


def test_live_plays_recordings_and_leaves_cameras_and_stills_alone(folder: Path) -> None:
    clip = open_source(folder / "clip.mp4", live=True, rate_hz=50)
    assert isinstance(clip, PacedSource)
    assert (clip.info.live, clip.info.rate_hz) == (True, 50)
    images = open_source(folder, live=True, rate_hz=500)
    assert isinstance(images, PacedSource)
    assert [frame.time_s for frame in iter(images.read, None)] == pytest.approx([0, 0.002, 0.004])
    assert isinstance(open_source(folder / "1.png", live=True), ImageSource)


def test_a_live_stream_stays_a_camera() -> None:
    with MjpegServer() as server:
        source = open_source(server.url, live=True, width=64, open_timeout_s=3)
        assert not isinstance(source, PacedSource)
        assert source.read() is not None
        source.close()


def test_a_video_on_a_web_server_keeps_its_times_and_ends(file_server: str) -> None:
    source = open_source(f"{file_server}/clip.mp4")
    frames = list(iter(source.read, None))
    source.close()
    assert [number_of(frame.image_rgb) for frame in frames] == [0, 1, 2]
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.04, 0.08])
    assert (source.info.live, source.info.path, source.damage) == (False, None, None)
    assert source.info.name == "127.0.0.1-clip"


def test_what_cannot_be_opened_is_refused_in_one_sentence(folder: Path, file_server: str) -> None:
    for spec, words in [
        (folder / "nowhere.mp4", "There is no file"),
        (folder / "nowhere.png", "There is no file"),
        (str(folder / "*.bmp"), "Nothing matches"),
        (str(folder / "*.mp4"), "matches no picture, but 1 other files"),
        (f"{file_server}/nowhere.mp4", "cannot be reached"),
        (None, "not NoneType"),
        (97, "Camera 97 cannot be opened"),
    ]:
        with pytest.raises(SourceError, match=words) as caught:
            open_source(spec)
        assert "\n" not in str(caught.value)
    with pytest.raises(SourceError, match="keeps its own timestamps"):
        open_source(folder / "clip.mp4", rate_hz=5)


def test_opening_imports_only_what_is_needed() -> None:
    code = "import sys, streamer.sources.open; print([m for m in ('av', 'cv2', 'PIL', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
