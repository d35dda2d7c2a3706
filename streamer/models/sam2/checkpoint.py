"""SAM 2's own checkpoints as transformers' ``Sam2VideoModel``: other names for the same tensors.

Only the sizes of the image encoder differ between the four models; they are read off the weights, so that a fine-tuned
checkpoint under any name is recognized.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import Sam2HieraDetConfig, Sam2VideoConfig, Sam2VideoModel, Sam2VisionConfig

from streamer.errors import ModelError
from streamer.models.weights.pretrained import from_weights

TRUNK = "image_encoder.trunk."
PATCH_KEY = f"{TRUNK}patch_embed.proj.weight"

# Of the official configs (facebookresearch/sam2, sam2/configs), by the encoder's width: blocks per stage, blocks of
# global attention, windows per stage, side of the window of the position embedding.
_HIERA: dict[tuple[int, int], dict[str, Any]] = {
    (96, 12): {"blocks_per_stage": [1, 2, 7, 2], "global_attention_blocks": [5, 7, 9]},
    (96, 16): {"blocks_per_stage": [1, 2, 11, 2], "global_attention_blocks": [7, 10, 13]},
    (112, 24): {
        "blocks_per_stage": [2, 3, 16, 3],
        "global_attention_blocks": [12, 16, 20],
        "window_positional_embedding_background_size": [14, 14],
        "num_attention_heads_per_stage": [2, 4, 8, 16],
    },
    (144, 48): {
        "blocks_per_stage": [2, 6, 36, 4],
        "global_attention_blocks": [23, 33, 43],
        "window_size_per_stage": [8, 4, 16, 8],
        "num_attention_heads_per_stage": [2, 4, 8, 16],
    },
}

_NAMES: tuple[tuple[str, str], ...] = (
    (r"^image_encoder\.trunk\.patch_embed\.proj\.", "vision_encoder.backbone.patch_embed.projection."),
    (r"^image_encoder\.trunk\.", "vision_encoder.backbone."),
    (r"^image_encoder\.neck\.convs\.(\d+)\.conv\.", r"vision_encoder.neck.convs.\1."),
    (
        r"^sam_prompt_encoder\.pe_layer\.positional_encoding_gaussian_matrix",
        "prompt_encoder.shared_embedding.positional_embedding",
    ),
    (r"^sam_prompt_encoder\.mask_downscaling\.0\.", "prompt_encoder.mask_embed.conv1."),
    (r"^sam_prompt_encoder\.mask_downscaling\.1\.", "prompt_encoder.mask_embed.layer_norm1."),
    (r"^sam_prompt_encoder\.mask_downscaling\.3\.", "prompt_encoder.mask_embed.conv2."),
    (r"^sam_prompt_encoder\.mask_downscaling\.4\.", "prompt_encoder.mask_embed.layer_norm2."),
    (r"^sam_prompt_encoder\.mask_downscaling\.6\.", "prompt_encoder.mask_embed.conv3."),
    (r"^sam_prompt_encoder\.", "prompt_encoder."),
    (r"^sam_mask_decoder\.output_upscaling\.0\.", "mask_decoder.upscale_conv1."),
    (r"^sam_mask_decoder\.output_upscaling\.1\.", "mask_decoder.upscale_layer_norm."),
    (r"^sam_mask_decoder\.output_upscaling\.3\.", "mask_decoder.upscale_conv2."),
    (r"^sam_mask_decoder\.", "mask_decoder."),
    (r"^memory_encoder\.mask_downsampler\.encoder\.12\.", "memory_encoder.mask_downsampler.final_conv."),
    (r"^memory_encoder\.pix_feat_proj\.", "memory_encoder.feature_projection."),
    (r"^memory_encoder\.fuser\.", "memory_encoder.memory_fuser."),
    (r"^memory_encoder\.out_proj\.", "memory_encoder.projection."),
    (r"^maskmem_tpos_enc", "memory_temporal_positional_encoding"),
    (r"^no_mem_embed", "no_memory_embedding"),
    (r"^no_mem_pos_enc", "no_memory_positional_encoding"),
    (r"^no_obj_ptr", "no_object_pointer"),
    (r"^no_obj_embed_spatial", "occlusion_spatial_embedding_parameter"),
    (r"^obj_ptr_proj\.", "object_pointer_proj."),
    (r"^obj_ptr_tpos_proj\.", "temporal_positional_encoding_projection_layer."),
    (r"\.dwconv\.", ".depthwise_conv."),
    (r"\.pwconv(\d)\.", r".pointwise_conv\1."),
    (r"\.gamma$", ".scale"),
    (r"\.out_proj\.", ".o_proj."),
    (r"\.norm(\d*)\.", r".layer_norm\1."),
    (r"\.norm_final_attn\.", ".layer_norm_final_attn."),
    # A perceptron of two layers has a way in and a way out; one of three has a layer in between.
    (r"\.mlp\.layers\.0\.", ".mlp.proj_in."),
    (r"\.mlp\.layers\.1\.", ".mlp.proj_out."),
    (r"(hypernetworks_mlps\.\d+|prediction_head|score_head|pointer_proj)\.layers\.0\.", r"\1.proj_in."),
    (r"(hypernetworks_mlps\.\d+|prediction_head|score_head|pointer_proj)\.layers\.1\.", r"\1.layers.0."),
    (r"(hypernetworks_mlps\.\d+|prediction_head|score_head|pointer_proj)\.layers\.2\.", r"\1.proj_out."),
)
_MASK_DOWNSAMPLER = re.compile(r"^memory_encoder\.mask_downsampler\.encoder\.(\d+)\.")
_POINT_EMBEDDING = re.compile(r"^prompt_encoder\.point_embeddings\.(\d)\.weight$")


def load_sam2(weights: dict[str, Tensor], path: Path) -> Any:
    """The ``Sam2VideoModel`` with the weights of a SAM 2 or 2.1, on the CPU in float32.

    Raises:
        ModelError: They are of a size that SAM 2 does not come in, or incomplete.
    """
    return from_weights(Sam2VideoModel, config_of(weights, path), renamed(weights), path)


def config_of(weights: dict[str, Tensor], path: Path) -> Sam2VideoConfig:
    """The sizes of a SAM 2, read off its weights.

    Raises:
        ModelError: SAM 2 does not come in this size.
    """
    width = len(weights[PATCH_KEY])
    blocks = len({key.split(".")[3] for key in weights if key.startswith(f"{TRUNK}blocks.")})
    if (width, blocks) not in _HIERA:
        raise ModelError(f"{path} holds an encoder of {width} channels and {blocks} blocks, which no SAM 2 has.")
    return config_of_size(width, blocks, is_2_1="no_obj_embed_spatial" in weights)


def config_of_size(width: int, blocks: int, is_2_1: bool = True) -> Sam2VideoConfig:
    """The config of a SAM 2 or 2.1 whose encoder begins with so many channels and has so many blocks."""
    widths = [width * factor for factor in (1, 2, 4, 8)]
    hiera = Sam2HieraDetConfig(hidden_size=width, embed_dim_per_stage=widths, **_HIERA[width, blocks])
    return Sam2VideoConfig(
        vision_config=Sam2VisionConfig(backbone_config=hiera, backbone_channel_list=widths[::-1]),
        enable_temporal_pos_encoding_for_object_pointers=is_2_1,
        enable_occlusion_spatial_embedding=is_2_1,
    )


def renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the names that transformers has for them."""
    named = {_renamed(key): value for key, value in weights.items()}
    points = {key: match for key in named if (match := _POINT_EMBEDDING.match(key))}
    rows = [named.pop(key) for key in sorted(points)]
    if rows:
        named["prompt_encoder.point_embed.weight"] = torch.cat(rows)
    positions = "prompt_encoder.shared_embedding.positional_embedding"
    if positions in named:
        named["shared_image_embedding.positional_embedding"] = named[positions]
    return named


def _renamed(key: str) -> str:
    for pattern, name in _NAMES:
        key = re.sub(pattern, name, key)
    # Convolution, norm and activation, three at a time.
    return _MASK_DOWNSAMPLER.sub(
        lambda match: (
            f"memory_encoder.mask_downsampler.layers.{int(match[1]) // 3}.{('conv', 'layer_norm')[int(match[1]) % 3]}."
        ),
        key,
    )
