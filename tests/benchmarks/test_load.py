"""What a busy machine leaves of a run: read from JSON lines, and from real neighbors for a moment."""

from __future__ import annotations

import json
from itertools import count

import pytest

from streamer.benchmarks.clip import BenchClip
from streamer.benchmarks.load import Answers, LoadBench, _cells, busy_processes, live_figures
from streamer.errors import ConfigError
from tests.videos import make_video


def lines_of(ages_s):
    yield json.dumps({"type": "header"})
    for index, (masks, depth) in enumerate(ages_s):
        stages = {"masks": {"age_s": masks}, "depth": {"age_s": depth}}
        yield json.dumps({"type": "frame", "index": index, "stages": stages})


def test_what_a_model_has_found_is_new_when_it_is_younger_than_what_was_there():
    ages_s = [(None, None), (0.5, None), (1.5, 1.0), (2.5, 2.0), (0.5, 3.0), (1.5, 4.0)]
    ticks = count(10)
    figures = Answers.of(lines_of(ages_s), lambda: next(ticks) / 2, 60.0).figures()
    assert (figures["first_frame_s"], figures["live_hz"]) == (5.0, 2.0)
    assert figures["masks"] == {"first_s": 5.5, "count": 2, "longest_gap_s": 1.5}
    assert figures["depth"] == {"first_s": 6.0, "count": 1, "longest_gap_s": 1.5}


def test_a_run_without_an_answer_says_never():
    figures = Answers.of(lines_of([(None, None)] * 3), lambda: 1.0, 60.0).figures()
    cells = _cells({"neighbors": 8, "frame_s": 0.5, **figures}, {"frame_s": 0.1})
    assert cells[2] == "5.00x"
    assert cells[-1] == "never, never"


def test_neighbors_are_there_and_gone_afterwards():
    with busy_processes(2) as processes:
        assert [process.poll() for process in processes] == [None, None]
    assert None not in [process.poll() for process in processes]


def test_a_live_command_is_measured_and_ended(tmp_path):
    make_video(tmp_path / "clip.mp4", 30, size=(96, 64))
    bench = LoadBench(seconds=0.5, options=("--no-depth",))
    figures = live_figures(BenchClip(tmp_path / "clip.mp4", (96, 64), 25.0), bench)
    assert figures["live_hz"] > 1
    assert figures["depth"]["count"] == 0


def test_a_command_that_shows_nothing_is_no_measurement(tmp_path):
    with pytest.raises(ConfigError, match="no frame"):
        live_figures(BenchClip(tmp_path / "none.mp4", (96, 64), 25.0), LoadBench())
