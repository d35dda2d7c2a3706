from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import timm
import torch
from numpy.typing import NDArray
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    DPTForDepthEstimation,
    DPTImageProcessor,
)

from streamer.errors import ModelError
from streamer.models.dpt.estimator import DptEstimator
from streamer.models.dpt.timm_backbone import trim_efficientnets
from streamer.models.tiny.weights import dpt_folder
from streamer.models.weights.random_weights import DPT_SIZES
from tests.small_models import write_small_dpt

CPU = torch.device("cpu")


def make_image(width: int = 140, height: int = 90) -> NDArray[np.uint8]:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 3)


def as_documented(folder: Path, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The example of transformers' documentation."""
    from transformers import AutoImageProcessor, AutoModelForDepthEstimation

    processor, model = AutoImageProcessor.from_pretrained(folder), AutoModelForDepthEstimation.from_pretrained(folder)
    with torch.no_grad():
        outputs = model(**processor(images=image, return_tensors="pt"))
    target = [image.shape[:2]]
    return processor.post_process_depth_estimation(outputs, target_sizes=target)[0]["predicted_depth"].numpy()


def test_the_tiny_dpt_answers_as_documented_without_its_batch_norms() -> None:
    truth = as_documented(dpt_folder(), make_image(640, 360))
    estimator = DptEstimator(dpt_folder(), CPU, "float32")
    assert not any("running_mean" in name for name, _ in estimator._network.named_buffers())
    np.testing.assert_allclose(estimator.estimate(make_image(640, 360)), truth, atol=1e-3 * np.ptp(truth))


@pytest.mark.parametrize(("backbone", "trimmed"), [("efficientnet_lite0", True), ("resnet10t", False)])
def test_only_efficientnets_are_trimmed(backbone: str, trimmed: bool) -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(timm.create_model(backbone, features_only=True, out_indices=(1, 2))).eval()
    for name, buffer in network.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            buffer.copy_(torch.rand_like(buffer) + 0.5)
    pixels = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before = network(pixels)
        trim_efficientnets(network)
        after = network(pixels)
    assert trimmed != any("running_mean" in name for name, _ in network.named_buffers())
    assert not any(name.startswith("0.blocks.3") for name, _ in network.named_parameters())
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(before, after, strict=True))


def write_depth_anything(folder: Path, kind: str) -> Path:
    torch.manual_seed(0)
    backbone = Dinov2Config(
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=56,
        patch_size=14,
        out_features=["stage1", "stage2", "stage3", "stage4"],
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=32,
        neck_hidden_sizes=[8, 8, 16, 16],
        fusion_hidden_size=16,
        head_hidden_size=8,
        depth_estimation_type=kind,
        max_depth=20,
        initializer_range=0.1,
    )
    model = DepthAnythingForDepthEstimation(config)
    for parameter in model.head.parameters():
        torch.nn.init.normal_(parameter, std=1.0)
    torch.nn.init.constant_(model.head.conv3.bias, 1.0)
    model.save_pretrained(folder)
    DPTImageProcessor(
        size={"height": 56, "width": 56}, keep_aspect_ratio=True, ensure_multiple_of=14, resample=3
    ).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("size", [(140, 90), (64, 64), (33, 77), (640, 360)])
def test_dpt_answers_as_documented(tmp_path: Path, size: tuple[int, int]) -> None:
    folder = write_small_dpt(tmp_path)
    truth = as_documented(folder, make_image(*size))
    depth = DptEstimator(folder, CPU, "float32").estimate(make_image(*size))
    assert depth.shape == (size[1], size[0])
    assert depth.dtype == np.float32
    assert truth.std() > 0.01 * truth.mean() > 0
    np.testing.assert_allclose(depth, truth, rtol=1e-3, atol=1e-3 * truth.std())


def test_bfloat16_is_close(tmp_path: Path) -> None:
    folder = write_small_dpt(tmp_path)
    exact, rough = (
        DptEstimator(folder, CPU, precision).estimate(make_image()) for precision in ("float32", "bfloat16")
    )
    assert 0 < np.linalg.norm(exact - rough) / np.linalg.norm(exact) < 2e-2


