"""``annotate --text`` with the bundled detector on real photographs, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.conftest import frames_of

PHOTOGRAPHS = Path("../shared/data/davis/JPEGImages/480p/car-shadow").resolve()
QUICK = ["--no-depth", "--no-show"]


@pytest.mark.skipif(not PHOTOGRAPHS.is_dir(), reason="DAVIS is not in ../shared/data")
def test_what_is_said_is_found_named_and_followed(inside, tmp_path):
    frames = tmp_path / "frames"
    frames.mkdir()
    for path in sorted(PHOTOGRAPHS.glob("*.jpg"))[:3]:
        (frames / path.name).symlink_to(path)
    done = inside("annotate", "frames", "--text", "Cars", "-o", "out.mp4", "--jsonl", "out.jsonl", *QUICK)
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    objects = [line["objects"] for line in lines if line["type"] == "frame"]
    assert [[one["label"] for one in frame] for frame in objects] == [["Cars"]] * 3
    assert len({one["id"] for frame in objects for one in frame}) == 1
    assert len(frames_of(tmp_path / "out.mp4")[0]) == 3


@pytest.mark.parametrize(
    "text", ["unicorn", "🐕", "", "dog;;cat", "dog " * 500, ";".join(f"dog {number}" for number in range(80))]
)
def test_what_cannot_be_looked_for_is_refused_in_one_sentence_before_anything_is_written(inside, tmp_path, text):
    (tmp_path / "clip.mp4").write_bytes(b"never opened")
    done = inside("annotate", "clip.mp4", "--text", text, "-o", "out.mp4", *QUICK)
    assert done.code == 2
    assert done.err.strip().count("\n") == 0, done.err
    assert not (tmp_path / "out.mp4").exists()
