"""What people get wrong: one line that says what to do, the right exit code, and nothing half-written."""

from __future__ import annotations

import json
import os
import re

import numpy as np
import pytest
from PIL import Image

from tests.end_to_end.conftest import frame_lines, frames_of, names_in
from tests.videos import make_video

QUICK = ["--no-masks", "--set", "schedule.depth_interval=1000"]


@pytest.fixture
def material(tmp_path):
    make_video(tmp_path / "a.mp4", 4)
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("I am no video.")
    (tmp_path / "zero.mp4").touch()
    Image.fromarray(np.zeros((48, 64, 3), np.uint8)).save(tmp_path / "a.png")
    Image.fromarray(np.zeros((48, 64), np.uint8)).save(tmp_path / "blank.png")
    Image.fromarray(np.full((20, 20), 255, np.uint8)).save(tmp_path / "small.png")
    (tmp_path / "typo.yaml").write_text("schedule:\n  keyframe_intervall: 5\n")
    (tmp_path / "deep.yaml").write_text("[" * 5000 + "]" * 5000)
    aliases = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    (tmp_path / "bomb.yaml").write_text("a0: &a0 [lol, lol]\n" + aliases + "schedule: *a8\n")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("annotate nowhere.mp4", "no file nowhere.mp4: check the path"),
        ("annotate nowhere.png", "no file nowhere.png: check the path"),
        ("annotate nowhere/*.jpg", "Nothing matches the pattern"),
        ("annotate empty", "holds no pictures"),
        ("annotate text.mp4", "text.mp4 cannot be read as a video"),
        ("annotate zero.mp4", "zero.mp4 cannot be read as a video"),
        ("annotate headers.mp4", "headers.mp4 has no frame that can be decoded"),
        ("annotate a.mp4 --point 64,10", "64,10 lies outside the frame, which is 64x48"),
        ("annotate a.mp4 --box 100,100,120,120", "lies outside the frame"),
        ("annotate a.mp4 --box 10,10,10,20", "has no area"),
        ("annotate a.mp4 --box 10,20,30", "must look like [ID:]X0,Y0,X1,Y1"),
        ("annotate a.mp4 --point here", "must look like [ID:]X,Y[,LABEL]"),
        ("annotate a.mp4 --point 1,2,3", "label must be 1 (foreground) or 0 (background)"),
        ("annotate a.mp4 --point nan,2", "must be finite"),
        ("annotate a.mp4 --init-mask nowhere.png", "nowhere.png cannot be read"),
        ("annotate a.mp4 --init-mask a.mp4", "is not a picture"),
        ("annotate a.mp4 --init-mask blank.png", "empty"),
        ("annotate a.mp4 --init-mask small.png", "The mask is 20x20 but the frame is 64x48"),
        ("annotate a.mp4 --config best", "There is no preset 'best': choose one of edgetam, metric, robot, sam-b"),
        ("annotate a.mp4 --config nowhere.yaml", "nowhere.yaml cannot be read"),
        ("annotate a.mp4 --config typo.yaml", "did you mean keyframe_interval?"),
        ("annotate a.mp4 --set schedule.keyframe_interval=often", "schedule.keyframe_interval does not fit"),
        ("annotate a.mp4 --set video.crf", "must look like section.key=value"),
        ("annotate a.mp4 --no-masks --no-depth", "nothing to do"),
        ("annotate a.mp4 -o out.avi", "end its name in .mp4, .mkv"),
        ("annotate a.mp4 -o out.png", "end the output's name in .mp4, .mkv"),
        ("annotate a.png -o out.mp4", "end the output's name in .png or .jpg"),
        ("annotate a.mp4 -o a.mp4", "is the source itself"),
        ("annotate a.mp4 a.png -o out.mp4", "name a folder with -o"),
        ("annotate a.mp4 -o text.mp4/out.mp4", "cannot be written (text.mp4 is a file)"),
        ("annotate a.mp4 --no-masks -o /proc/out.mp4", "cannot be written"),
        ("annotate a.mp4 -o -", "Only --jsonl and --stats can go to the standard output"),
        ("annotate a.mp4 --masks -", "Only --jsonl and --stats can go to the standard output"),
        ("annotate a.mp4 --jsonl empty", "empty is a folder: give the name of a file in it"),
        ("annotate a.mp4 --video-track 2", "a.mp4 has no video track 2: choose one from 1 to 1"),
        ("annotate a.png --video-track 1", "--video-track is for files that hold several videos"),
        ("annotate a.mp4 --config deep.yaml", "deep.yaml is nested too deeply"),
        ("annotate a.mp4 --config bomb.yaml", "does not fit"),
        (f"annotate a.mp4 -o {'n' * 300}.mp4", "longer than the disk takes"),
        ("annotate 0", "use `streamer live 0`"),
        ("annotate rtsp://me:secret@127.0.0.1:9/live", "never ends: use `streamer live"),
        ("live 63 -o out.mp4 --no-show", "cannot be opened: check its number"),
        ("live nowhere.mp4 -o out.mp4 --no-show", "no file nowhere.mp4"),
        ("live http://me:secret@127.0.0.1:9/live -o out.mp4 --no-show", "cannot be reached"),
        ("live a.mp4 -o a.mp4 --no-show", "is the source itself"),
        ("live a.mp4 --source-fps 10 -o a.mp4 --no-show", "is the source itself"),
        ("live a.mp4 --source-fps 1e-9 -o out.mp4 --no-show", "give a rate from 0.001 to 1000"),
        ("live a.mp4 --no-show", "Nothing is shown and nothing is written"),
        ("live a.mp4 --width 100 -o out.mp4 --no-show", "for a file, use --source-fps"),
        ("demo -o out.avi", "end its name in .mp4, .mkv"),
        ("models pull nonsense", "There is no model 'nonsense': choose one of vit_b"),
    ],
)
def test_a_mistake_costs_one_line(inside, material, arguments, says):
    if "headers" in arguments:
        whole = make_video(material / "whole.mp4", 4, options={"movflags": "faststart"}).read_bytes()
        (material / "headers.mp4").write_bytes(whole[: whole.index(b"mdat") + 4])
        (material / "whole.mp4").unlink()
    before = names_in(material)
    done = inside(*arguments.split())
    assert done.code == 2, done
    assert done.err.startswith("streamer: ")
    assert says in done.err
    assert done.err.count("\n") == 1, "more than one line"
    assert len(done.err) < 1000
    assert done.out == ""
    assert "secret" not in done.err
    assert names_in(material) == before, "something was left behind"


