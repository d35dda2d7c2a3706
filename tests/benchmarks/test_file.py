"""`streamer bench file`: every way does the same frames, and the figures are those that were measured."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from streamer.benchmarks import file as module
from streamer.benchmarks import weights
from streamer.benchmarks.file import FileBench, bench_file
from streamer.benchmarks.obvious_loop import obvious_loop, segment_with
from streamer.benchmarks.upstream import UpstreamDepth, UpstreamSam
from streamer.benchmarks.ways import ALONE, LOOP, OURS, FileRow, Ways
from streamer.config import load
from streamer.data.frame import Frame
from streamer.data.mask import box_of
from streamer.data.prompt import Prompt
from streamer.engine import Engine
from streamer.models import registry, store
from streamer.models.parameters import DepthParameters, SegmenterParameters
from streamer.models.weights import hub, random_hub, random_weights
from tests import small_models  # noqa: F401  (one thread)
from tests.fake_models import ColorSegmenter, moving_scene
from tests.videos import make_video

COUNT, SIZE = 12, (320, 240)


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("video") / "clip.mp4"
    make_video(path, COUNT, size=SIZE, images=[moving_scene(index)[0] for index in range(COUNT)])
    return path


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(weights, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(store, "checkpoint_path", lambda model: tmp_path / f"{model}.pth")
    monkeypatch.setattr(hub, "cached", dict)
    return tmp_path


def test_the_scene_is_rendered_followed_and_compared(cache, capsys):
    path = cache / "figures.json"
    assert bench_file(load("tiny"), FileBench("scene", frames=COUNT, size=SIZE, json=path)) == 0
    figures = json.loads(path.read_text())
    alone, ours, loop = figures["rows"]
    assert [row["name"] for row in figures["rows"]] == [ALONE, OURS, LOOP]
    assert [row["frames"] for row in figures["rows"]] == [COUNT] * 3
    assert not loop["extrapolated"]
    assert 0 < alone["seconds"] < min(ours["seconds"], loop["seconds"]), "both do all that it does, and more"
    assert figures["annotate_over_decode_and_encode"] == pytest.approx(ours["seconds"] / alone["seconds"])
    assert figures["obvious_loop_over_annotate"] == pytest.approx(loop["seconds"] / ours["seconds"])
    assert figures["annotate"]["frames"]["written"] == {"annotated.mp4": COUNT}
    assert figures["annotate"]["stages"]["masks"]["runs"] >= 2
    assert figures["config"]["schedule"]["prefetch"] is True
    out = capsys.readouterr().out
    assert ALONE in out
    assert "extrapolated" not in out


def test_a_loop_that_takes_too_long_is_cut_short_and_said_to_be(cache, video, capsys):
    path = cache / "figures.json"
    box = box_of(moving_scene(0)[1] == 1)
    bench = FileBench(str(video), [Prompt(box=box)], frames=8, loop_s=0, repeats=2, json=path)
    assert bench_file(load("tiny", ["depth=null"]), bench) == 0
    figures = json.loads(path.read_text())
    assert [(row["frames"], row["extrapolated"]) for row in figures["rows"]] == [(8, False), (8, False), (1, True)]
    assert "only 1 of 8 frames" in capsys.readouterr().out


def test_the_loop_follows_what_annotate_found_where_nobody_says_what_to_follow(cache, video, monkeypatch):
    asked = []
    segment = UpstreamSam.segment
    monkeypatch.setattr(UpstreamSam, "segment", lambda *args: asked.append(args[2]) or segment(*args))
    assert bench_file(load("tiny", ["depth=null", "tracking.max_objects=2"]), FileBench(str(video), frames=3)) == 0
    assert len(asked) == 3
    assert 1 <= len(asked[0]) <= 2
    assert all(prompt.box is not None for prompts in asked for prompt in prompts)


def test_the_best_round_counts(cache, video, monkeypatch):
    seconds = iter([(2.0, 9.0), (1.0, 8.0), (3.0, 7.0)])
    taken: list[tuple[float, float]] = []
    monkeypatch.setattr(Engine, "load", lambda engine: engine)

    def alone(ways):
        taken.append(next(seconds))
        return FileRow(ALONE, 10, taken[-1][0], 0.3)

    monkeypatch.setattr(Ways, "decode_and_encode", alone)
    monkeypatch.setattr(Ways, "annotate", lambda ways: FileRow(OURS, 10, taken[-1][1], 1.2))
    monkeypatch.setattr(Ways, "obvious_loop", lambda ways: FileRow(LOOP, 2, 28.0, 50.0))
    path = cache / "figures.json"
    bench_file(load("tiny"), FileBench(str(video), repeats=3, json=path))
    figures = json.loads(path.read_text())
    assert figures["annotate_over_decode_and_encode"] == pytest.approx(7)
    assert figures["obvious_loop_over_annotate"] == pytest.approx(14 / 0.7)


def test_the_obvious_loop_finds_each_object_again_in_the_box_around_its_last_mask():
    frames = [Frame(index, index / 30, moving_scene(index)[0], 0.0) for index in range(6)]
    segmenter, estimate = ColorSegmenter(), lambda image: image[..., 0].astype(np.float32)
    prompts = [Prompt([(60, 80)]), Prompt(box=box_of(moving_scene(0)[1] == 2), object_id=7)]
    results = list(obvious_loop(frames, segment_with(segmenter), estimate, prompts))
    assert segmenter.encoded == 6
    for result in results:
        labels = moving_scene(result.index)[1]
        assert [track.id for track in result.tracks] == [1, 7]
        for track, value in zip(result.tracks, (1, 2), strict=True):
            truth = labels == value
            assert (track.mask & truth).sum() / (track.mask | truth).sum() > 0.8
        np.testing.assert_array_equal(result.inverse_depth, result.frame.image_rgb[..., 0])
        assert result.depth_range[0] < result.depth_range[1]
    assert segmenter.asked[-1].box is not None


def test_half_of_the_obvious_loop_can_be_left_out():
    frames = [Frame(0, 0.0, moving_scene(0)[0], 0.0)]
    (result,) = obvious_loop(frames, None, None, [Prompt([(60, 80)])])
    assert (result.tracks, result.inverse_depth, result.depth_range) == ((), None, None)


def test_upstreams_tiny_models_answer_like_ours():
    image, labels = moving_scene(0)
    box = box_of(labels == 1)
    ours = registry.load_segmenter(SegmenterParameters(), "cpu")
    logits = ours.decode(ours.encode(image), [Prompt(box=box)], multimask_output=False).logits[:, 0]
    mask = ours.upscale(logits, SIZE)[0] > 0
    (upstream,) = UpstreamSam("tiny", device="cpu").segment(image, [Prompt(box=box)])
    assert (mask & upstream).sum() / (mask | upstream).sum() > 0.95
    depth = UpstreamDepth("tiny", "cpu").estimate(image)
    ours = registry.load_depth(DepthParameters(precision="float32"), "cpu")
    error = np.abs(depth - ours.estimate(image)).max()
    assert error < 1e-2 * np.ptp(depth)


@pytest.fixture
def made(monkeypatch) -> list[str]:
    names: list[str] = []

    def checkpoint(model, path):
        names.append(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    def dpt(name, folder):
        names.append(name)
        folder.mkdir(parents=True)
        (folder / "preprocessor_config.json").touch()

    monkeypatch.setattr(random_weights, "make_random_checkpoint", checkpoint)
    monkeypatch.setattr(random_hub, "make_random_model", dpt)
    return names


def test_models_that_were_never_pulled_get_random_weights_once(cache, made):
    said: list[str] = []
    for _ in range(2):
        config = weights.with_weights(load("sam-b"), said.append)
    assert made == ["vit_b", "Intel/dpt-hybrid-midas"]
    assert len(said) == 2
    assert config.segmenter.model == "vit_b"
    assert config.segmenter.checkpoint.is_file()
    assert Path(config.depth.model).is_dir()
    assert config.schedule == load("sam-b").schedule


def test_models_that_are_here_are_taken_as_they_are(cache, made, monkeypatch):
    assert weights.with_weights(load("tiny"), print) == load("tiny")
    (cache / "vit_b.pth").touch()
    monkeypatch.setattr(hub, "cached", lambda: {"Intel/dpt-hybrid-midas": (1, cache)})
    assert weights.with_weights(load("sam-b"), print) == load("sam-b")
    assert weights.with_weights(load("tiny", ["depth=null"]), print).depth is None
    assert made == []
