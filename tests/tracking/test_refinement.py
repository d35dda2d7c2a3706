"""Carried masks follow colors and edges."""

import numpy as np

from streamer.motion.pyramid import halve
from streamer.tracking.colors import Colors
from streamer.tracking.refinement import refine
from streamer.tracking.soft_masks import INSIDE, harden
from tests.tracking.fakes import disc, iou, noise_with_discs, refinement_image


def test_refining_pulls_a_shifted_mask_back_onto_the_object():
    image, truth = noise_with_discs((80, 48)), disc((80, 48), 20) > 0
    present = refinement_image(image)
    ratio = Colors.of(present.bins, halve(disc((80, 48), 20))).ratios()[0]
    carried = disc((86, 51), 20)
    refined = refine(halve(carried), ratio, np.full((48, 80), 0.3, np.float32), present) > INSIDE
    assert iou(carried > 0, truth) < 0.75
    assert iou(refined, truth) > 0.93


def test_refining_keeps_a_mask_where_colors_say_nothing_and_it_is_trusted():
    image = np.full((96, 160, 3), 90, np.uint8)
    carried = disc((60, 50), 18)
    present = refinement_image(image)
    ratio = Colors.of(present.bins, halve(carried)).ratios()[0]
    refined = refine(halve(carried), ratio, np.ones((48, 80), np.float32), present) > INSIDE
    assert iou(refined, carried > 0) > 0.95


def test_nothing_refined_is_nothing_and_edges_stay_through_many_rounds():
    image, mask = noise_with_discs((80, 48)), disc((80, 48), 20)
    present, trust = refinement_image(image), np.ones((48, 80), np.float32)
    ratio = Colors.of(present.bins, halve(mask)).ratios()[0]
    assert not refine(np.zeros_like(halve(mask)), ratio, trust, present).any()
    for _ in range(30):
        mask = harden(refine(halve(mask), ratio, trust, present))
    assert iou(mask > INSIDE, disc((80, 48), 20) > 0) > 0.93