def test_other_depth_models_with_their_own_sizes(tmp_path: Path) -> None:
    folder = write_depth_anything(tmp_path, "relative")
    truth = as_documented(folder, make_image())
    depth = DptEstimator(folder, CPU, "float32").estimate(make_image())
    np.testing.assert_allclose(depth, truth, rtol=1e-3, atol=1e-4)


def test_metric_depth_is_inverted(tmp_path: Path) -> None:
    folder = write_depth_anything(tmp_path, "metric")
    depth_m = as_documented(folder, make_image())
    inverse = DptEstimator(folder, CPU, "float32").estimate(make_image())
    np.testing.assert_allclose(1 / inverse, np.maximum(depth_m, 1e-2), rtol=1e-4, atol=1e-4)
    assert depth_m.std() > 0.01 * depth_m.mean()
    assert inverse.flat[depth_m.argmin()] == inverse.max()


def test_the_field_of_view_that_a_model_sees_is_steady(tmp_path: Path) -> None:
    estimator = DptEstimator(write_depth_anything(tmp_path, "metric"), torch.device("cpu"))
    estimator.estimate(np.zeros((40, 60, 3), np.uint8))
    assert estimator.fov_deg is None, "this one sees none"

    class Sees:
        def post_process_depth_estimation(self, outputs: Any, **sizes: Any) -> list[dict[str, torch.Tensor]]:
            return [{"predicted_depth": outputs.predicted_depth[0], "field_of_view": next(seen)}]

    seen = iter([torch.tensor(60.0), torch.tensor([70.0])])
    processor, estimator._own_post_processing = estimator._processor, "target_sizes"
    estimator._processor = lambda **inputs: processor(**inputs)
    estimator._processor.post_process_depth_estimation = Sees().post_process_depth_estimation
    fovs_deg = []
    for _ in range(2):
        estimator.estimate(np.zeros((40, 60, 3), np.uint8))
        fovs_deg.append(estimator.fov_deg)
    assert fovs_deg == [pytest.approx(60.0), pytest.approx(61.0)]


def test_name(tmp_path: Path) -> None:
    folder = write_small_dpt(tmp_path)
    assert DptEstimator(folder, CPU).name == str(folder)
    assert DptEstimator(folder, CPU, name="mine").name == "mine"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("Intel/dpt-large", r"streamer models pull Intel/dpt-large.* brings https://.*dpt-large to .*hub"),
        ("runs/mine", r"neither a folder runs/mine nor such a model in .*: check the path, or run .*pull runs/mine"),
        ("./nowhere", r"There is no folder \./nowhere: check its path"),
        ("dpt", "There is no folder dpt: check its path"),
    ],
)
def test_missing_models_say_what_to_do(model: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        DptEstimator(model, CPU)


class _Code:
    """What makes a directory when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_weights_that_hold_code_are_refused_and_not_run(tmp_path: Path) -> None:
    write_small_dpt(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save({"w": _Code(tmp_path / "was-run")}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match="were refused, because they hold code"):
        DptEstimator(tmp_path, CPU)
    assert not (tmp_path / "was-run").exists()


def test_folders_that_lack_something(tmp_path: Path) -> None:
    write_small_dpt(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"lacks model\.safetensors"):
        DptEstimator(tmp_path, CPU)
    (tmp_path / "model.safetensors").write_bytes(b"not tensors")
    with pytest.raises(ModelError, match=r"is not a depth model that can be loaded"):
        DptEstimator(tmp_path, CPU)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelError, match="not a depth model"):
        DptEstimator(tmp_path, CPU)


@pytest.mark.parametrize(("name", "millions"), [("Intel/dpt-large", 343), ("Intel/dpt-hybrid-midas", 123)])
def test_random_models_have_the_official_sizes(name: str, millions: int) -> None:
    from transformers import DPTConfig

    with torch.device("meta"):
        model = DPTForDepthEstimation(DPTConfig(**DPT_SIZES[name]))
    assert sum(parameter.numel() for parameter in model.parameters()) / 1e6 == pytest.approx(millions, abs=1.5)