def test_debug_shows_where_it_came_from(material, monkeypatch):
    import sys

    from streamer.__main__ import main
    from streamer.errors import SourceError

    monkeypatch.setattr(sys, "argv", ["streamer", "annotate", "nowhere.mp4", "--debug"])
    with pytest.raises(SourceError):
        main()


def test_a_folder_that_may_not_be_written(inside, material):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (material / "closed").mkdir(mode=0o500)
    done = inside("annotate", "a.mp4", "-o", "closed/out.mp4", *QUICK)
    assert done.code == 2
    assert re.fullmatch(r"streamer: .*closed/out.mp4 cannot be written \(Permission denied\): .*\n", done.err)


def test_what_decodes_of_a_truncated_video_is_written(inside, tmp_path):
    whole = make_video(tmp_path / "a.mp4", 40, options={"movflags": "faststart"}).read_bytes()
    (tmp_path / "a.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    done = inside("annotate", "a.mp4", "-o", "out.mp4", *QUICK)
    assert done.code == 1
    assert re.fullmatch(
        r"streamer: a.mp4 is cut off: \d+ of 40 frames could be read: what could be read is in out.mp4; .*\n", done.err
    )
    read = int(re.search(r"(\d+) of 40", done.err).group(1))
    assert 5 < read < 40
    assert len(frames_of(tmp_path / "out.mp4")[0]) == read
    assert names_in(tmp_path) == ["a.mp4", "out.mp4"]


def test_what_decodes_of_a_damaged_video_is_written(inside, tmp_path):
    data = bytearray(make_video(tmp_path / "a.mp4", 40).read_bytes())
    start = data.index(b"mdat") + 4
    middle = start + (data.index(b"moov") - start) // 2
    data[middle : middle + 200] = bytes(200)
    (tmp_path / "a.mp4").write_bytes(data)
    done = inside("annotate", "a.mp4", "-o", "out.mp4", *QUICK)
    assert done.code == 1
    assert re.fullmatch(r"streamer: a.mp4 is damaged: .*: what could be read is in out.mp4; .*\n", done.err)
    assert len(frames_of(tmp_path / "out.mp4")[0]) >= 20


def test_an_output_that_fails_midway_is_told_and_keeps_what_it_has(inside, tmp_path):
    from tests.disk import full_beyond

    images = [np.random.default_rng(number).integers(0, 255, (240, 320, 3), np.uint8) for number in range(20)]
    make_video(tmp_path / "a.mp4", 20, size=(320, 240), images=images)
    with full_beyond(300_000):
        done = inside("annotate", "a.mp4", "-o", "out.mp4", "--jsonl", "out.jsonl", *QUICK)
    assert done.code == 1
    assert re.fullmatch(r"streamer: out.mp4 cannot be written any further \(.*out.partial.mp4.*\n", done.err)
    assert names_in(tmp_path) == ["a.mp4", "out.jsonl", "out.partial.mp4"]
    assert len(frame_lines((tmp_path / "out.jsonl").read_text())) == 20


@pytest.mark.parametrize("display", ["", ":4711"])
def test_without_a_display_it_goes_on_if_something_is_written(inside, material, monkeypatch, display):
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    done = inside("live", "a.mp4")
    assert done.code == 2
    assert re.fullmatch(r"streamer: .*isplay.*--no-show.*\n", done.err)
    for arguments in (["live", "a.mp4", "-o", "live.mp4"], ["annotate", "a.mp4", "--show", "-o", "file.mp4"]):
        done = inside(*arguments, *QUICK)
        assert (done.code, done.err) == (0, "")
        assert len([line for line in done.out.splitlines() if line.endswith("going on without the window.")]) == 1
    assert len(frames_of(material / "file.mp4")[0]) == 4
    assert (material / "live.mp4").exists()


def test_a_source_without_a_name_is_refused(inside, material):
    """What a shell makes of a variable that is not set."""
    done = inside("annotate", "")
    assert (done.code, done.out) == (2, "")
    assert done.err == "streamer: The source has no name: give a path, a camera number or an address.\n"


def test_the_figures_go_to_the_standard_output_alone(inside, material):
    done = inside("annotate", "a.mp4", "--stats", "-", *QUICK)
    assert done.code == 0
    assert json.loads(done.out)["frames"]["read"] == 4
    assert not (material / "-").exists()


def test_a_name_as_long_as_a_disk_takes_gets_its_output(inside, material):
    name = "n" * 245
    (material / "a.mp4").rename(material / f"{name}.mp4")
    done = inside("annotate", f"{name}.mp4", *QUICK)
    assert (done.code, done.err) == (0, "")
    (written,) = (material / "recordings").iterdir()
    assert len(frames_of(written)[0]) == 4
