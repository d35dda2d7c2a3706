"""Everything in a picture: what upstream's generator finds, with upstream's own classes and random weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from segment_anything import SamAutomaticMaskGenerator
from torchvision.ops import batched_nms

from streamer.models.automatic import automatic_masks, suppressed
from streamer.models.parameters import AutomaticParameters
from streamer.models.sam.segmenter import SamSegmenter
from streamer.models.tiny.weights import load_sam
from streamer.synthetic import SceneSource

SIZE = 192, 192
"""Square: upstream pads what is not, and the bundled encoder sees no padding."""
LOOSE = {"points_per_side": 5, "pred_iou_thresh": 0.2, "stability_score_thresh": 0.3}


def picture():
    return SceneSource(size=SIZE, frame_count=1, seed=4).read().image_rgb


def iou(one, other):
    return (one & other).sum() / max((one | other).sum(), 1)


@pytest.fixture(scope="module")
def segmenter():
    torch.set_num_threads(1)
    return SamSegmenter(load_sam(), "tiny", torch.device("cpu"), "float32")


@pytest.mark.parametrize(
    "changes",
    [
        {"points_per_batch": 7},
        {"pred_iou_thresh": 0.0, "stability_score_thresh": 0.0, "box_nms_thresh": 0.5, "points_per_side": 3},
        {"points_per_side": 4, "crop_n_layers": 1, "crop_n_points_downscale_factor": 2},
        {"points_per_side": 4, "min_mask_region_area": 60},
    ],
    ids=["ragged batches", "whatever is said", "crops", "small regions"],
)
def test_it_finds_what_upstreams_generator_finds_with_the_same_weights(segmenter, changes):
    parameters = AutomaticParameters(**(LOOSE | changes))
    expected = SamAutomaticMaskGenerator(load_sam(), **parameters.model_dump()).generate(picture())
    found = automatic_masks(segmenter, picture(), parameters)
    assert len(found) == len(expected) > 5
    for one, record in zip(found, expected, strict=True):
        assert iou(one.mask, record["segmentation"]) > 0.98
        assert one.predicted_iou == pytest.approx(record["predicted_iou"], abs=0.01)
        assert one.stability_score == pytest.approx(record["stability_score"], abs=0.02)
        assert one.point == pytest.approx(record["point_coords"][0])
        x, y, width, height = record["bbox"]
        assert one.box_xyxy == pytest.approx((x, y, x + width + 1, y + height + 1), abs=1), "upstream's is inclusive"


def test_thresholds_leave_out_what_is_not_sure_or_not_stable(segmenter):
    image = picture()
    everything = automatic_masks(
        segmenter, image, AutomaticParameters(points_per_side=3, pred_iou_thresh=0, stability_score_thresh=0)
    )
    surest = sorted(one.predicted_iou for one in everything)[len(everything) // 2]
    strict = AutomaticParameters(points_per_side=3, pred_iou_thresh=surest, stability_score_thresh=0.6)
    kept = automatic_masks(segmenter, image, strict)
    assert all(one.predicted_iou > strict.pred_iou_thresh and one.stability_score >= 0.6 for one in kept)
    assert len(kept) < len(everything)


def test_an_embedding_that_is_there_is_not_made_again(segmenter, monkeypatch):
    image = picture()
    embedding = segmenter.encode(image)
    parameters = AutomaticParameters(points_per_side=2, pred_iou_thresh=0, stability_score_thresh=0)
    expected = automatic_masks(segmenter, image, parameters)
    monkeypatch.setattr(segmenter, "encode", None)
    found = automatic_masks(segmenter, image, parameters, embedding)
    assert [one.box_xyxy for one in found] == [one.box_xyxy for one in expected]


def test_a_mask_is_told_with_its_box_area_and_point(segmenter):
    parameters = AutomaticParameters(points_per_side=3, pred_iou_thresh=0, stability_score_thresh=0)
    for one in automatic_masks(segmenter, picture(), parameters):
        assert one.mask.shape == SIZE[::-1]
        assert one.area == one.mask.sum()
        x0, y0, x1, y1 = map(int, one.box_xyxy)
        if one.area:
            assert one.mask[y0:y1, x0:x1].sum() == one.area
        assert 0 <= one.point[0] < SIZE[0]


def test_the_better_of_two_boxes_is_kept():
    boxes = [(0, 0, 10, 10), (1, 0, 11, 10), (50, 50, 60, 60)]
    assert suppressed(boxes, [0.5, 0.9, 0.7], 0.7) == [1, 2]
    assert suppressed([], [], 0.7) == []


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7])
def test_what_is_suppressed_is_what_torchvision_suppresses(threshold: float) -> None:
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 12, (300, 2, 2))  # small and whole, so that overlaps lie on the threshold
    boxes = [(float(x0), float(y0), float(x0 + w + 1), float(y0 + h + 1)) for (x0, y0), (w, h) in corners]
    scores = (rng.integers(0, 20, 300) / 20).tolist()  # and many are as sure as others
    inclusive = torch.tensor(boxes) - torch.tensor([0.0, 0.0, 1.0, 1.0])
    truth = batched_nms(inclusive, torch.tensor(scores), torch.zeros(300), threshold)
    assert suppressed(boxes, scores, threshold) == truth.tolist()
