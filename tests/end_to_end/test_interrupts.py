"""Ctrl-C, a polite and an impolite kill in the middle of a run: what was written plays."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.conftest import frame_lines, frames_of, names_in, start, wait_until
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
    times_s, images = frames_of(path)
    assert least < len(times_s) < COUNT
    assert times_s == pytest.approx(np.arange(len(times_s)) / 25, abs=1e-5)
    assert [number_of(image) for image in images] == [index % 20 for index in range(len(images))]
    return len(times_s)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["ctrl-c", "terminate", "hang-up"]
)
def test_an_interrupted_run_finishes_its_files(running, tmp_path, number):
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (130, "")
    written = check_video(tmp_path / "out.mp4", 100)
    assert f"Ended after {written} frames, before the source did." in out
    lines = frame_lines((tmp_path / "out.jsonl").read_text())
    assert [line["index"] for line in lines] == list(range(written))
    assert names_in(tmp_path) == ["long.mp4", "out.jsonl", "out.mp4"]


def test_a_terminal_that_is_gone_ends_the_run_in_order(tmp_path, long_video):
    """What ssh does when the connection drops: the terminal vanishes, and with it the place to speak to."""
    terminal, end = pty.openpty()
    take_it = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"
    run_it = "os.execv(sys.executable, [sys.executable, '-m', 'streamer', *sys.argv[1:]])"
    paths = [str(Path(__file__).parents[2]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    process = subprocess.Popen(
        [sys.executable, "-c", f"{take_it}; {run_it}", "annotate", str(long_video), *ARGUMENTS[2:], *QUICK],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        **dict.fromkeys(("stdin", "stdout", "stderr"), end),
        start_new_session=True,
    )
    os.close(end)
    os.set_blocking(terminal, False)
    lines = tmp_path / "out.partial.jsonl"

    def under_way():
        with contextlib.suppress(BlockingIOError):
            os.read(terminal, 1 << 20)  # a terminal that nobody reads holds up whoever writes to it
        assert process.poll() is None
        return lines.exists() and lines.read_bytes().count(b"\n") > 100

    wait_until(under_way, what="the first hundred frames")
    os.close(terminal)
    assert process.wait(60) == 130
    check_video(tmp_path / "out.mp4", 100)
    assert names_in(tmp_path) == ["out.jsonl", "out.mp4"]


def test_a_second_run_at_the_same_output_is_refused_and_the_first_goes_on(running, inside, tmp_path):
    make_video(tmp_path / "other.mp4", 4)
    running.send_signal(signal.SIGSTOP)
    done = inside("annotate", "other.mp4", "-o", "out.mp4", *QUICK)
    assert done.code == 2
    assert done.err == "streamer: out.mp4 is being written by another run: choose another name.\n"
    running.send_signal(signal.SIGCONT)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    check_video(tmp_path / "out.mp4", 100)
    assert names_in(tmp_path) == ["long.mp4", "other.mp4", "out.jsonl", "out.mp4"]


def test_a_killed_run_leaves_a_video_that_plays_under_another_name(running, tmp_path):
    running.kill()
    running.communicate()
    assert names_in(tmp_path) == ["long.mp4", "out.partial.jsonl", "out.partial.mp4"]
    check_video(tmp_path / "out.partial.mp4", 50)
    lines = frame_lines((tmp_path / "out.partial.jsonl").read_text())
    assert [line["index"] for line in lines] == list(range(len(lines)))


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
    assert json.loads(process.stdout.readline())["type"] == "header"
    assert json.loads(process.stdout.readline())["index"] == 0
    process.stdout.close()
    error = process.stderr.read()
    assert process.wait(60) == 1
    assert error.splitlines()[-1].startswith("streamer: The standard output takes no more lines (Broken pipe)")
    assert "Traceback" not in error
