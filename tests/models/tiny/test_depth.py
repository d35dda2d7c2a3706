"""The tiny DPT is transformers' class with the weights of its folder, loaded without transformers."""

from __future__ import annotations

from importlib.util import find_spec

import cv2
import numpy as np
import pytest
import torch
from transformers import AutoImageProcessor, DPTForDepthEstimation

from streamer.models.tiny.depth import TinyDepth, to_pixels
from streamer.models.tiny.weights import dpt_folder, load_dpt
from streamer.synthetic import SceneSource

CPU = torch.device("cpu")


def an_image(width: int, height: int) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 3)


@pytest.mark.parametrize("size", [(640, 360), (140, 90), (256, 256), (33, 700)])
def test_pixels_are_those_of_transformers_processor(size: tuple[int, int]) -> None:
    image = torch.from_numpy(an_image(*size)).permute(2, 0, 1)
    truth = AutoImageProcessor.from_pretrained(dpt_folder())(images=image, return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(to_pixels(image), truth, rtol=0, atol=1e-6)


def test_it_computes_what_transformers_class_does() -> None:
    pixels = to_pixels(torch.from_numpy(an_image(640, 360)).permute(2, 0, 1))
    with torch.inference_mode():
        truth = DPTForDepthEstimation.from_pretrained(dpt_folder()).eval()(pixels).predicted_depth
        depth = load_dpt()(pixels)
    torch.testing.assert_close(depth, truth, rtol=0, atol=1e-5 * float(truth.max() - truth.min()))


def test_depth_comes_at_the_size_of_the_image() -> None:
    depth = TinyDepth(load_dpt(), "tiny", CPU, "float32")
    assert depth.name == "tiny"
    assert depth.estimate(an_image(64, 48)).shape == (48, 64)


def test_bfloat16_is_close() -> None:
    image = SceneSource(size=(320, 240), frame_count=1, seed=4).read().image_rgb
    exact, rough = (TinyDepth(load_dpt(), "tiny", CPU, kind).estimate(image) for kind in ("float32", "bfloat16"))
    assert 0 < np.linalg.norm(exact - rough) / np.linalg.norm(exact) < 2e-2


@pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
def test_openvino_answers_as_torch_does() -> None:
    image = SceneSource(size=(320, 240), frame_count=1, seed=4).read().image_rgb
    ours, theirs = (TinyDepth(load_dpt(), "tiny", CPU, "float32", runtime=one) for one in ("openvino", "torch"))
    depth = theirs.estimate(image)
    np.testing.assert_allclose(ours.estimate(image), depth, rtol=0, atol=1e-5 * np.ptp(depth))
