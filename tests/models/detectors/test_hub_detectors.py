"""Detectors by name: real classes of transformers, small and with random weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from streamer.errors import ModelError
from streamer.models.detectors.boxes import BoxDetector, on_image, phrase_of
from streamer.models.detectors.masks import pieces
from streamer.models.detectors.registry import DETECTORS, load_detector
from streamer.models.parameters import DetectorParameters
from tests.models.detectors import small_detectors

PHRASES = ["red ball", "person"]
IMAGE = np.random.default_rng(0).integers(0, 256, (48, 80, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, request):
    torch.manual_seed(0)
    return getattr(small_detectors, request.param)(tmp_path_factory.mktemp(request.param))


ALL = ["grounding_dino", "mm_grounding_dino", "owlv2", "omdet_turbo", "clipseg", "sam3"]


@pytest.mark.parametrize("folder", ALL, indirect=True)
def test_a_model_of_the_real_class_loads_from_a_folder_and_finds_things_on_the_image(folder):
    detector = load_detector(DetectorParameters(model=str(folder), min_score=0.01), "cpu")
    found = detector.detect(IMAGE, PHRASES)
    assert found, "random weights are sure of nothing, but of more than a hundredth"
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        x0, y0, x1, y1 = one.box_xyxy
        assert one.label in PHRASES
        assert 0 <= x0 < x1 <= 80
        assert 0 <= y0 < y1 <= 48
        assert one.mask is None or one.mask.shape == (48, 80)
    assert not load_detector(DetectorParameters(model=str(folder), min_score=1.0), "cpu").detect(IMAGE, PHRASES)
    assert detector.detect(IMAGE, ["dog"])[0].label == "dog"


RECORDED = torch.tensor([[[0.5, 0.5, 0.2, 0.4], [0.25, 0.75, 0.5, 0.5]]])
"""Centers and sizes of two boxes, as shares of the image."""
CORNERS = [(32, 14.4, 48, 33.6), (0, 24, 40, 48)]


@pytest.mark.parametrize("folder", ["grounding_dino", "mm_grounding_dino"], indirect=True)
def test_recorded_tensors_of_grounding_dino_land_where_upstream_puts_them(folder):
    detector = BoxDetector(folder, torch.device("cpu"))
    tokens = detector._processor(images=IMAGE, text="red ball. person.", return_tensors="pt")["input_ids"][0]
    words = detector._processor.tokenizer.convert_ids_to_tokens(tokens)
    logits = torch.full((1, 2, 256), -20.0)
    logits[0, 0, [words.index("red"), words.index("ball")]] = torch.tensor([2.0, 1.0])
    logits[0, 1, words.index("person")] = 1.0
    play(detector, logits=logits, pred_boxes=RECORDED)
    check(detector.detect(IMAGE, PHRASES), CORNERS)


@pytest.mark.parametrize("folder", ["owlv2"], indirect=True)
def test_recorded_tensors_of_owl_land_where_upstream_puts_them(folder):
    detector = BoxDetector(folder, torch.device("cpu"))
    play(detector, logits=torch.tensor([[[2.0, -9.0], [-9.0, 1.0]]]), pred_boxes=RECORDED)
    # It sees a square whose lower part is padding, so that shares are of the longer side.
    check(detector.detect(IMAGE, PHRASES), [(32, 24, 48, 48), (0, 40, 40, 48)])


@pytest.mark.parametrize("folder", ["omdet_turbo"], indirect=True)
def test_recorded_tensors_of_omdet_land_where_upstream_puts_them(folder):
    detector = BoxDetector(folder, torch.device("cpu"))
    play(
        detector,
        decoder_coord_logits=RECORDED,
        decoder_class_logits=torch.tensor([[[2.0, -9.0], [-9.0, 1.0]]]),
        classes_structure=torch.tensor([2]),
    )
    check(detector.detect(IMAGE, PHRASES), CORNERS)


@pytest.mark.parametrize("folder", ["sam3"], indirect=True)
def test_recorded_tensors_of_sam3_become_masks_where_upstream_puts_them(folder):
    detector = load_detector(DetectorParameters(model=str(folder)), "cpu")
    masks = torch.full((1, 2, 6, 10), -5.0)
    masks[0, 0, :3, 5:], masks[0, 1, 3:, :5] = 5.0, 5.0
    recorded = Recorded(
        pred_logits=torch.tensor([[2.0, -2.0]]),
        pred_boxes=torch.tensor([[[0.5, 0.0, 1.0, 0.5], [0.0, 0.5, 0.5, 1.0]]]),
        pred_masks=masks,
        presence_logits=torch.tensor([[2.0]]),
    )
    detector._network = ScriptedSam3(recorded)
    (found,) = detector.detect(IMAGE, ["dog"])
    assert found.label == "dog"
    assert found.score == pytest.approx(float(torch.tensor(2.0).sigmoid() ** 2))
    assert found.box_xyxy == pytest.approx((40, 0, 80, 24), abs=1)
    assert found.mask[:20, 44:].all()
    assert not found.mask[28:].any()


class ScriptedSam3:
    """Says the same of every phrase."""

    def __init__(self, recorded):
        self._recorded = recorded

    def get_vision_features(self, pixel_values):
        return pixel_values

    def __call__(self, **_):
        return self._recorded


class Recorded(dict):
    """Outputs as transformers gives them."""

    __getattr__ = dict.__getitem__


def play(detector, **recorded):
    detector._network = lambda **_: Recorded(recorded)


def check(found, corners):
    assert [one.label for one in found] == PHRASES
    for one, expected in zip(found, corners, strict=True):
        assert one.box_xyxy == pytest.approx(expected, abs=0.01)
    assert [one.score for one in found] == pytest.approx(torch.tensor([2.0, 1.0]).sigmoid().tolist())


def test_each_piece_of_a_heat_map_is_a_thing_and_specks_are_none():
    heat = np.zeros((100, 200), np.float32)
    heat[10:30, 20:60], heat[50:90, 120:180], heat[0, 0] = 0.7, 0.9, 1.0
    found = {one.box_xyxy: one for one in pieces("dog", heat, 0.4)}
    assert set(found) == {(20, 10, 60, 30), (120, 50, 180, 90)}
    assert found[20, 10, 60, 30].score == pytest.approx(0.7)
    assert np.array_equal(found[120, 50, 180, 90].mask, heat == np.float32(0.9))


@pytest.mark.parametrize(
    ("label", "phrase"), [("ball", "red ball"), ("Person", "person"), ("red", "red ball"), ("", None), ("cup", None)]
)
def test_the_words_that_a_box_answers_mean_the_phrase_that_shares_most_of_them(label, phrase):
    assert phrase_of(label, PHRASES) == phrase


def test_boxes_end_where_the_image_does():
    assert on_image((-5, 3, 200, 20), (80, 48)) == (0, 3, 80, 20)
    assert on_image((90, 3, 200, 20), (80, 48)) is None


@pytest.mark.parametrize("name", sorted(set(DETECTORS) - {"tiny"}))
def test_what_is_not_here_is_told_with_the_command_that_brings_it(name, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=f"streamer models pull {name}") as caught:
        load_detector(DetectorParameters(model=name), "cpu")
    assert "\n" not in str(caught.value)


def test_an_unknown_name_is_told_with_the_near_ones():
    with pytest.raises(ModelError, match="did you mean IDEA-Research/grounding-dino-tiny"):
        load_detector(DetectorParameters(model="grounding-dino-tiny"), "cpu")
