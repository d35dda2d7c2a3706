import json

import cv2

from streamer.benchmarks.loop import LoopBench, bench_loop
from streamer.config import load


def test_every_stage_is_timed_on_one_thread_and_written(capsys, tmp_path):
    threads = cv2.getNumThreads()
    bench_loop(load("tiny"), LoopBench(9, (160, 96), objects=2, json=tmp_path / "loop.json"))
    assert cv2.getNumThreads() == threads
    told = capsys.readouterr().out
    spent = json.loads((tmp_path / "loop.json").read_text())["spent_ms"]
    for stage in ("flow", "track", "carry", "ask and adopt", "frame loop", "draw"):
        assert stage in told
        assert spent[stage]["p95"] >= spent[stage]["median"] > 0
        assert spent[stage]["mean"] > 0, "no model's time is taken off twice"
    parts = sum(spent[stage]["mean"] for stage in ("flow", "track", "carry", "ask and adopt"))
    assert abs(parts - spent["frame loop"]["mean"]) < 0.05
