"""The tiny DPT as transformers has it: so it is trained and saved, and `streamer.models.tiny.dpt` computes the same."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file, save_file
from transformers import DPTConfig, DPTForDepthEstimation, DPTImageProcessor, TimmBackboneConfig

from streamer.models.tiny.backbone import BACKBONE, CHANNELS
from streamer.models.tiny.dpt import (
    FUSION_WIDTH,
    HEADS,
    IMAGE_SIZE_PX,
    INNER_WIDTH,
    LAYERS,
    NECK_WIDTH,
    PIXEL_MEAN,
    PIXEL_STD,
    STRIDE_PX,
    TAPPED_LAYERS,
    WIDTH,
)


def build_dpt() -> DPTForDepthEstimation:
    """A `DPTForDepthEstimation` for 256x256 squares, with random weights, in evaluation mode."""
    stride4, stride8, stride16, _ = CHANNELS
    grid = IMAGE_SIZE_PX // STRIDE_PX
    config = DPTConfig(
        is_hybrid=True,
        backbone_config=TimmBackboneConfig(backbone=BACKBONE, out_indices=[1, 2, 3], use_pretrained_backbone=False),
        backbone_featmap_shape=[1, stride16, grid, grid],
        image_size=IMAGE_SIZE_PX,
        hidden_size=WIDTH,
        intermediate_size=INNER_WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        backbone_out_indices=[0, 1, *TAPPED_LAYERS],
        reassemble_factors=[1, 1, 1, 0.5],
        neck_hidden_sizes=[stride4, stride8, NECK_WIDTH, NECK_WIDTH],
        neck_ignore_stages=[0, 1],
        fusion_hidden_size=FUSION_WIDTH,
        readout_type="project",
    )
    return DPTForDepthEstimation(config).eval()


def build_processor() -> DPTImageProcessor:
    """The preprocessing that goes with it: squeezed into a square, as for `Intel/dpt-hybrid-midas`."""
    return DPTImageProcessor(
        size={"height": IMAGE_SIZE_PX, "width": IMAGE_SIZE_PX},
        keep_aspect_ratio=False,
        ensure_multiple_of=32,
        image_mean=[PIXEL_MEAN] * 3,
        image_std=[PIXEL_STD] * 3,
    )


def save_dpt(dpt: DPTForDepthEstimation, folder: Path) -> None:
    """Write an ordinary model folder with weights in half precision, whose config asks for float32 when loaded."""
    dpt.save_pretrained(folder)
    build_processor().save_pretrained(folder)
    path = folder / "model.safetensors"
    state = {name: value.half() if value.is_floating_point() else value for name, value in load_file(path).items()}
    save_file(state, path, metadata={"format": "pt"})
