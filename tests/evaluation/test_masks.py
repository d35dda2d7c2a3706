"""What `streamer eval` and `streamer eval-depth` measure."""

import json
from operator import attrgetter

import cv2
import numpy as np
import pytest
from PIL import Image

from streamer.config import Config
from streamer.errors import ConfigError, SinkError, SourceError
from streamer.evaluation import masks as command
from streamer.evaluation.ablation import PARTS, with_changes
from streamer.evaluation.depth import Shot, evaluate_depth, read_camera, read_shots, temporal_error
from streamer.evaluation.masks import EvalJob, as_markdown, evaluate, follow, write_scores
from streamer.evaluation.methods import EveryFrame, FlowOnly, Late, Ours, unrefined
from streamer.evaluation.scoring import ObjectScore, mean_score, score_sequence
from streamer.evaluation.sequences import LabeledSequence, prompts_for, sequences_of
from streamer.models import registry
from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters
from streamer.scheduling.late_workers import LateWorkers
from streamer.sources.arrays import ArraySource
from streamer.stages.masks import MasksStage
from tests.fake_models import ColorSegmenter, RedDepth, moving_scene
from tests.pipelines import build_pipeline

FRAMES = 16
SEQUENCE = LabeledSequence(
    "moving",
    FRAMES,
    lambda: ArraySource([moving_scene(index)[0] for index in range(FRAMES)]),
    lambda index: moving_scene(index)[1],
)


def coarse_motion() -> Motion:
    return Motion(FlowParameters(max_side_px=320))


def ours(segmenter):
    return Ours(build_pipeline(segmenter))


@pytest.mark.parametrize("init", ["mask", "box", "click"])
def test_every_method_is_scored_on_a_clip_with_two_objects(init):
    segmenter = ColorSegmenter()
    scores = [
        follow(method, SEQUENCE, init, patience=10)
        for method in (
            ours(segmenter),
            FlowOnly(segmenter, unrefined(segmenter), coarse_motion()),
            EveryFrame(segmenter),
        )
    ]
    assert scores[0].j > 0.85
    assert [score.j > 0.5 for score in scores] == [True] * 3
    assert scores[0].keyframes == pytest.approx(4 / FRAMES)
    assert scores[1].keyframes == (0 if init == "mask" else 1 / FRAMES)
    assert scores[2].keyframes == (FRAMES - 1) / FRAMES


def test_late_answers_are_late_on_every_run_alike():
    scores = []
    for late in (0, 4, 4):
        workers = LateWorkers({MasksStage.name: late})
        pipeline = build_pipeline(ColorSegmenter(), workers=workers)
        scores.append(follow(Late(pipeline, workers), SEQUENCE, "box", patience=10))
    prompt, late, again = scores
    assert prompt.j > late.j + 0.1, "no mask before the first answer"
    assert (late.j, late.keyframes) == (again.j, again.keyframes)


def test_davis_layout_is_read_with_binary_and_indexed_masks(tmp_path):
    for name, labels in (("one", np.zeros((48, 64), np.uint8)), ("two", np.zeros((48, 64), np.uint8))):
        labels[10:20, 10:30] = 255 if name == "one" else 3
        for kind, suffix in (("JPEGImages", "jpg"), ("Annotations", "png")):
            (tmp_path / kind / "480p" / name).mkdir(parents=True)
            for index in range(3):
                path = tmp_path / kind / "480p" / name / f"{index:05}.{suffix}"
                Image.fromarray(labels if suffix == "png" else np.dstack([labels] * 3)).save(path)
    one, two = sequences_of(str(tmp_path))
    assert (one.name, two.name, one.frame_count) == ("one", "two", 3)
    assert [frame.index for frame in one.frames()] == [0, 1, 2]
    assert set(np.unique(one.labels(1))) == {0, 1}
    assert set(np.unique(two.labels(1))) == {0, 3}
    assert [clip.name for clip in sequences_of(str(tmp_path), ["two"])] == ["two"]
    with pytest.raises(SourceError, match=r"no sequence three .* choose of one, two"):
        sequences_of(str(tmp_path), ["three"])
    with pytest.raises(SourceError, match="DAVIS layout"):
        sequences_of(str(tmp_path / "nowhere"))


def test_scenes_are_clips_too():
    (clip,) = sequences_of("scene", ["1"])
    assert clip.labels(0).shape == (480, 854)
    assert clip.frame_count == 600
    with pytest.raises(SourceError):
        sequences_of("scene", ["first"])


