"""Outlines that snap to edges: nearer to the truth, and nowhere else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from streamer.data.mask import box_of
from streamer.data.prompt import Prompt
from streamer.evaluation.metrics import iou
from streamer.tracking.snapping import snapped
from tests.fake_models import ColorSegmenter
from tests.tracking.fakes import Stage

SIZE = 200, 120


def disc(center=(90, 60), radius=30):
    mask = np.zeros(SIZE[::-1], np.uint8)
    cv2.circle(mask, center, radius, 255, -1)
    return mask


def scene(truth, contrast=60):
    noise = np.random.default_rng(0).normal(0, 12, (*truth.shape, 3))
    return np.clip(np.where(truth[..., None] > 0, 90 + contrast, 90) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("off", [{"center": (92, 61)}, {"radius": 27}, {"radius": 33}])
def test_an_outline_that_is_a_little_off_comes_to_the_edge(off):
    truth, soft = disc(), disc(**off)
    before, after = (iou(mask > 127, truth) for mask in (soft, snapped(soft, scene(truth))))
    assert before < 0.93
    assert after > 0.97


def test_only_what_is_near_the_outline_may_change():
    truth = disc()
    truth[20:100, 150:190] = 255  # as bright as the object, but another thing
    moved = snapped(disc(radius=32), scene(truth))
    assert not moved[:, 140:].any()
    assert (moved[50:70, 80:100] == 255).all()


def test_the_same_image_gives_the_same_and_what_was_given_stays():
    soft, image = disc(radius=27), scene(disc(), contrast=15)
    kept = soft.copy(), image.copy()
    np.testing.assert_array_equal(snapped(soft, image), snapped(soft, image))
    np.testing.assert_array_equal(soft, kept[0])
    np.testing.assert_array_equal(image, kept[1])


@pytest.mark.parametrize("soft", [disc(radius=2), np.zeros(SIZE[::-1], np.uint8), np.full(SIZE[::-1], 255, np.uint8)])
def test_too_little_on_either_side_tells_nothing(soft):
    np.testing.assert_array_equal(snapped(soft, scene(disc())), soft)


class Coarse(ColorSegmenter):
    """Its masks are a little too large."""

    def upscale(self, logits, image_size):
        return np.stack([cv2.dilate(one, np.ones((7, 7))) for one in super().upscale(logits, image_size)])


def test_what_a_person_boxed_is_snapped_and_what_they_clicked_on_is_not():
    def answer(prompt):
        stage = Stage(segmenter=Coarse())
        stage.say(prompt)
        stage.keyframe()
        return stage.iou(1)

    boxed, clicked = answer(Prompt(box=box_of(Stage().labels == 1))), answer(Prompt([(60, 80)]))
    assert clicked < 0.9
    assert boxed > clicked + 0.03
