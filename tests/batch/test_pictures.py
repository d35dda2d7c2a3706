"""Photos in, pictures out: depth beside them, everything in them, what was pointed at with its depth."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from streamer.batch.pictures import PictureJob, names_of, photos_of, pictures
from streamer.config import Config
from streamer.data.prompt import Prompt
from streamer.engine import Engine
from streamer.errors import ConfigError, PartialError, SourceError
from streamer.models.parameters import AutomaticParameters
from streamer.sinks.masks import read_labels
from tests.fake_models import ColorSegmenter, RedDepth, moving_scene

IMAGE, TRUTH = moving_scene(0)


@pytest.fixture
def engine():
    config = Config(device="cpu", automatic=AutomaticParameters(points_per_side=8, pred_iou_thresh=0.5))
    return Engine(config, segmenter=ColorSegmenter(), depth_estimator=RedDepth())


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(IMAGE).save(path)
    return path


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def test_everything_and_depth_of_a_photo(engine, photo, tmp_path):
    out = tmp_path / "out"
    assert pictures(engine, PictureJob([str(photo)], out)) == 0
    assert names_in(out) == ["photo-depth.png", "photo-everything.json", "photo-everything.png", "photo-labels.png"]
    height, width = IMAGE.shape[:2]
    depth = np.array(Image.open(out / "photo-depth.png"))
    assert depth.shape[1] > 2 * width, "image, depth and color bar"
    bar = depth[depth.shape[0] - height :]
    np.testing.assert_array_equal(bar[:, :width], IMAGE)
    near, far = bar[:, width : 2 * width][TRUTH == 1], bar[:, width : 2 * width][TRUTH == 2]
    assert near.mean() > far.mean() + 50, "what is near is bright"
    drawn = np.array(Image.open(out / "photo-everything.png"))
    assert drawn.shape == IMAGE.shape
    assert (drawn[TRUTH == 1] != IMAGE[TRUTH == 1]).any(axis=1).mean() > 0.9

    document = json.loads((out / "photo-everything.json").read_text())
    assert document["images"][0] == {"id": 1, "file_name": "photo.png", "width": width, "height": height}
    areas = [annotation["area"] for annotation in document["annotations"]]
    assert areas == sorted(areas, reverse=True)
    masks = [coco.decode(annotation["segmentation"]) > 0 for annotation in document["annotations"]]
    labels = read_labels(out / "photo-labels.png")
    for value in (1, 2):
        ious = [iou(mask, value == TRUTH) for mask in masks]
        assert max(ious) > 0.8
        number = 1 + int(np.argmax(ious))
        assert iou(labels == number, value == TRUTH) > 0.8, "the number in the PNG is the one in the JSON"


def test_what_is_pointed_at_has_its_depth_in_figures(engine, photo, tmp_path):
    prompts = [Prompt([(62, 80)], object_id=1), Prompt([(255, 150)], object_id=2)]
    assert pictures(engine, PictureJob([str(photo)], tmp_path / "out", prompts, everything=False)) == 0
    assert names_in(tmp_path / "out") == [
        "photo-depth.png",
        "photo-mask-depth.csv",
        "photo-mask-depth.json",
        "photo-mask.png",
    ]
    with (tmp_path / "out" / "photo-mask-depth.csv").open() as file:
        rows = list(csv.DictReader(file))
    objects = json.loads((tmp_path / "out" / "photo-mask-depth.json").read_text())["objects"]
    assert [row["object"] for row in rows] == ["1", "2"]
    for row, one in zip(rows, objects, strict=True):
        assert float(row["median"]) == pytest.approx(one["median"], rel=1e-4)
        assert sum(one["histogram"]["counts"]) == one["pixels"] == int(row["pixels"])
        assert one["lower"] <= one["median"] <= one["upper"]
    assert objects[0]["median"] > objects[1]["median"], "red is near"
    assert np.array(Image.open(tmp_path / "out" / "photo-mask.png")).shape[1] > IMAGE.shape[1]


def test_without_depth_a_mask_has_no_figures(photo, tmp_path):
    engine = Engine(Config(device="cpu", depth=None), segmenter=ColorSegmenter())
    job = PictureJob([str(photo)], tmp_path / "out", [Prompt([(62, 80)])], everything=False, depth=False)
    assert pictures(engine, job) == 0
    assert names_in(tmp_path / "out") == ["photo-mask.png"]


def test_folders_patterns_and_photos_of_one_name(tmp_path):
    for name in ("a/img10.png", "a/img2.png", "b/img2.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(IMAGE).save(path)
    photos = photos_of([str(tmp_path / "a"), str(tmp_path / "b" / "*.png")])
    assert [photo.name for photo in photos] == ["img2.png", "img10.png", "img2.png"]
    assert names_of(photos) == ["img2", "img10", "img2-2"]


@pytest.mark.parametrize("source", ["clip.mp4", "0", "rtsp://door/1", "scene"])
def test_what_is_no_photo_is_refused(source):
    with pytest.raises(SourceError, match="is no photo"):
        photos_of([source])


def test_one_photo_that_cannot_be_read_does_not_stop_the_others(engine, photo, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"nothing")
    job = PictureJob([str(tmp_path / "broken.png"), str(photo)], tmp_path / "out", everything=False)
    with pytest.raises(PartialError, match="1 of 2 photos"):
        pictures(engine, job)
    assert names_in(tmp_path / "out") == ["photo-depth.png"]


def test_nothing_to_do_is_said(engine, photo, tmp_path):
    with pytest.raises(ConfigError, match="nothing to do"):
        pictures(engine, PictureJob([str(photo)], tmp_path / "out", everything=False, depth=False))
