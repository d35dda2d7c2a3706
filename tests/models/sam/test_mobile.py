from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from streamer.data.prompt import Prompt
from streamer.errors import ModelError
from streamer.models import registry
from streamer.models.parameters import SegmenterParameters
from streamer.models.sam import mobile
from streamer.models.weights import checkpoints
from streamer.models.weights.random_weights import randomize_zeros

SIDE_PX = 256


def upstream_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights under MobileSAM's own names, with what its checkpoint holds besides."""
    named = {"image_encoder.head.weight": torch.zeros(1000, 320), "image_encoder.norm_head.bias": torch.zeros(320)}
    for name, value in weights.items():
        name = name.replace("image_encoder.vit.", "image_encoder.").replace(".conv.weight", ".c.weight")
        name = name.replace("patch_embed.conv1.", "patch_embed.seq.0.").replace(
            "patch_embed.conv2.", "patch_embed.seq.2."
        )
        if ".stages." in name:
            stage, _, rest = name.partition(".stages.")[2].partition(".")
            before = int(stage) - rest.startswith("downsample.")
            name = f"image_encoder.layers.{before}.{rest}"
        named[name] = value
    named["image_encoder.layers.1.blocks.0.attn.attention_bias_idxs"] = torch.zeros(49, 49, dtype=torch.long)
    return named


def test_its_names_are_found_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    build = mobile.build_mobile_sam
    monkeypatch.setattr(mobile, "build_mobile_sam", lambda: build(SIDE_PX))
    torch.manual_seed(0)
    sam = build(SIDE_PX)
    randomize_zeros(sam)
    weights = upstream_names(sam.state_dict())
    assert "image_encoder.layers.0.downsample.conv1.c.weight" in weights
    path = tmp_path / "mobile_sam.pt"
    torch.save(weights, path)
    loaded = checkpoints.load_sam(path, "vit_t")
    for (name, ours), theirs in zip(loaded.state_dict().items(), sam.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs), name
    segmenter = registry.load_segmenter(SegmenterParameters(model=str(path), precision="float32"), "cpu")
    image = np.random.default_rng(0).integers(0, 256, (90, 140, 3), dtype=np.uint8)
    embedding = segmenter.encode(image)
    assert segmenter.features(embedding).shape == (11, 16, 256)
    decoded = segmenter.decode(embedding, [Prompt([(30, 20)]), Prompt(box=(10, 10, 60, 50))])
    assert segmenter.upscale(decoded.best()[0], (140, 90)).shape == (2, 90, 140)
    with pytest.raises(ModelError, match="holds vit_t, not vit_b"):
        checkpoints.load_sam(path, "vit_b")


def test_its_last_stage_keeps_the_resolution_of_sam() -> None:
    encoder = mobile.TinyVitEncoder(SIDE_PX).eval()
    with torch.inference_mode():
        assert encoder(torch.zeros(1, 3, SIDE_PX, SIDE_PX)).shape == (1, 256, SIDE_PX // 16, SIDE_PX // 16)
    # MobileSAM counts 10.13 millions with the encoder's classifier of a thousand names
    assert sum(parameter.numel() for parameter in mobile.build_mobile_sam().parameters()) == 9_808_452
