"""Many videos through the real command: a worker is killed, the whole is interrupted, and in the end all is there."""

from __future__ import annotations

import csv
import json
import os
import signal
from pathlib import Path

import pytest

from tests.end_to_end.conftest import frames_of, names_in, start, wait_until
from tests.videos import make_video

QUICK = ("--no-masks", "--set", "schedule.depth_interval=1000", "--set", "video.preset=ultrafast")


def workers_of(process) -> list[int]:
    """The worker processes of a batch, by their ids."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in children if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text()]


def batch(folder, *arguments):
    return start(folder, "batch", "videos", "-o", "out", "--jobs", 2, *QUICK, *arguments)


@pytest.fixture
def videos(tmp_path):
    (tmp_path / "videos" / "day").mkdir(parents=True)
    for number, name in enumerate(["a", "b", "day/a", "day/c"]):
        make_video(tmp_path / "videos" / f"{name}.mp4", 30 + number)
    (tmp_path / "videos" / "broken.mp4").write_bytes(b"not a video" * 99)
    return tmp_path


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the processes are found in /proc")
def test_a_killed_worker_and_an_interruption_lose_nothing(videos):
    process = batch(videos)
    wait_until(lambda: list((videos / "out").rglob("*.unfinished-*")), what="the first output")
    os.kill(workers_of(process)[0], signal.SIGKILL)
    wait_until(lambda: list((videos / "out").rglob("*-annotated.mp4")), what="the first video")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, out + err
    assert "the same command goes on from here" in out
    first = json.loads((videos / "out" / "summary.json").read_text())
    assert first["videos"] == 5
    assert not list((videos / "out").rglob("*.unfinished-*"))
    done = {path: path.stat().st_mtime_ns for path in (videos / "out").rglob("*-annotated.mp4")}

    process = batch(videos)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, out + err
    assert "1 of 5 videos are not whole" in err
    summary = json.loads((videos / "out" / "summary.json").read_text())
    assert summary["states"] == {"finished": 4, "quarantined": 1}
    assert summary["frames"] == 30 + 31 + 32 + 33
    assert names_in(videos / "out") == sorted(
        ["summary.json", "summary.csv", "broken.batch.json"]
        + [f"{name}{end}" for name in ("a", "b", "day/a", "day/c") for end in ("-annotated.mp4", ".batch.json")]
    )
    for number, name in enumerate(["a", "b", "day/a", "day/c"]):
        assert len(frames_of(videos / "out" / f"{name}-annotated.mp4")[0]) == 30 + number
    rows = {row["name"]: row for row in csv.DictReader((videos / "out" / "summary.csv").open())}
    assert rows["broken"]["attempts"] == "3"
    assert "cannot be read as a video" in rows["broken"]["reason"]
    assert {path: path.stat().st_mtime_ns for path in done} == done, "what was finished was done again"
