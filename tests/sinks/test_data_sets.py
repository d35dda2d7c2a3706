"""COCO and YOLO read back the masks that were written, with their categories from labels."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image
from pycocotools.coco import COCO

from streamer.data.frame import Frame
from streamer.data.mask import box_of
from streamer.data.result import Result
from streamer.data.source import SourceInfo
from streamer.data.track import State, Track
from streamer.sinks.coco import CocoSink
from streamer.sinks.yolo import YoloSink, outline_of

INFO = SourceInfo("dog", (160, 120))


def mask_of(*circles):
    canvas = np.zeros((120, 160), np.uint8)
    for x, y, radius in circles:
        cv2.circle(canvas, (x, y), radius, 1, -1)
    return canvas.astype(bool)


def track(object_id, mask, label=None, state=State.TRACKED):
    return Track(object_id, mask, box_of(mask), 0.875, state, label=label)


def result(index, *tracks, stem=None):
    image = np.full((120, 160, 3), 40 + index, np.uint8)
    return Result(Frame(index, index / 30, image, 0.0, stem), tracks)


CUP, DOG, TWO = mask_of((50, 60, 20)), mask_of((110, 50, 25)), mask_of((40, 40, 12), (120, 90, 15))
RESULTS = [
    result(0, track(1, CUP, "cup"), track(2, DOG, "dog")),
    result(1, track(1, CUP, "cup"), track(2, DOG, "dog", State.UNCERTAIN), track(4, mask_of(), "dog", State.LOST)),
    result(4, track(3, TWO), track(2, DOG, "dog")),
]


def test_coco_is_read_by_its_own_library(tmp_path, capsys):
    sink = CocoSink(tmp_path / "coco.json", INFO)
    for one in RESULTS:
        sink.write(one)
    sink.close()
    sink.close()
    assert [path.name for path in tmp_path.iterdir()] == ["coco.json"]
    read = COCO(tmp_path / "coco.json")
    assert [category["name"] for category in read.loadCats(read.getCatIds())] == ["cup", "dog", "object"]
    assert [image["file_name"] for image in read.loadImgs(read.getImgIds())] == ["00000.jpg", "00001.jpg", "00004.jpg"]
    annotations = read.loadAnns(read.getAnnIds())
    assert [(one["image_id"], one["category_id"], one["track_id"]) for one in annotations] == [
        *((1, 1, 1), (1, 2, 2), (2, 1, 1), (3, 3, 3), (3, 2, 2)),
    ]
    for annotation, mask in zip(annotations, (CUP, DOG, CUP, TWO, DOG), strict=True):
        np.testing.assert_array_equal(read.annToMask(annotation).astype(bool), mask)
        x, y, width, height = annotation["bbox"]
        assert (x, y, x + width, y + height) == box_of(mask)
        assert annotation["area"] == mask.sum()


def test_pictures_keep_their_names(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "IMG_1.png").touch()
    sink = CocoSink(tmp_path / "coco.json", replace(INFO, folders=frozenset({folder})))
    sink.write(result(0, stem="IMG_1"))
    sink.close()
    assert COCO(tmp_path / "coco.json").loadImgs(1)[0]["file_name"] == "IMG_1.png"


def test_what_a_killed_run_leaves_is_whole(tmp_path):
    sink = CocoSink(tmp_path / "coco.json", INFO)
    for index in range(70):
        sink.write(result(index, track(1, CUP, "cup")))
    assert len(COCO(tmp_path / "coco.partial.json").getImgIds()) == 64
    sink.close()
    assert len(COCO(tmp_path / "coco.json").getImgIds()) == 70
    assert not (tmp_path / "coco.partial.json").exists()


def test_yolo_holds_pictures_outlines_and_names(tmp_path):
    sink = YoloSink(tmp_path / "set")
    for one in RESULTS:
        sink.write(one)
    sink.close()
    data = yaml.safe_load((tmp_path / "set" / "data.yaml").read_text())
    assert data["names"] == {0: "cup", 1: "dog", 2: "object"}
    assert (tmp_path / "set" / data["train"]).is_dir()
    with Image.open(tmp_path / "set" / "images" / "00004.jpg") as image:
        assert image.size == (160, 120)
    lines = (tmp_path / "set" / "labels" / "00000.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["0", "1"]
    assert len((tmp_path / "set" / "labels" / "00001.txt").read_text().splitlines()) == 1
    for line, mask in zip(lines, (CUP, DOG), strict=True):
        assert iou(filled(np.array(line.split()[1:], float)), mask) > 0.95


def test_parts_are_joined_by_a_line_and_stay_parts(tmp_path):
    three = mask_of((30, 30, 12), (120, 90, 15), (30, 95, 14))
    canvas = np.zeros((120, 160), np.uint8)
    cv2.fillPoly(canvas, [outline_of(three)], 1)
    assert iou(canvas.astype(bool), three) > 0.85
    assert len(outline_of(mask_of())) == 0


def filled(numbers):
    places = numbers.reshape(-1, 2) * (160, 120) - 0.5
    canvas = np.zeros((120, 160), np.uint8)
    cv2.fillPoly(canvas, [np.rint(places).astype(np.int32)], 1)
    return canvas.astype(bool)


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


@pytest.mark.parametrize("stem", ["a", None])
def test_a_frame_without_objects_is_a_negative_example(tmp_path, stem):
    sink = YoloSink(tmp_path)
    sink.write(result(0, stem=stem))
    assert (tmp_path / "labels" / f"{stem or '00000'}.txt").read_text() == ""
