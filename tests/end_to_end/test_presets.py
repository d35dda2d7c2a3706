"""Every preset that names a model, run by the real command with small random weights in the model's place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Clip, Ended, frames_of
from tests.models.dpt.test_estimator import write_depth_anything
from tests.small_promptable import write_small_edgetam, write_small_sam2, write_small_sam3

WRITERS = {"sam2": write_small_sam2, "edgetam": write_small_edgetam, "sam3": write_small_sam3}


@pytest.mark.parametrize("preset", WRITERS)
def test_a_video_model_finds_and_follows(preset: str, inside: Callable[..., Ended], clip: Clip, tmp_path: Path) -> None:
    folder = WRITERS[preset](tmp_path / "model")
    lines = tmp_path / "lines.jsonl"
    ended = inside(
        "annotate",
        clip.path,
        "--box",
        clip.box,
        "--config",
        preset,
        "--set",
        f"segmenter.model={folder}",
        "--set",
        "schedule.keyframe_interval=4",
        "--no-depth",
        "--jsonl",
        lines,
        "-o",
        tmp_path / "out.mp4",
    )
    assert ended.code == 0, ended.err
    assert len(frames_of(tmp_path / "out.mp4")[0]) == len(clip.images)
    tracks = [line["objects"] for line in map(json.loads, lines.read_text().splitlines()) if "objects" in line]
    assert len(tracks) == len(clip.images)
    assert {track["id"] for one in tracks for track in one} == {1}


def test_metric_depth_is_in_meters(inside: Callable[..., Ended], clip: Clip, tmp_path: Path) -> None:
    folder = write_depth_anything(tmp_path / "model", "metric")
    lines = tmp_path / "lines.jsonl"
    options = ("--config", "metric", "--set", f"depth.model={folder}", "--no-masks", "--jsonl", lines)
    ended = inside("annotate", clip.path, *options, "-o", tmp_path / "out.mp4")
    assert ended.code == 0, ended.err
    assert '"depth_unit":"m"' in lines.read_text()


@pytest.mark.parametrize(
    ("preset", "says"),
    [
        ("sam2", "facebook/sam2.1-hiera-tiny is not here: run `streamer models pull facebook/sam2.1-hiera-tiny`"),
        ("sam3", "facebook/sam3 is not here: run `streamer models pull facebook/sam3`"),
        ("metric", "Depth-Anything-V2-Metric-Indoor-Small-hf is not here: run `streamer models pull depth-anything/"),
    ],
)
def test_what_was_never_pulled_is_one_sentence(
    preset: str, says: str, inside: Callable[..., Ended], clip: Clip, tmp_path: Path
) -> None:
    ended = inside("annotate", clip.path, "--config", preset, "-o", tmp_path / "out.mp4")
    assert ended.code == 2
    assert says in " ".join(ended.err.split())
    assert not (tmp_path / "out.mp4").exists()
