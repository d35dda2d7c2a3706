"""SAM 2's own files: every tensor finds its place, whatever the size."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import Sam2VideoModel

from streamer.errors import ModelError
from streamer.models import registry
from streamer.models.parameters import SegmenterParameters
from streamer.models.sam2 import checkpoint
from streamer.models.weights import checkpoints
from tests.small_promptable import sam2_config

SIZES = [(96, [1, 2, 7, 2]), (96, [1, 2, 11, 2]), (112, [2, 3, 16, 3]), (144, [2, 6, 36, 4])]
PARTS = ("weight", "bias")
POINTS = "prompt_encoder.point_embed.weight"


def upstream_names(blocks: int, with_proj: list[int], is_2_1: bool = True) -> list[str]:
    """The names in SAM 2's own checkpoints, from the structure of its modules."""
    with_parts = ["image_encoder.trunk.patch_embed.proj", "mask_downsample"]
    with_parts += [f"image_encoder.neck.convs.{i}.conv" for i in range(4)]
    for i in range(blocks):
        inner = ["norm1", "norm2", "attn.qkv", "attn.proj", "mlp.layers.0", "mlp.layers.1"]
        with_parts += [f"image_encoder.trunk.blocks.{i}.{name}" for name in inner + ["proj"] * (i in with_proj)]
    with_parts += [f"sam_prompt_encoder.mask_downscaling.{i}" for i in (0, 1, 3, 4, 6)]
    attention = [f"{part}_proj" for part in ("q", "k", "v", "out")]
    decoder = "sam_mask_decoder"
    for i in range(2):
        layer = f"{decoder}.transformer.layers.{i}"
        kinds = ("self_attn", "cross_attn_token_to_image", "cross_attn_image_to_token")
        with_parts += [f"{layer}.{kind}.{part}" for kind in kinds for part in attention]
        with_parts += [f"{layer}.norm{n}" for n in range(1, 5)] + [f"{layer}.mlp.layers.{n}" for n in range(2)]
    with_parts += [f"{decoder}.transformer.final_attn_token_to_image.{part}" for part in attention]
    with_parts += [f"{decoder}.transformer.norm_final_attn"]
    with_parts += [f"{decoder}.output_upscaling.{i}" for i in (0, 1, 3)] + [f"{decoder}.conv_s{i}" for i in range(2)]
    heads = [f"{decoder}.output_hypernetworks_mlps.{i}" for i in range(4)]
    heads += [f"{decoder}.iou_prediction_head", f"{decoder}.pred_obj_score_head", "obj_ptr_proj"]
    with_parts += [f"{head}.layers.{i}" for head in heads for i in range(3)]
    for i in range(4):
        layer = f"memory_attention.layers.{i}"
        with_parts += [f"{layer}.{kind}.{part}" for kind in ("self_attn", "cross_attn_image") for part in attention]
        with_parts += [f"{layer}.{name}" for name in ("linear1", "linear2", "norm1", "norm2", "norm3")]
    with_parts += ["memory_attention.norm"]
    with_parts += [f"memory_encoder.mask_downsampler.encoder.{i}" for i in (0, 1, 3, 4, 6, 7, 9, 10, 12)]
    with_parts += ["memory_encoder.pix_feat_proj", "memory_encoder.out_proj"]
    for i in range(2):
        inner = ("dwconv", "norm", "pwconv1", "pwconv2")
        with_parts += [f"memory_encoder.fuser.layers.{i}.{name}" for name in inner]
    names = [f"{name}.{part}" for name in with_parts for part in PARTS]
    names += [f"memory_encoder.fuser.layers.{i}.gamma" for i in range(2)]
    names += [f"image_encoder.trunk.{name}" for name in ("pos_embed", "pos_embed_window")]
    names += ["sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"]
    names += [f"sam_prompt_encoder.point_embeddings.{i}.weight" for i in range(4)]
    names += [f"sam_prompt_encoder.{name}.weight" for name in ("not_a_point_embed", "no_mask_embed")]
    names += [f"{decoder}.{name}.weight" for name in ("iou_token", "mask_tokens", "obj_score_token")]
    names += ["maskmem_tpos_enc", "no_mem_embed", "no_mem_pos_enc", "no_obj_ptr"]
    if is_2_1:
        names += ["no_obj_embed_spatial", "obj_ptr_tpos_proj.weight", "obj_ptr_tpos_proj.bias"]
    return names


@pytest.mark.parametrize(("width", "blocks"), SIZES)
@pytest.mark.parametrize("is_2_1", [True, False])
def test_every_name_of_every_size_finds_its_place(width: int, blocks: list[int], is_2_1: bool) -> None:
    ends = [sum(blocks[: i + 1]) for i in range(3)]
    names = upstream_names(sum(blocks), ends, is_2_1)
    weights: dict[str, Tensor] = {name: torch.zeros(1) for name in names}
    weights[checkpoint.PATCH_KEY] = torch.zeros(width, 3, 7, 7)
    with torch.device("meta"):
        model = Sam2VideoModel(checkpoint.config_of(weights, Path("x.pt")))
    assert set(checkpoint.renamed(weights)) == set(model.state_dict())


def small_weights() -> dict[str, Tensor]:
    """A small SAM 2.1 under its own names: what `renamed` turns into a small model of transformers."""
    torch.manual_seed(0)
    model = Sam2VideoModel(sam2_config())
    state = {name: torch.randn_like(value) * 0.05 for name, value in model.state_dict().items()}
    names = upstream_names(5, [1, 2, 4])
    weights = {}
    for name in names:
        here = next(iter(checkpoint.renamed({name: torch.zeros(1, 2)})))
        if here == POINTS:
            place = int(name.split(".")[2])
            weights[name] = state[POINTS][place : place + 1]
        elif here in state:
            weights[name] = state[here]
    return weights


def test_a_wrapped_file_becomes_a_segmenter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "config_of", lambda weights, path: sam2_config())
    path = tmp_path / "mine.pt"
    weights = small_weights()
    torch.save({"model": {f"module.{name}": value for name, value in weights.items()}, "epoch": 3}, path)
    segmenter = registry.load_segmenter(SegmenterParameters(model=str(path), precision="float32"), "cpu")
    state = segmenter.network.model.state_dict()  # type: ignore[attr-defined]
    for name, value in weights.items():
        here = next(iter(checkpoint.renamed({name: value})))
        if here != POINTS:
            found = state[here.replace("vision_encoder.", "vision_encoder.encoder.")]
            assert torch.equal(found, value), name
    with pytest.raises(ModelError, match="is a SAM 2, and only a SAM will do here"):
        checkpoints.load_sam(path)
    del weights["no_obj_ptr"]
    torch.save({"model": weights}, path)
    with pytest.raises(ModelError, match=r"not a whole checkpoint of its kind .*\(no_object_pointer missing\)"):
        registry.load_segmenter(SegmenterParameters(model=str(path)), "cpu")


def test_a_size_that_no_sam_2_has_is_refused() -> None:
    weights = {checkpoint.PATCH_KEY: torch.zeros(16, 3, 7, 7)}
    with pytest.raises(ModelError, match="an encoder of 16 channels and 0 blocks, which no SAM 2 has"):
        checkpoint.config_of(weights, Path("x.pt"))