def test_what_is_said_of_each_object():
    labels = moving_scene(0)[1]
    for init, attribute in (("mask", "mask"), ("box", "box"), ("click", "point_coords")):
        prompts = prompts_for(labels, init)
        assert [prompt.object_id for prompt in prompts] == [1, 2]
        assert all(getattr(prompt, attribute) is not None for prompt in prompts)
    for prompt in prompts_for(labels, "click"):
        x, y = prompt.point_coords[0].astype(int)
        assert labels[y, x] == prompt.object_id


def test_leaving_and_coming_back_is_counted():
    score, here, gone = ObjectScore(1, patience=3), np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    here[5:20, 5:20] = True
    for mask, truth in [(here, here), *[(gone, gone)] * 5, (here, gone), (gone, here), (here, here), (here, here)]:
        score.add(mask, truth.astype(np.uint8))
    assert (score.absent, score.ghosts) == (6, 1)
    assert (score.reentries, score.refound) == (1, 1)
    for mask, truth in [*[(gone, gone)] * 5, *[(gone, here)] * 3, (here, here)]:
        score.add(mask, truth.astype(np.uint8))
    assert (score.reentries, score.refound) == (2, 1)


def test_an_object_whose_mask_lies_on_another_has_lost_its_identity():
    labels = np.zeros((40, 40), np.uint8)
    labels[:, :20], labels[:, 20:] = 1, 2
    first, second = ObjectScore(1, 1), ObjectScore(2, 1)
    for on in (1, 2):
        first.add(labels == on, labels)
        second.add(labels == 2, labels)
    assert (first.is_itself, second.is_itself) == (False, True)
    second.add(np.zeros((40, 40), bool), labels)
    assert not second.is_itself, "it is lost although it is there"
    assert score_sequence("a", [first, second], 1.0, 3, 1).identity == 0


def test_what_could_not_be_counted_is_left_out_and_written_as_null(tmp_path):
    full = np.ones((20, 20), bool)
    item = ObjectScore(1, 1)
    item.add(full, full.astype(np.uint8), said=0.9)
    score = score_sequence("a", [item], 2.0, 10, 1)
    assert np.isnan(score.refound)
    assert np.isnan(score.identity), "one object has nobody to be taken for"
    assert score.calibration_error == pytest.approx(0.1)
    mean = mean_score([score, score])
    assert (mean.j, mean.rate_hz, mean.keyframes) == (1.0, 5.0, 0.1)
    write_scores(EvalJob("root", json=tmp_path / "out.json"), [score, mean])
    assert json.loads((tmp_path / "out.json").read_text())["scores"][0]["refound"] is None
    assert as_markdown([score, mean]).count("\n") == 3
    with pytest.raises(ValueError, match="No frame"):
        score_sequence("b", [], 1.0, 1, 0)


def test_unknown_ways_are_refused():
    for job in (EvalJob("scene", init="wish"), EvalJob("scene", method="magic"), EvalJob("x", method="flow", late=3)):
        with pytest.raises(ConfigError, match="choose one of"):
            evaluate(Config(), job)


@pytest.fixture
def with_fakes(monkeypatch):
    """The command on one short clip, with a model that needs no weights."""
    monkeypatch.setattr(command, "sequences_of", lambda root, names: [SEQUENCE])
    monkeypatch.setattr(registry, "load_segmenter", lambda parameters, device: ColorSegmenter())


@pytest.mark.parametrize("method", ["ours", "flow", "every-frame"])
def test_the_command_prints_a_row_per_clip_and_writes_the_same_figures(with_fakes, tmp_path, capsys, method):
    path = tmp_path / "scores.json"
    assert evaluate(Config(device="cpu"), EvalJob("anywhere", init="click", method=method, json=path)) == 0
    written = json.loads(path.read_text())
    assert (written["method"], written["init"]) == (method, "click")
    clip, mean = written["scores"]
    assert (clip["name"], mean["name"], clip["j"]) == ("moving", "mean", mean["j"])
    assert clip["j"] > 0.5
    printed = capsys.readouterr().out
    assert f"{method}, --init click" in printed
    assert f"moving: J&F {(clip['j'] + clip['f']) / 2:.3f}" in printed


