"""`bench batch`: the same clips by both ways, and the figures of both."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from streamer.benchmarks import batch as module
from streamer.benchmarks.batch import BatchBench, bench_batch
from streamer.errors import ConfigError
from tests.videos import make_video


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """The commands that were run, which do nothing."""
    clip = SimpleNamespace(path=make_video(tmp_path / "clip.mp4", 4))
    monkeypatch.setattr(module, "rendered_clip", lambda *arguments: clip)
    monkeypatch.setattr(module, "machine", lambda: {"cpu": "one", "cores": 2, "load_average": 0.0})
    commands: list[list[str]] = []
    ends = {"code": 0}

    def run(words, **keywords):
        commands.append(words[3:])
        there = [Path(word) for word in words if word.endswith("clips") or "/clips/" in word]
        assert all(path.exists() for path in there)
        return subprocess.CompletedProcess(words, ends["code"], "", "streamer: no.")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(module, "_children_s", lambda: 2.0 * len(commands))
    return commands, ends


def test_one_batch_and_one_annotate_for_each_clip(ran, tmp_path):
    commands, _ = ran
    bench = BatchBench(clips=3, frames=4, jobs=2, options=("--config", "tiny"), json=tmp_path / "figures.json")
    assert bench_batch(bench) == 0
    assert [words[0] for words in commands] == ["batch", "annotate", "annotate", "annotate"]
    assert all(words[-2:] == ["--config", "tiny"] for words in commands)
    rows = json.loads((tmp_path / "figures.json").read_text())["rows"]
    assert [(row["name"], row["processor_s"]) for row in rows] == [
        ("batch --jobs 2", 2),
        ("shell loop over annotate", 6),
    ]


def test_a_command_that_fails_is_told(ran):
    _, ends = ran
    ends["code"] = 2
    with pytest.raises(ConfigError, match="failed: streamer: no"):
        bench_batch(BatchBench(clips=1, frames=4))
