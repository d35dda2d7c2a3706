"""Upstream's own classes at sizes that run in milliseconds, with random weights everywhere."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer
from transformers import DPTConfig, DPTForDepthEstimation, DPTImageProcessor

from streamer.models.weights.random_weights import randomize_zeros

# These models are too small to share between threads.
torch.set_num_threads(1)

SQUARE_PX = 256
WIDTH = 32


def small_encoder(
    image_px: int = SQUARE_PX, window: int = 6, heads: int = 4, rel_pos: bool = True, seed: int = 0
) -> ImageEncoderViT:
    """An image encoder of three blocks, the second of them global, whose weights are large enough to matter."""
    torch.manual_seed(seed)
    encoder = ImageEncoderViT(
        depth=3,
        embed_dim=16 * heads,
        img_size=image_px,
        num_heads=heads,
        use_rel_pos=rel_pos,
        global_attn_indexes=(1,),
        window_size=window,
        out_chans=WIDTH,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
    ).eval()
    randomize_zeros(encoder)
    for name, parameter in encoder.named_parameters():
        if parameter.ndim > 1:
            parameter.data.mul_(5 if "rel_pos" in name else 2)
    return encoder.requires_grad_(False)


def small_sam(seed: int = 0) -> Sam:
    """A whole SAM on squares of 256 pixels."""
    grid = SQUARE_PX // 16
    encoder = small_encoder(seed=seed)
    sam = Sam(
        encoder,
        PromptEncoder(WIDTH, (grid, grid), (SQUARE_PX, SQUARE_PX), mask_in_chans=16),
        MaskDecoder(
            transformer_dim=WIDTH, transformer=TwoWayTransformer(depth=2, embedding_dim=WIDTH, num_heads=4, mlp_dim=64)
        ),
    ).eval()
    for parameter in [*sam.prompt_encoder.parameters(), *sam.mask_decoder.parameters()]:
        torch.nn.init.normal_(parameter, std=0.4)
    return sam.requires_grad_(False)


def write_small_dpt(folder: Path, **settings: Any) -> Path:
    """A DPT for squares of 64 pixels, with its processor, as a folder."""
    torch.manual_seed(0)
    config = DPTConfig(
        hidden_size=48,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=96,
        image_size=64,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[16, 16, 16, 16],
        fusion_hidden_size=32,
        initializer_range=0.08,
    )
    model = DPTForDepthEstimation(config)
    randomize_zeros(model)
    model.head.head[4].weight.data.mul_(100)
    torch.nn.init.constant_(model.head.head[4].bias, 3.0)
    model.save_pretrained(folder)
    DPTImageProcessor(size={"height": 64, "width": 64}, **settings).save_pretrained(folder)
    return folder
