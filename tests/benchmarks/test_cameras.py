"""What each of several cameras gets: measured on a small clip, with models that need no weights."""

from __future__ import annotations

from streamer.benchmarks.cameras import _cells, _figures, _measure
from streamer.benchmarks.clip import BenchClip
from streamer.config import Config
from streamer.engine import Engine
from tests.fake_models import ColorSegmenter, moving_scene
from tests.videos import make_video


def test_every_camera_has_figures_of_its_own(tmp_path):
    path = tmp_path / "clip.mp4"
    make_video(path, 40, size=(320, 240), images=[moving_scene(index)[0] for index in range(40)])
    with Engine(Config(device="cpu", depth=None), segmenter=ColorSegmenter()) as engine:
        cameras = _measure(engine, BenchClip(path, (320, 240), 25.0), 2, 1.0)
    assert len(cameras) == 2
    for camera in cameras:
        assert 1 < camera["frame_rate_hz"] < 40
        assert set(camera["mask_age_s"]) == {"p50", "p95", "max"}
    cells = _cells({"cameras": cameras, "peak_memory_mib": 123.4})
    assert (cells[0], cells[1].count(","), cells[-1]) == ("2", 1, "123 MiB")


def test_a_camera_without_masks_says_never():
    class Camera:
        def summary(self):
            return {"frame_rate_hz": 15.0, "stages": {}}

    cells = _cells({"cameras": [_figures(Camera(), [])], "peak_memory_mib": None})
    assert cells[1:4] == ["15.0", "0", "never"]
