import json
import os
import sys

import pytest

from streamer.benchmarks import start
from streamer.benchmarks.start import StartBench, bench_start, started
from streamer.errors import StreamerError

pytestmark = pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs what Linux and macOS tell of processes")


def test_a_command_is_measured_from_its_beginning_to_its_end():
    busy = "import time; block = bytearray(64 * 2**20)\nwhile time.process_time() < 0.3: pass"
    run = started([sys.executable, "-c", busy], os.environ)
    assert run.seconds >= run.processor_s * 0.5
    assert run.processor_s >= 0.2
    if sys.platform == "linux":
        assert 64 < run.own_mib < run.peak_mib < 100


def test_a_command_that_fails_is_told_with_its_last_word():
    with pytest.raises(StreamerError, match="ended with 3: no luck"):
        started([sys.executable, "-c", "import sys; print('no luck'); sys.exit(3)"], os.environ)


def test_every_command_is_there_with_and_without_bytecode(monkeypatch, tmp_path, capsys):
    environments = []

    def quick(command, environment):
        environments.append(
            (command[2:], environment.get("PYTHONDONTWRITEBYTECODE"), environment["PYTHONPYCACHEPREFIX"])
        )
        return start.Start(1.0 + len(environments), 2.0, 300.0, 200.0)

    monkeypatch.setattr(start, "started", quick)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    bench_start(StartBench(2, clip=tmp_path / "clip.mp4", json=tmp_path / "start.json"))
    rows = json.loads((tmp_path / "start.json").read_text())["rows"]
    assert [(row["name"], row["bytecode"]) for row in rows[::3]] == [("--help", True), ("--help", False)]
    assert rows[0]["seconds"] == 3.5  # of the second and third; the first one warms the disk
    assert {kept for _, kept, _ in environments[:9]} == {None}
    assert {kept for _, kept, _ in environments[9:]} == {"1"}
    assert environments[0][2] != environments[9][2]
    assert "annotate, a photo" in capsys.readouterr().out
