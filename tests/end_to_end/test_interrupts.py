"""Ctrl-C, a polite and an impolite kill in the middle of a run: what was written plays."""

from __future__ import annotations

import json
import signal
import time

import numpy as np
import pytest

from tests.end_to_end.conftest import frames_of, names_in, start, wait_until
from tests.videos import make_video, number_of, numbered_image

SIZE = 160, 120
COUNT = 4000
ARGUMENTS = ("annotate", "long.mp4", "-o", "out.mp4", "--jsonl", "out.jsonl")
QUICK = ("--no-masks", "--set", "schedule.depth_interval=100000", "--set", "overlay.depth=off")


@pytest.fixture(scope="module")
def long_video(tmp_path_factory):
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    return make_video(path, COUNT, size=SIZE, images=[numbered_image(number % 20, SIZE) for number in range(COUNT)])


@pytest.fixture
def running(tmp_path, long_video):
    """The command in the middle of its work, with a second of video on the disk."""
    (tmp_path / "long.mp4").symlink_to(long_video)
    process = start(tmp_path, *ARGUMENTS, *QUICK)

    def under_way():
        assert process.poll() is None, process.communicate()
        lines = tmp_path / "out.partial.jsonl"
        return lines.exists() and lines.read_bytes().count(b"\n") > 100

    wait_until(under_way, what="the first hundred frames")
    yield process
    process.kill()
    process.communicate()


def check_video(path, least):
    times_s, pictures = frames_of(path)
    assert least < len(times_s) < COUNT
    assert times_s == pytest.approx(np.arange(len(times_s)) / 25, abs=1e-5)
    assert [number_of(picture) for picture in pictures] == [index % 20 for index in range(len(pictures))]
    return len(times_s)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_an_interrupted_run_finishes_its_files(running, tmp_path, number):
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (130, "")
    written = check_video(tmp_path / "out.mp4", 100)
    assert f"Ended after {written} frames, before the source did." in out
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line)["index"] for line in lines] == list(range(written))
    assert names_in(tmp_path) == ["long.mp4", "out.jsonl", "out.mp4"]


def test_a_killed_run_leaves_a_video_that_plays_under_another_name(running, tmp_path):
    running.kill()
    running.communicate()
    assert names_in(tmp_path) == ["long.mp4", "out.partial.jsonl", "out.partial.mp4"]
    check_video(tmp_path / "out.partial.mp4", 50)
    lines = (tmp_path / "out.partial.jsonl").read_text().splitlines()
    assert [json.loads(line)["index"] for line in lines[:-1]] == list(range(len(lines) - 1))


def test_ctrl_c_while_the_models_load_leaves_nothing_behind(tmp_path, long_video):
    process = start(tmp_path, "annotate", long_video, "-o", "out.mp4", *QUICK)
    time.sleep(0.3)
    while process.poll() is None:  # impatient, until it listens: the second one must end it at once
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT)  # the latter while Python itself is still starting
    assert "streamer/cli.py" not in err
    assert "out.mp4" not in names_in(tmp_path)


def test_a_run_ends_with_whoever_reads_its_lines(tmp_path, long_video):
    process = start(tmp_path, "annotate", long_video, "--jsonl", "-", *QUICK)
    assert json.loads(process.stdout.readline())["index"] == 0
    process.stdout.close()
    error = process.stderr.read()
    assert process.wait(60) == 1
    assert error.splitlines()[-1].startswith("streamer: The standard output takes no more lines (Broken pipe)")
    assert "Traceback" not in error
