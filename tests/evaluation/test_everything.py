"""Recall of what people outlined."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from streamer.config import Config
from streamer.data.automatic_mask import AutomaticMask
from streamer.engine import Engine
from streamer.errors import SourceError
from streamer.evaluation.everything import EverythingEval, best_overlaps, evaluate_everything, figures_of
from streamer.models.parameters import AutomaticParameters
from tests.fake_models import ColorSegmenter, moving_scene


def mask_of(*corners):
    mask = np.zeros((20, 20), bool)
    mask[corners[1] : corners[3], corners[0] : corners[2]] = True
    return mask


def test_each_truth_is_compared_with_the_best_mask():
    found = [AutomaticMask(mask_of(*box), box, 0.9, 0.9, (0, 0)) for box in ((0, 0, 10, 10), (10, 10, 20, 20))]
    assert best_overlaps([mask_of(0, 0, 10, 5), mask_of(10, 10, 20, 20)], found) == pytest.approx([0.5, 1.0])
    assert best_overlaps([mask_of(0, 0, 10, 5)], []) == [0.0]


def test_recall_by_size():
    figures = figures_of(np.array([1.0, 0.5, 0.2, 0.76]), np.array([0.005, 0.005, 0.05, 0.5]))
    assert figures["AR@100 small"] == pytest.approx((1 + 0.1) / 2)
    assert figures["AR@100 medium"] == 0
    assert figures["AR@100 large"] == pytest.approx(0.6)
    assert figures["recall at IoU 0.5, all"] == 0.75
    assert figures["recall at IoU 0.5, above 1%"] == 0.5


def test_a_folder_of_coco(tmp_path, capsys):
    (tmp_path / "images").mkdir()
    image, _ = moving_scene(0)
    for number in (1, 2):
        Image.fromarray(image).save(tmp_path / "images" / f"{number}.png")
    box = [230, 120, 280, 120, 280, 180, 230, 180]
    document = {
        "images": [{"id": number, "file_name": f"{number}.png"} for number in (2, 1)],
        "annotations": [{"image_id": number, "segmentation": [box], "iscrowd": 0} for number in (1, 2)],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(document))
    config = Config(device="cpu", depth=None, automatic=AutomaticParameters(points_per_side=8, pred_iou_thresh=0.5))
    engine = Engine(config, segmenter=ColorSegmenter())
    assert evaluate_everything(engine, EverythingEval(tmp_path, last=1, json=tmp_path / "out.json")) == 0
    assert "1 pictures, 1 instances" in capsys.readouterr().out
    figures = json.loads((tmp_path / "out.json").read_text())
    assert figures["recall at IoU 0.5, above 1%"] == 1.0
    assert figures["masks per picture"] == 3


def test_a_folder_without_outlines_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"neither annotations\.json nor"):
        evaluate_everything(Engine(Config(device="cpu")), EverythingEval(tmp_path))
