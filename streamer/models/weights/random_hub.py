"""Models of transformers at the sizes of those that have a name, with random weights: speed does not depend on them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers.utils import logging

from streamer.errors import ModelError
from streamer.models.names import unknown
from streamer.models.sam2.checkpoint import config_of_size
from streamer.models.weights.random_weights import DPT_SIZES, make_random_dpt, randomize_zeros

_SAM2_SIZES = {"tiny": (96, 12), "small": (96, 16), "base-plus": (112, 24), "large": (144, 48)}


def make_random_model(name: str, folder: Path, seed: int = 0) -> Path:
    """Write a model of the size of a named one to ``folder``, and return it.

    Raises:
        ModelError: Its sizes are not known here.
    """
    if name in DPT_SIZES:
        return make_random_dpt(name, folder, seed)
    if name not in _BUILDERS:
        raise unknown("model whose sizes are known here", name, [*DPT_SIZES, *_BUILDERS])
    logging.disable_progress_bar()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model, processor = _BUILDERS[name]()
        randomize_zeros(model)
    try:
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
    except OSError as error:
        raise ModelError(f"{folder} cannot be written ({error.strerror}): make room, or set STREAMER_CACHE.") from None
    return folder


def _sam2(size: str) -> tuple[Any, Any]:
    return transformers.Sam2VideoModel(config_of_size(*_SAM2_SIZES[size])), transformers.Sam2ImageProcessor()


def _edgetam() -> tuple[Any, Any]:
    return transformers.EdgeTamVideoModel(transformers.EdgeTamVideoConfig()), transformers.Sam2ImageProcessor()


def _sam3() -> tuple[Any, Any]:
    processor = transformers.Sam2ImageProcessor(size={"height": 1008, "width": 1008}, image_mean=[0.5] * 3)
    return transformers.Sam3TrackerVideoModel(transformers.Sam3TrackerVideoConfig()), processor


def _sam_hq() -> tuple[Any, Any]:
    return transformers.SamHQModel(transformers.SamHQConfig()), transformers.SamImageProcessor()


def _depth_anything(metric_m: int | None = None) -> tuple[Any, Any]:
    """The small one, with DINOv2's small encoder."""
    backbone = transformers.Dinov2Config(
        hidden_size=384,
        num_attention_heads=6,
        image_size=518,
        patch_size=14,
        out_features=["stage3", "stage6", "stage9", "stage12"],
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=384,
        neck_hidden_sizes=[48, 96, 192, 384],
        fusion_hidden_size=64,
        depth_estimation_type="relative" if metric_m is None else "metric",
        max_depth=metric_m,
    )
    processor = transformers.DPTImageProcessor(
        size={"height": 518, "width": 518},
        keep_aspect_ratio=True,
        ensure_multiple_of=14,
        image_mean=[0.485, 0.456, 0.406],
        image_std=[0.229, 0.224, 0.225],
    )
    return transformers.DepthAnythingForDepthEstimation(config), processor


def _glpn() -> tuple[Any, Any]:
    config = transformers.GLPNConfig(depths=[3, 8, 27, 3], hidden_sizes=[64, 128, 320, 512])
    return transformers.GLPNForDepthEstimation(config), transformers.GLPNImageProcessor()


_BUILDERS: dict[str, Callable[[], tuple[Any, Any]]] = {
    **{f"facebook/sam2.1-hiera-{size}": partial(_sam2, size) for size in _SAM2_SIZES},
    "yonigozlan/EdgeTAM-hf": _edgetam,
    "facebook/sam3": _sam3,
    "syscv-community/sam-hq-vit-base": _sam_hq,
    "depth-anything/Depth-Anything-V2-Small-hf": _depth_anything,
    "depth-anything/Depth-Anything-V2-Metric-Indoor-Small-hf": partial(_depth_anything, 20),
    "depth-anything/Depth-Anything-V2-Metric-Outdoor-Small-hf": partial(_depth_anything, 80),
    "vinvino02/glpn-nyu": _glpn,
    "vinvino02/glpn-kitti": _glpn,
}
