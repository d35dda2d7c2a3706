"""What serving costs: measured with pages that are open in another process, one of them stalled."""

from __future__ import annotations

from streamer.benchmarks.clip import BenchClip
from streamer.benchmarks.serve import _cells, _measure
from streamer.config import Config
from streamer.engine import Engine
from streamer.terminal.stopping import Stop
from tests.fake_models import ColorSegmenter, moving_scene
from tests.videos import make_video


def test_rows_tell_what_the_loop_spends_and_how_old_pictures_are(tmp_path):
    path = tmp_path / "clip.mp4"
    make_video(path, 100, size=(320, 240), images=[moving_scene(index % 60)[0] for index in range(100)])
    clip = BenchClip(path, (320, 240), 25.0)
    with Engine(Config(device="cpu", depth=None), segmenter=ColorSegmenter()) as engine:
        unserved = _measure(engine, clip, None, 0.5, Stop())
        watched = _measure(engine, clip, (2, 1), 3.0, Stop())
    assert "serve" not in unserved["timings_ms"]
    assert unserved["delay_ms"] == {"count": 0}
    assert watched["timings_ms"]["serve"]["count"] >= watched["frames"]["shown"] > 0
    assert watched["delay_ms"]["count"] > 0
    assert 0 < watched["delay_ms"]["p50"] <= watched["delay_ms"]["p95"]
    assert _cells({"name": "not served", **unserved})[4:6] == ["-", "-"]
    assert "ms" in _cells({"name": "two pages", **watched})[5]