def test_the_ablation_has_a_row_for_every_part_under_its_name(with_fakes, tmp_path, capsys):
    path = tmp_path / "scores.json"
    assert evaluate(Config(device="cpu"), EvalJob("anywhere", method=command.ABLATION, json=path)) == 0
    assert [row["name"] for row in json.loads(path.read_text())["scores"]] == list(PARTS)
    assert [line.split("|")[1].strip() for line in capsys.readouterr().out.splitlines()[2:]] == list(PARTS)


def test_figures_that_cannot_be_written_are_told(with_fakes, tmp_path):
    with pytest.raises(SinkError, match="choose another place for --json"):
        evaluate(Config(device="cpu"), EvalJob("anywhere", json=tmp_path / "nowhere" / "scores.json"))


def test_every_row_of_the_ablation_is_a_config():
    for changes in PARTS.values():
        tracking = with_changes(Config(), changes)
        assert all(attrgetter(name)(tracking) == value for name, value in changes.items())


CAMERA = np.array([[100.0, 0, 80], [0, 100, 60], [0, 0, 1]])


def walking(index, noise=0.0):
    """A flat wall, two metres away at first, that the camera walks towards: one shot and a map of it."""
    pose = np.eye(4)
    pose[2, 3] = 0.05 * index
    inverse = np.full((120, 160), 1 / (2 - 0.05 * index), np.float32)
    inverse[:, :40] *= 1.5
    random = np.random.default_rng(index)
    return Shot(np.zeros((120, 160, 3), np.uint8), inverse, pose), inverse * np.float32(1 + noise * random.normal())


def test_temporal_error_is_nothing_for_the_truth_at_any_scale_and_grows_with_flicker():
    shots, maps = zip(*(walking(index) for index in range(6)), strict=True)
    still = temporal_error([7 * one - 2 for one in maps], shots, CAMERA)
    flickering = temporal_error([walking(index, 0.1)[1] for index in range(6)], shots, CAMERA)
    assert still < 1.0
    assert flickering > 4 * still


def test_registered_depth_is_read(tmp_path):
    with pytest.raises(SourceError, match=r"color\.jpg"):
        read_shots(tmp_path)
    with pytest.raises(SourceError, match="intrinsics"):
        read_camera(tmp_path)
    depth_mm = np.full((30, 40), 2000, np.uint16)
    depth_mm[0, 0], depth_mm[1, 1] = 0, 65535
    cv2.imwrite(str(tmp_path / "a.color.jpg"), np.zeros((30, 40, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "a.depth.png"), depth_mm)
    with pytest.raises(SourceError, match="cannot be read"):
        read_shots(tmp_path)
    np.savetxt(tmp_path / "a.pose.txt", np.eye(4))
    np.savetxt(tmp_path / "camera-intrinsics.txt", CAMERA)
    (shot,) = read_shots(tmp_path)
    assert shot.inverse_depth[5, 5] == 0.5
    assert shot.inverse_depth[0, 0] == shot.inverse_depth[1, 1] == 0
    assert read_camera(tmp_path)[0, 0] == 100


def test_depth_is_measured_with_and_without_carrying_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(registry, "load_depth", lambda parameters, device: RedDepth())
    texture = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, (120, 160)), (0, 0), 4)
    depth_m = 2 + 8 * (texture - texture.min()) / np.ptp(texture)
    for name in "abcdefgh":
        cv2.imwrite(str(tmp_path / f"{name}.color.jpg"), np.round(400 / depth_m))
        cv2.imwrite(str(tmp_path / f"{name}.depth.png"), np.round(1000 * depth_m).astype(np.uint16))
        np.savetxt(tmp_path / f"{name}.pose.txt", np.eye(4))
    np.savetxt(tmp_path / "camera-intrinsics.txt", CAMERA)
    assert evaluate_depth(Config(device="cpu"), tmp_path, tmp_path / "depth.json") == 0
    ours, every_frame = json.loads((tmp_path / "depth.json").read_text())
    assert (ours["name"], every_frame["name"]) == ("ours", "model on every frame")
    assert (ours["runs"], every_frame["runs"]) == (2 / 8, 1)
    for score in (ours, every_frame):
        assert score["abs_rel"] < 0.05
        assert score["delta1"] > 0.98
    assert "model on every frame" in capsys.readouterr().out
    with pytest.raises(SinkError, match="cannot be written"):
        evaluate_depth(Config(device="cpu"), tmp_path, tmp_path / "nowhere" / "depth.json")
