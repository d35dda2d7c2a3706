import json

import cv2
import pytest

from streamer.benchmarks.scene import SceneBench, bench_scene


def test_every_scene_is_timed_on_one_thread_and_written(capsys, tmp_path):
    threads = cv2.getNumThreads()
    bench_scene(SceneBench((0, 3), 6, (160, 96), tmp_path / "scene.json"))
    assert cv2.getNumThreads() == threads
    told = capsys.readouterr().out
    scenes = json.loads((tmp_path / "scene.json").read_text())["scenes"]
    assert list(scenes) == ["scene-0", "scene-3"]
    for name, figures in scenes.items():
        assert name in told
        assert figures["p95_ms"] >= figures["median_ms"] > 0
        assert figures["rate_hz"] == pytest.approx(1000 / figures["median_ms"], rel=0.9)
        assert figures["flow_fields"] > 0
