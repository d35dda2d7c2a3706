"""Many videos through the real command: a worker is killed, the whole is interrupted, and in the end all is there."""

from __future__ import annotations

import csv
import json
import os
import signal
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.end_to_end.conftest import frames_of, names_in, start, wait_until
from tests.end_to_end.odd_clips import make_clips
from tests.videos import make_video

QUICK = ("--no-masks", "--set", "schedule.depth_interval=1000", "--set", "video.preset=ultrafast")


def workers_of(process) -> list[int]:
    """The worker processes of a batch, by their ids."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in children if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text()]


@contextmanager
def batch(folder, jobs):
    process = start(folder, "batch", "videos", "-o", "out", "--jobs", jobs, "--retries", 1, *QUICK)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for_output(folder):
    wait_until(lambda: list(folder.rglob("*.unfinished-*")), limit_s=400, what="the first output")


def summary_in(folder):
    return json.loads((folder / "out" / "summary.json").read_text())


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the processes are found in /proc")
def test_forty_odd_clips_come_out_right_although_a_worker_is_killed(tmp_path):
    made, out = make_clips(tmp_path / "videos"), tmp_path / "out"
    with batch(tmp_path, 2) as process:
        wait_for_output(out)
        os.kill(workers_of(process)[0], signal.SIGKILL)
        said, err = process.communicate(timeout=400)
    assert process.returncode == 1, said + err
    assert err.startswith("streamer: 6 of 40 videos are not whole")
    assert "its process was killed (SIGKILL" in said

    tasks = {task["name"]: task for task in summary_in(tmp_path)["tasks"]}
    assert {name: task["state"] for name, task in tasks.items()} == {name: state for name, (state, _) in made.items()}
    counts = {name: count for name, (_, count) in made.items() if count >= 0}
    assert {name: tasks[name]["frames"] for name in counts} == counts
    assert sum(task["attempts"] for task in tasks.values()) == 40 + 4 + 1, "four are no videos, and one lost its worker"
    for name, (state, _) in made.items():
        outputs = [out / output for output in tasks[name]["outputs"]]
        assert len(outputs) == (state != "quarantined")
        assert all(len(frames_of(output)[0]) == tasks[name]["frames"] for output in outputs)
    rows = list(csv.DictReader((out / "summary.csv").open(encoding="utf-8")))
    assert [row["name"] for row in rows] == sorted(made)
    assert not list(out.rglob("*.unfinished-*"))

    before = {path: path.stat().st_mtime_ns for path in out.rglob("*-annotated*")}
    with batch(tmp_path, 2) as process:
        said, _ = process.communicate(timeout=100)
    assert said.startswith("0 videos to do")
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*-annotated*")} == before
    again = {task["name"]: task for task in summary_in(tmp_path)["tasks"]}
    assert again == tasks


def test_an_interruption_leaves_nothing_half_done(tmp_path):
    (tmp_path / "videos").mkdir()
    make_video(tmp_path / "videos" / "a.mp4", 400)
    with batch(tmp_path, 1) as process:
        wait_for_output(tmp_path / "out")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=100)
    assert process.returncode == 130, out + err
    assert "the same command goes on from here" in out
    assert names_in(tmp_path / "out") == ["summary.csv", "summary.json"]
    assert summary_in(tmp_path)["states"] == {"waiting": 1}
