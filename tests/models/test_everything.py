"""A segmenter that finds all stable regions."""

from __future__ import annotations

import numpy as np

from streamer.models.everything import LEAST_SHARE, EverythingSegmenter
from streamer.models.parameters import AutomaticParameters
from tests.fake_models import ColorSegmenter, moving_scene

PARAMETERS = AutomaticParameters(points_per_side=8, pred_iou_thresh=0.5)


def test_every_region_is_found_once_and_no_two_overlap_much():
    image, labels = moving_scene(0)
    segmenter = EverythingSegmenter(ColorSegmenter(), PARAMETERS)
    found = segmenter.find(segmenter.encode(image), 10)
    for value in np.unique(labels):
        truth = labels == value
        assert max((one.mask & truth).sum() / (one.mask | truth).sum() for one in found) > 0.8
    assert len(found) == 3
    assert all(one.mask.mean() >= LEAST_SHARE for one in found)
    assert sum(one.mask.astype(int) for one in found).max() <= 2


def test_no_more_than_asked_for_and_everything_else_is_the_segmenters():
    image, _ = moving_scene(0)
    inner = ColorSegmenter()
    segmenter = EverythingSegmenter(inner, PARAMETERS)
    assert len(segmenter.find(segmenter.encode(image), 1)) == 1
    assert segmenter.name == inner.name
    assert inner.encoded == 1
