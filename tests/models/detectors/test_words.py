"""The tiny detector: what its cells say becomes boxes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from streamer.errors import ModelError
from streamer.models.detectors.vocabulary import meaning_of, vocabulary
from streamer.models.detectors.words import BELOW_BEST, WordsDetector, boxes_of, to_pixels
from streamer.models.tiny.weights import load_words, save_words
from streamer.models.tiny.words import SIDE_PX, STRIDE_PX, Seen, TinyWords

GRID = 30, 40
FLAT, SURE = torch.full(GRID, -5.0), torch.zeros(GRID)


def sides_of(*boxes):
    """``(4, 30, 40)`` that every cell inside of a box says of it, and 8 px elsewhere."""
    sides = torch.full((4, *GRID), 8.0)
    y, x = torch.meshgrid(*[(torch.arange(side) + 0.5) * STRIDE_PX for side in GRID], indexing="ij")
    for x0, y0, x1, y1 in boxes:
        inside = (x > x0) & (x < x1) & (y > y0) & (y < y1)
        sides[:, inside] = torch.stack([x - x0, y - y0, x1 - x, y1 - y])[:, inside]
    return sides


def levels(*things):
    """``(30, 40)`` margins: each (box, level) raises the cells inside of it."""
    margins = FLAT.clone()
    for (x0, y0, x1, y1), level in things:
        margins[y0 // STRIDE_PX : y1 // STRIDE_PX, x0 // STRIDE_PX : x1 // STRIDE_PX] = level
    return margins


ONE, OTHER = (64, 64, 192, 160), (320, 240, 480, 400)


def test_each_thing_is_found_once_with_the_box_that_its_cells_vote_for():
    boxes, points, scores = boxes_of(levels((ONE, 2.0), (OTHER, 1.0)), sides_of(ONE, OTHER), SURE)
    np.testing.assert_allclose(points.numpy(), [(128, 112), (400, 320)], atol=1e-3)
    np.testing.assert_allclose(boxes.numpy(), [ONE, OTHER], atol=1e-3)
    np.testing.assert_allclose(scores.numpy(), torch.tensor([2.0, 1.0]).sigmoid().numpy())


def test_below_the_threshold_or_far_below_the_best_nothing_is_found():
    assert len(boxes_of(FLAT, sides_of(), SURE)[0]) == 0
    boxes, _, _ = boxes_of(levels((ONE, 3.0), (OTHER, 2.9 - BELOW_BEST)), sides_of(ONE, OTHER), SURE)
    assert len(boxes) == 1


def test_cells_whose_sides_are_trusted_more_say_where_the_box_ends():
    cells, trust = levels((ONE, 2.0)), torch.full(GRID, -4.0)
    sides = sides_of(ONE)
    sides[2, 4, 4], trust[4, 4] = 400.0, 4.0
    sides[0, 4, 4] += 1e-3
    trusted, _, _ = boxes_of(cells, sides, trust)
    plain, _, _ = boxes_of(cells, sides, SURE)
    assert float(trusted[0, 2]) > float(plain[0, 2]) + 100


def test_a_part_inside_of_a_surer_thing_is_not_another_one():
    part = 96, 96, 144, 128
    boxes, _, _ = boxes_of(levels((ONE, 2.0), (part, 1.9)), sides_of(ONE, part), SURE)
    assert len(boxes) == 1


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (200, 355), (33, 8)])
def test_images_of_any_size_are_shown_at_one_size(size):
    width, height = size
    pixels, scale = to_pixels(np.full((height, width, 3), 127, np.uint8))
    assert max(pixels.shape[2:]) == SIDE_PX
    assert all(side % 32 == 0 for side in pixels.shape[2:])
    assert scale == SIDE_PX / max(size)
    assert not pixels.any(), "the mean is 0"


class Scripted(TinyWords):
    """Says that there is a thing, wherever one asks."""

    def forward(self, pixels):
        rows, columns = (side // STRIDE_PX for side in pixels.shape[2:])
        coco = torch.full((1, 80, rows, columns), -9.0)
        coco[0, meaning_of("dog").coco[0], 4:10, 4:12] = 2.0
        imagenet = torch.zeros(1, 1000, rows // 2, columns // 2)
        imagenet[0, meaning_of("castle").imagenet[0], 6:9, 12:16] = 20.0
        return Seen(coco, imagenet, sides_of(ONE, (384, 192, 512, 288))[None, :, :rows, :columns], coco[:, 0])


@pytest.fixture(scope="module")
def scripted():
    words = Scripted(len(vocabulary()))
    words.word_thresholds.fill_(torch.tensor(0.3).log())
    return WordsDetector(words, torch.device("cpu"))


def test_boxes_are_in_pixels_of_the_image_and_labels_are_the_phrases_as_they_were_given(scripted):
    image = np.zeros((1344, 1792, 3), np.uint8)
    found = {one.label: one for one in scripted.detect(image, ["The Dogs", "castle", "cat"])}
    assert set(found) == {"The Dogs", "castle"}
    assert found["The Dogs"].box_xyxy == pytest.approx([2 * corner for corner in ONE], abs=1)
    assert found["castle"].box_xyxy == pytest.approx((768, 384, 1024, 576), abs=1)
    assert all(0.5 < one.score <= 1 for one in found.values())


def test_a_color_that_the_thing_does_not_have_is_not_found(scripted):
    image = np.zeros((960, 1280, 3), np.uint8)
    image[120:330, 120:400] = 200, 20, 30
    assert scripted.detect(image, ["red dog"])
    assert not scripted.detect(image, ["blue dog"])


def test_weights_come_back_in_eight_bits_and_damaged_ones_are_told(tmp_path):
    words, path = TinyWords(3), tmp_path / "words.safetensors"
    save_words(words, path)
    again = load_words(path)
    for (name, value), other in zip(words.state_dict().items(), again.state_dict().values(), strict=True):
        limit = value.abs().max() / 100 + 1e-6
        assert (value - other).abs().max() <= limit, name
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match="are missing or damaged: reinstall streamer"):
        load_words(path)


def test_the_shipped_weights_know_every_word():
    words = load_words()
    assert len(words.word_thresholds) == len(vocabulary())
    assert torch.isfinite(words.coco_thresholds).all()
