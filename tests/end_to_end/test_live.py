"""The live command: in a real window with a real mouse and keyboard, and on a network camera without one."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import time

import cv2
import numpy as np
import pytest

from streamer.ui.drawing import AMBER
from tests.end_to_end.conftest import frame_lines, frames_of, start, wait_until
from tests.mjpeg_server import MjpegServer
from tests.ui.window.test_window import close_as_a_person_would, screen
from tests.videos import number_of

QUICK = ("--no-depth", "--set", "tracking.max_objects=0")


class Person:
    """Someone in front of the virtual screen."""

    def __init__(self, title, process):
        self.window = None
        wait_until(lambda: self._finds(title) or process.poll() is not None, what="the window")
        assert process.poll() is None, process.communicate()
        wait_until(lambda: screen()[100:500, 100:500].std() > 10, what="its being painted")

    def _finds(self, title):
        found = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", title], capture_output=True, text=True)
        self.window = int(found.stdout.split()[-1]) if found.stdout.strip() else None
        return self.window

    def does(self, *arguments):
        subprocess.run(["xdotool", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture
def live(tmp_path, virtual_display):
    """Starts the command and kills what is left of it."""
    if not shutil.which("import"):
        pytest.skip("ImageMagick is not installed")
    started = []

    def run(*arguments):
        started.append(start(tmp_path, "live", *arguments, DISPLAY=virtual_display))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def ended(process):
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, ""), out + err
    return out


def lines_of(path):
    return frame_lines(path.read_text()) if path.exists() else []


def test_a_person_uses_the_window(live, tmp_path):
    process = live("scene", "--jsonl", "out.jsonl", "--source-fps", "15", *QUICK)
    growing, recordings = tmp_path / "out.partial.jsonl", tmp_path / "recordings"
    person = Person("streamer: scene", process)
    wait_until(lambda: len(lines_of(growing)) > 3, what="frames")
    assert lines_of(growing)[-1]["objects"] == []

    def press(key):
        """One key, and two frames for it to be heard: keys within one frame may overtake a click."""
        person.does("key", key)
        before = len(lines_of(growing))
        wait_until(lambda: len(lines_of(growing)) >= before + 2, what="the next frames")

    middle = 640, 380  # of the window, which lies at the corner of the screen and shows 1280x720 with bars
    person.does("mousemove", *middle, "click", 1)
    wait_until(lambda: [thing["id"] for thing in lines_of(growing)[-1]["objects"]] == [1], what="a new object")
    press("n")
    person.does("mousemove", 900, 300, "click", 1)  # beside the list, which stands on the left
    wait_until(lambda: [thing["id"] for thing in lines_of(growing)[-1]["objects"]] == [1, 2], what="a second object")
    press("d")
    wait_until(lambda: [thing["id"] for thing in lines_of(growing)[-1]["objects"]] == [1], what="the object's end")

    press("r")
    wait_until(lambda: list(recordings.glob("*.partial.mp4")), what="a recording")
    for key in ("t", "m", "m", "s"):
        press(key)
    wait_until(lambda: list(recordings.glob("scene-0-?????.png")), what="a snapshot")
    press("r")
    wait_until(lambda: [path for path in recordings.glob("*.mp4") if "partial" not in path.name], what="its end")

    person.does("mousemove", 5, 5, "key", "space")
    wait_until(says_paused, what="the word that it is paused")
    wait_for_rest()
    count = len(lines_of(growing))
    wait_for_rest()
    assert len(lines_of(growing)) == count
    person.does("key", "space")
    wait_until(lambda: len(lines_of(growing)) > count, what="going on")
    person.does("key", "q")
    out = ended(process)

    (recording,) = recordings.glob("*.mp4")
    times_s, images = frames_of(recording)
    assert times_s[0] == 0
    assert len(times_s) >= 5
    assert (np.diff(times_s) > 0).all()
    assert {image.shape for image in images} == {(720, 1280, 3)}
    (snapshot,) = recordings.glob("*.png")
    assert cv2.imread(str(snapshot)).shape == (720, 1280, 3)
    for words in ("recording", "recorded", f"snapshot recordings/{snapshot.name}", "wrote out.jsonl"):
        assert words in out


def says_paused():
    return (np.abs(screen()[:40, :200].astype(int) - AMBER).max(axis=2) < 60).any()


def wait_for_rest():
    """Until two looks at the screen are the same."""
    last = [screen()]

    def rests():
        last.append(screen())
        return (last[-1] == last[-2]).all()

    wait_until(rests, what="a picture at rest")


def test_closing_the_window_ends_the_run(live, tmp_path):
    process = live("scene", "-o", "out.mkv", "--source-fps", "10", *QUICK)
    person = Person("streamer: scene", process)
    wait_until(lambda: (tmp_path / "out.partial.mkv").exists() and screen()[100:500, 100:500].std() > 10)
    close_as_a_person_would(person.window)
    assert "wrote out.mkv" in ended(process)
    assert frames_of(tmp_path / "out.mkv")[0]


def test_a_network_camera_is_recorded_without_a_window(tmp_path, virtual_display):
    with MjpegServer(size=(320, 240), rate_hz=20) as server:
        process = start(tmp_path, "live", server.url, "--no-show", "-o", "out.mp4", "--jsonl", "out.jsonl", *QUICK)
        growing = tmp_path / "out.partial.jsonl"
        wait_until(lambda: len(lines_of(growing)) > 30 or process.poll() is not None, what="thirty frames")
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, ""), out + err
    lines = lines_of(tmp_path / "out.jsonl")
    times_s, images = frames_of(tmp_path / "out.mp4")
    assert len(images) > 25
    # A stream begins with what the server had sent before it was read: too much at once for the video, which says so.
    left_out = len(lines) - len(images)
    assert (left_out > 0) == ("out.mp4 too slow" in out), out
    known_s = np.array([line["time_s"] for line in lines])
    assert all(np.abs(known_s - time_s).min() < 1e-3 for time_s in times_s)
    numbers = np.array([number_of(image) for image in images])
    assert ((numbers >= 0) & (numbers < 20)).all()
    red, _, blue = images[-1][10, 10].astype(int)
    assert red > blue + 100, "red and blue are swapped"
    assert "wrote out.mp4, out.jsonl" in out


def test_a_service_waits_for_its_camera_and_for_its_end(tmp_path, virtual_display):
    """Its camera comes late, its prompts change, its lines go into a pipe, and SIGTERM ends it as it is meant to."""
    prompts = tmp_path / "prompts.yaml"
    prompts.write_text("- {box: [10, 10, 100, 100], label: cup}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ("--no-show", "--jsonl", "-", "--masks-in-jsonl", "box", "--prompts", prompts, "--json-log", "--no-depth")
    options += ("--wait-for-source",)
    process = start(tmp_path, "live", f"http://127.0.0.1:{port}/camera.mjpg", *options)
    assert "Waiting for the source" in json.loads(process.stderr.readline())["message"]
    with MjpegServer(size=(320, 240), rate_hz=20, port=port):
        header, first = (json.loads(process.stdout.readline()) for _ in range(2))
        assert (header["type"], header["size"], header["masks"]) == ("header", [320, 240], "box")
        assert (first["type"], first["stamp_origin"]) == ("frame", "arrival")
        assert time.time_ns() - first["stamp_ns"] < 30e9
        assert [(thing["id"], thing["label"], thing["mask"]) for thing in first["objects"]] == [(1, "cup", None)]
        prompts.write_text("[{points: [[50, 50]], label: ball}, {box: [200, 100, 300, 200]}]")
        process.send_signal(signal.SIGHUP)
        for line in process.stdout:
            things = json.loads(line).get("objects", [])
            if [thing["label"] for thing in things] == ["ball", None]:
                break
        process.terminate()
        process.stdout.read()
        assert process.wait(10) == 0
        assert "Following 2 objects" in process.stderr.read()
