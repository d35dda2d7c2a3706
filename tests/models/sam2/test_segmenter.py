"""SAM 2.1, EdgeTAM, SAM 3's tracker and SAM-HQ as a `Segmenter`, against transformers' documented calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import transformers
from numpy.typing import NDArray
from transformers import AutoImageProcessor, Sam2Processor, SamHQProcessor

from streamer.data.prompt import Prompt
from streamer.models import registry
from streamer.models.parameters import SegmenterParameters
from streamer.models.sam2.segmenter import PromptableSegmenter
from tests.small_promptable import WRITERS

Folders = dict[str, Path]
Segmenters = dict[str, PromptableSegmenter]
IMAGE_CLASSES = {"sam2": "Sam2Model", "edgetam": "EdgeTamModel", "sam3": "Sam3TrackerModel", "sam_hq": "SamHQModel"}
PROMPTS = [
    Prompt([(30, 20)]),
    Prompt([(90, 40), (20, 60), (50, 50)], [1, 0, 0]),
    Prompt(box=(20, 10, 70, 60)),
    Prompt([(40, 40)], box=(20, 10, 70, 60)),
]


def image(width: int = 140, height: int = 90, seed: int = 0) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 3)


def documented(name: str, folder: Path) -> Callable[[Prompt], Any]:
    """What transformers' own model and processor say of a prompt, as its documentation calls them."""
    model = getattr(transformers, IMAGE_CLASSES[name]).from_pretrained(folder).eval()
    if name == "sam3":
        video = transformers.Sam3TrackerVideoModel.from_pretrained(folder).eval()
    images = AutoImageProcessor.from_pretrained(folder)
    processor: Any
    as_sam = name == "sam_hq"
    processor = SamHQProcessor(images) if as_sam else Sam2Processor(images, target_size=images.size["height"])

    def answer(prompt: Prompt) -> Any:
        says: dict[str, Any] = {}
        if len(prompt.point_coords):
            says = {"input_points": [[prompt.point_coords.tolist()]], "input_labels": [[prompt.point_labels.tolist()]]}
        if prompt.box is not None:
            says["input_boxes"] = [[prompt.box.tolist()]]
        inputs = processor(images=image(), **says, return_tensors="pt")
        inputs = {key: value for key, value in inputs.items() if "sizes" not in key}
        if prompt.mask_input is not None:
            inputs["input_masks"] = torch.from_numpy(prompt.mask_input)[None, None]
        with torch.inference_mode():
            if name == "sam3":  # transformers' image class adds what tells that there is no memory to a map it drops
                inputs["image_embeddings"] = video.get_image_embeddings(inputs.pop("pixel_values"))
            return model(**inputs, multimask_output=True)

    return answer


@pytest.mark.parametrize("name", WRITERS)
def test_it_answers_as_documented(name: str, folders: Folders, segmenters: Segmenters) -> None:
    segmenter = segmenters[name]
    embedding = segmenter.encode(image())
    mask_input = segmenter.mask_input(np.ones((90, 140), np.float32), (140, 90))
    prompts = [*PROMPTS, Prompt([(30, 20)], mask_input=mask_input)]
    decoded = segmenter.decode(embedding, prompts)
    ask = documented(name, folders[name])
    for prompt, logits, scores in zip(prompts, decoded.logits, decoded.scores, strict=True):
        wanted = ask(prompt)
        wanted_logits = wanted.pred_masks[0, 0].numpy()
        np.testing.assert_allclose(logits, wanted_logits, atol=0.02 * wanted_logits.std())
        np.testing.assert_allclose(scores, wanted.iou_scores[0, 0].numpy(), atol=0.01)
    assert np.ptp(decoded.scores) > 1e-3, "prompts matter"


@pytest.mark.parametrize("name", WRITERS)
def test_a_batch_answers_as_one_after_the_other(name: str, segmenters: Segmenters) -> None:
    segmenter = segmenters[name]
    embedding = segmenter.encode(image())
    masked = [
        Prompt([(30 + 9 * i, 20)], mask_input=segmenter.mask_input(image(140, 90, i)[..., 0] / 255, (140, 90)))
        for i in range(3)
    ]
    many = [Prompt([(5 * i, 30)]) for i in range(1, 20)]
    prompts = [Prompt(), *PROMPTS, *masked, *many]
    for multimask_output, candidates in ((True, 3), (False, 1)):
        together = segmenter.decode(embedding, prompts, multimask_output)
        assert together.logits.shape[:2] == together.scores.shape == (len(prompts), candidates)
        for place in [*range(0, 8, 2), len(prompts) - 1]:
            alone = segmenter.decode(embedding, [prompts[place]], multimask_output)
            np.testing.assert_allclose(together.logits[place], alone.logits[0], atol=1e-4)
    assert segmenter.decode(embedding, []).logits.shape[0] == 0
    twice = segmenter.encode_batch([image(seed=1), image()])
    later = segmenter.decode(twice[1], PROMPTS)
    np.testing.assert_allclose(later.logits, segmenter.decode(embedding, PROMPTS).logits, atol=1e-3)


@pytest.mark.parametrize("name", WRITERS)
def test_masks_come_back_at_the_size_of_the_frame(name: str, folders: Folders, segmenters: Segmenters) -> None:
    segmenter = segmenters[name]
    embedding = segmenter.encode(image())
    decoded = segmenter.decode(embedding, PROMPTS, multimask_output=False)
    masks = segmenter.upscale(decoded.logits[:, 0], (140, 90))
    assert masks.shape == (len(PROMPTS), 90, 140)
    processor = AutoImageProcessor.from_pretrained(folders[name])
    sizes = [[90, 140]], [[82, 128]]
    logits = torch.from_numpy(decoded.logits[:1])
    if name == "sam_hq":
        wanted = processor.post_process_masks(logits[None], *sizes, binarize=False)
    else:
        wanted = processor.post_process_masks([logits[0][None]], sizes[0], binarize=False)
    np.testing.assert_allclose(masks[0], wanted[0].squeeze().numpy(), atol=0.05 * masks[0].std())
    rows, columns, channels = segmenter.features(embedding).shape
    assert (columns, channels) == (8, 128)
    assert rows == (6 if name == "sam_hq" else 8), "padding holds no image"
    assert all(found.mask.shape == (90, 140) for found in segmenter.find(embedding, 3))


@pytest.mark.parametrize("name", ["sam2", "sam3", "sam_hq"])
def test_bfloat16_encodes_the_same_but_for_rounding(name: str, folders: Folders, segmenters: Segmenters) -> None:
    exact = segmenters[name]
    fast = registry.load_segmenter(SegmenterParameters(model=str(folders[name]), precision="bfloat16"), "cpu")
    one, other = (each.features(each.encode(image())) for each in (exact, fast))
    assert other.dtype == np.float32
    assert 0 < np.linalg.norm(one - other) < 0.05 * np.linalg.norm(one)
