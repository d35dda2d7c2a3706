"""Models of the official sizes with random weights: how long they run does not depend on the values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from segment_anything import sam_model_registry
from torch import nn
from transformers import DPTConfig, DPTForDepthEstimation, DPTImageProcessor
from transformers.utils import logging

from streamer.models.sam.mobile import build_mobile_sam

RANDOM_STD = 0.1
SAMS = ("vit_b", "vit_l", "vit_h", "vit_t")

# The sizes of Intel/dpt-large and Intel/dpt-hybrid-midas, where they differ from transformers' defaults.
DPT_SIZES: dict[str, dict[str, Any]] = {
    "Intel/dpt-large": {
        "hidden_size": 1024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "intermediate_size": 4096,
        "backbone_out_indices": [5, 11, 17, 23],
        "neck_hidden_sizes": [256, 512, 1024, 1024],
    },
    "Intel/dpt-hybrid-midas": {
        "is_hybrid": True,
        "neck_hidden_sizes": [256, 512, 768, 768],
        "reassemble_factors": [1, 1, 1, 0.5],
        "backbone_featmap_shape": [1, 1024, 24, 24],
    },
}


def make_random_checkpoint(model: str, path: Path, seed: int = 0) -> Path:
    """Write a checkpoint for vit_b, vit_l, vit_h or vit_t with random weights to ``path``, and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(random_sam(model, seed).state_dict(), path)
    return path


def make_random_dpt(name: str, folder: Path, seed: int = 0) -> Path:
    """Write a model of the size of ``Intel/dpt-large`` or ``Intel/dpt-hybrid-midas`` to ``folder``, and return it."""
    logging.disable_progress_bar()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = DPTForDepthEstimation(DPTConfig(**DPT_SIZES[name]))
        randomize_zeros(model)
    model.save_pretrained(folder)
    DPTImageProcessor(image_mean=[0.5] * 3, image_std=[0.5] * 3).save_pretrained(folder)
    return folder


def random_sam(model: str, seed: int = 0) -> Any:
    """A ``Sam`` (vit_b, vit_l, vit_h, vit_t) with random weights, relative positions included, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        sam = build_mobile_sam() if model == "vit_t" else sam_model_registry[model]()
        randomize_zeros(sam)
        _flatten_upscaling(sam.mask_decoder.output_upscaling)
    return sam


@torch.no_grad()
def _flatten_upscaling(upscaling: nn.Sequential) -> None:
    """Let each position bring the same to all pixels that are made of it.

    Masks of independent pixels fall into thousands of specks, and to find and draw their outlines takes several times
    as long as for the regions that a trained model gives.
    """
    for layer in upscaling:
        if isinstance(layer, nn.ConvTranspose2d):
            layer.weight.copy_(layer.weight.mean(dim=(2, 3), keepdim=True).expand_as(layer.weight))


def randomize_zeros(module: nn.Module) -> None:
    """Give random values, in place, to every parameter that is initialized to zero: they would hide mistakes."""
    for parameter in module.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=RANDOM_STD)
