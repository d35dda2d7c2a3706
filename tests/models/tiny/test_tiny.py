"""The bundled models: small, whole, quick to refuse damage, and good enough on scenes that no training saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from segment_anything import SamAutomaticMaskGenerator, SamPredictor
from segment_anything.modeling import Sam
from transformers import AutoImageProcessor, DPTForDepthEstimation

from streamer.errors import ModelError
from streamer.models.tiny.sam import build_sam
from streamer.models.tiny.weights import SAM_WEIGHTS, dpt_folder, load_dpt, load_sam, save_halved
from training.benchmarks import Benchmark, measure
from training.depth_benchmarks import DepthBenchmark, measure_depth
from training.depth_samples import DepthFrame
from training.dpt_model import build_dpt, save_dpt
from training.scenes import Rendered, as_photo, held_out

MAX_BYTES = 24_000_000
# What was wanted first, on 50 scenes (see the model card); 0.90 and 0.80 are wanted in the end.
MIN_BOX_IOU, MIN_CLICK_IOU = 0.75, 0.60


@pytest.fixture(scope="module")
def sam() -> Sam:
    return load_sam()


@pytest.fixture(scope="module")
def dpt() -> DPTForDepthEstimation:
    return DPTForDepthEstimation.from_pretrained(dpt_folder()).eval()


@pytest.fixture(scope="module")
def scenes() -> list[Rendered]:
    return held_out(8)


def test_both_weights_fit_in_24_megabytes() -> None:
    files = [SAM_WEIGHTS, *dpt_folder().iterdir()]
    assert sum(file.stat().st_size for file in files) <= MAX_BYTES


def test_sam_is_upstreams_class_and_predictor_takes_it(sam: Sam) -> None:
    predictor = SamPredictor(sam)
    predictor.set_image(np.full((90, 160, 3), 128, np.uint8))
    masks, scores, logits = predictor.predict(np.array([[80, 45]]), np.array([1]), multimask_output=True)
    side = sam.image_encoder.img_size // 4
    assert masks.shape == (3, 90, 160)
    assert scores.shape == (3,)
    assert logits.shape == (3, side, side)


def test_automatic_masks_work_on_it(sam: Sam, scenes: list[Rendered]) -> None:
    generator = SamAutomaticMaskGenerator(sam, points_per_side=8, pred_iou_thresh=0.5, stability_score_thresh=0.5)
    found = generator.generate(scenes[0].image_rgb)
    assert found
    assert found[0]["segmentation"].shape == scenes[0].labels.shape


def test_weights_survive_saving(sam: Sam, tmp_path: Path) -> None:
    save_halved(sam, tmp_path / "sam.safetensors")
    again = load_sam(tmp_path / "sam.safetensors").state_dict()
    assert all(torch.equal(value, again[name]) for name, value in sam.state_dict().items())


def test_missing_sam_weights_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="missing or damaged"):
        load_sam(tmp_path / "none.safetensors")


def test_damaged_sam_weights_say_what_to_do(tmp_path: Path) -> None:
    whole = SAM_WEIGHTS.read_bytes()
    damaged = tmp_path / "half.safetensors"
    damaged.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="missing or damaged"):
        load_sam(damaged)


def test_a_folder_without_weights_is_no_dpt(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="lacks"):
        load_dpt(tmp_path)


def test_a_damaged_dpt_says_what_to_do(tmp_path: Path) -> None:
    for file in dpt_folder().iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[:100_000])
    with pytest.raises(ModelError, match="missing or damaged"):
        load_dpt(tmp_path)


def test_dpt_loads_in_full_precision_and_its_processor_fits(dpt: DPTForDepthEstimation) -> None:
    processor = AutoImageProcessor.from_pretrained(dpt_folder())
    inputs = processor(images=np.full((90, 160, 3), 128, np.uint8), return_tensors="pt")
    with torch.inference_mode():
        depth = dpt(**inputs).predicted_depth
    assert dpt.dtype == torch.float32
    assert depth.shape == (1, 256, 256)


def test_dpt_survives_saving(tmp_path: Path) -> None:
    torch.manual_seed(0)
    fresh = build_dpt().half().float()
    save_dpt(fresh, tmp_path)
    again = DPTForDepthEstimation.from_pretrained(tmp_path).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in fresh.state_dict().items())


def test_weights_do_not_depend_on_the_input_size() -> None:
    shapes = [{name: value.shape for name, value in build_sam(side).state_dict().items()} for side in (128, 256)]
    assert shapes[0] == shapes[1]


def test_masks_on_held_out_scenes(sam: Sam, scenes: list[Rendered]) -> None:
    scores = measure(sam, Benchmark("scenes", [as_photo(rendered) for rendered in scenes]))
    assert scores.box >= MIN_BOX_IOU
    assert scores.click >= MIN_CLICK_IOU


def test_near_is_near_on_held_out_scenes(dpt: DPTForDepthEstimation, scenes: list[Rendered]) -> None:
    frames = [DepthFrame(rendered.image_rgb, rendered.inverse_depth) for rendered in scenes]
    assert measure_depth(dpt, DepthBenchmark("scenes", frames)).within >= 0.6
