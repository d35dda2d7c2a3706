"""The real classes of transformers at sizes that run in milliseconds, with random weights everywhere, as folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    EdgeTamVideoConfig,
    EdgeTamVideoModel,
    EdgeTamVisionConfig,
    Sam2HieraDetConfig,
    Sam2ImageProcessor,
    Sam2VideoConfig,
    Sam2VideoModel,
    Sam2VisionConfig,
    Sam3TrackerVideoConfig,
    Sam3TrackerVideoModel,
    Sam3VisionConfig,
    Sam3ViTConfig,
    SamHQConfig,
    SamHQModel,
    SamImageProcessor,
    TimmWrapperConfig,
)

from streamer.models.weights.random_weights import randomize_zeros

torch.set_num_threads(1)

SIDE_PX, WIDTH = 128, 128

HIERA = {
    "hidden_size": 16,
    "image_size": [SIDE_PX, SIDE_PX],
    "blocks_per_stage": [1, 1, 2, 1],
    "embed_dim_per_stage": [16, 32, 64, 128],
    "num_attention_heads_per_stage": [1, 1, 2, 2],
    "window_size_per_stage": [8, 4, 7, 4],
    "global_attention_blocks": [3],
}
MEMORY = {
    "memory_attention_hidden_size": WIDTH,
    "memory_encoder_hidden_size": WIDTH,
    "memory_encoder_output_channels": 64,
    "mask_downsampler_embed_dim": WIDTH,
    "memory_fuser_embed_dim": WIDTH,
    "memory_fuser_intermediate_dim": 64,
    "memory_attention_num_layers": 2,
}


def sam2_config(**changes: Any) -> Sam2VideoConfig:
    """Of a SAM 2.1 for squares of 128 pixels."""
    vision = Sam2VisionConfig(
        backbone_config=Sam2HieraDetConfig(**HIERA),
        backbone_channel_list=[128, 64, 32, 16],
        backbone_feature_sizes=_sizes(SIDE_PX, 16),
        fpn_hidden_size=WIDTH,
    )
    return Sam2VideoConfig(
        vision_config=vision,
        image_size=SIDE_PX,
        **_heads(SIDE_PX, 16),
        **MEMORY,
        memory_attention_feed_forward_hidden_size=64,
        memory_attention_rope_feat_sizes=[SIDE_PX // 16] * 2,
        enable_temporal_pos_encoding_for_object_pointers=True,
        enable_occlusion_spatial_embedding=True,
        **changes,
    )


def write_small_sam2(folder: Path, **changes: Any) -> Path:
    return _write(Sam2VideoModel, sam2_config(**changes), Sam2ImageProcessor(size=_square(SIDE_PX)), folder)


def write_small_edgetam(folder: Path) -> Path:
    """With the smallest RepViT that there is."""
    backbone = TimmWrapperConfig(
        architecture="repvit_m0_9",
        model_args={"in_chans": 3, "features_only": True, "out_indices": [0, 1, 2, 3]},
        do_pooling=False,
    )
    vision = EdgeTamVisionConfig(
        backbone_config=backbone,
        backbone_channel_list=[384, 192, 96, 48],
        backbone_feature_sizes=_sizes(SIDE_PX, 16),
        fpn_hidden_size=WIDTH,
    )
    config = EdgeTamVideoConfig(
        vision_config=vision,
        image_size=SIDE_PX,
        **_heads(SIDE_PX, 16),
        **MEMORY,
        memory_attention_mlp_hidden_size=64,
        memory_attention_rope_feat_sizes=[SIDE_PX // 16] * 2,
        memory_attention_rope_k_sizes=[4, 4],
        perceiver_resampler_num_latents=16,
        perceiver_resampler_num_latents_2d=16,
        perceiver_resampler_hidden_size=64,
        perceiver_resampler_mlp_intermediate_size=32,
        perceiver_resampler_attention_head_dim=64,
    )
    return _write(EdgeTamVideoModel, config, Sam2ImageProcessor(size=_square(SIDE_PX)), folder)


def write_small_sam3(folder: Path) -> Path:
    """SAM 3's tracker, on squares of 112 pixels in patches of 14."""
    side_px = 112
    backbone = Sam3ViTConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=side_px,
        window_size=4,
        global_attn_indexes=[1],
        pretrain_image_size=56,
    )
    vision = Sam3VisionConfig(
        backbone_config=backbone, fpn_hidden_size=WIDTH, backbone_feature_sizes=_sizes(side_px, 14)
    )
    config = Sam3TrackerVideoConfig(
        vision_config=vision,
        image_size=side_px,
        **_heads(side_px, 14),
        **MEMORY,
        memory_attention_feed_forward_hidden_size=64,
    )
    processor = Sam2ImageProcessor(size=_square(side_px), image_mean=[0.5] * 3, image_std=[0.5] * 3)
    return _write(Sam3TrackerVideoModel, config, processor, folder)


def write_small_sam_hq(folder: Path) -> Path:
    config = SamHQConfig(
        vision_config={
            "hidden_size": 32,
            "output_channels": WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": SIDE_PX,
            "patch_size": 16,
            "window_size": 3,
            "global_attn_indexes": [1],
            "mlp_dim": 64,
            "num_pos_feats": WIDTH // 2,
        },
        prompt_encoder_config={
            "hidden_size": WIDTH,
            "image_size": SIDE_PX,
            "patch_size": 16,
            "image_embedding_size": SIDE_PX // 16,
        },
        mask_decoder_config={
            "hidden_size": WIDTH,
            "mlp_dim": 64,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": WIDTH,
            "vit_dim": 32,
        },
    )
    processor = SamImageProcessor(size={"longest_edge": SIDE_PX}, pad_size=_square(SIDE_PX))
    return _write(SamHQModel, config, processor, folder)


WRITERS = {
    "sam2": write_small_sam2,
    "edgetam": write_small_edgetam,
    "sam3": write_small_sam3,
    "sam_hq": write_small_sam_hq,
}


def _heads(side_px: int, patch_px: int) -> dict[str, Any]:
    return {
        "prompt_encoder_config": {"hidden_size": WIDTH, "image_size": side_px, "patch_size": patch_px},
        "mask_decoder_config": {
            "hidden_size": WIDTH,
            "mlp_dim": 64,
            "num_attention_heads": 2,
            "iou_head_hidden_dim": WIDTH,
        },
    }


def _sizes(side_px: int, patch_px: int) -> list[list[int]]:
    return [[side_px // patch_px * factor] * 2 for factor in (4, 2, 1)]


def _square(side_px: int) -> dict[str, int]:
    return {"height": side_px, "width": side_px}


@torch.no_grad()
def _write(kind: type, config: Any, processor: Any, folder: Path) -> Path:
    """Weights are large enough for prompts to matter."""
    torch.manual_seed(0)
    model = kind(config).eval()
    randomize_zeros(model)
    for part in (model.prompt_encoder, model.mask_decoder):
        for parameter in part.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    if hasattr(model.mask_decoder, "pred_obj_score_head"):
        model.mask_decoder.pred_obj_score_head.proj_out.bias.fill_(5)  # whatever it follows is there
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
