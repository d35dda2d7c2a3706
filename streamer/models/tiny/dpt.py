"""The tiny DPT: a hybrid like `Intel/dpt-hybrid-midas`, with EfficientNet-Lite0 in place of ResNet-50.

The same as transformers' ``DPTForDepthEstimation`` with the config of its folder, without what that never uses; so that
it can be loaded without transformers, which takes longer to import than this takes to load. It is trained as
transformers' own class (see `training`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.models.tiny.backbone import CHANNELS, EfficientNetLite0

IMAGE_SIZE_PX = 256
# What EfficientNet-Lite0 was trained with, as shares of 255.
PIXEL_MEAN = 127 / 255
PIXEL_STD = 128 / 255

STRIDE_PX = 16
WIDTH, INNER_WIDTH, HEADS, LAYERS = 192, 384, 4, 4
NECK_WIDTH, FUSION_WIDTH, HEAD_WIDTH = 64, 48, 32
TAPPED_LAYERS = (1, 3)
"""Places of the transformer's layers whose tokens become maps."""
_NAMES = (
    ("dpt.embeddings.backbone._backbone.", "backbone."),
    ("dpt.embeddings.", ""),
    ("dpt.encoder.layer.", "layers."),
    ("layernorm_before.", "norm1."),
    ("layernorm_after.", "norm2."),
    ("attention.output.dense.", "self_attn.out_proj."),
    ("intermediate.dense.", "linear1."),
    ("output.dense.", "linear2."),
    ("neck.reassemble_stage.readout_projects.2.0.", "tapped.0.readout."),
    ("neck.reassemble_stage.readout_projects.3.0.", "tapped.1.readout."),
    ("neck.reassemble_stage.layers.2.", "tapped.0."),
    ("neck.reassemble_stage.layers.3.", "tapped.1."),
    ("neck.convs.", "convs."),
    ("neck.fusion_stage.layers.", "fusion."),
    ("head.head.", "head."),
)
"""Parts of the names that transformers has for the weights, and ours."""


class Tapped(nn.Module):
    """Tokens ``(B, 1 + h * w, C)`` to a map ``(B, 64, h, w)``, or half of that: the paper's "reassemble"."""

    def __init__(self, halved: bool) -> None:
        super().__init__()
        self.readout = nn.Linear(2 * WIDTH, WIDTH)
        self.projection = nn.Conv2d(WIDTH, NECK_WIDTH, 1)
        self.resize = nn.Conv2d(NECK_WIDTH, NECK_WIDTH, 3, 2, 1) if halved else nn.Identity()

    def forward(self, tokens: Tensor, size: tuple[int, int]) -> Tensor:
        cells = tokens[:, 1:]
        with_readout = torch.cat([cells, tokens[:, :1].expand_as(cells)], dim=-1)
        maps = functional.gelu(self.readout(with_readout)).transpose(1, 2).unflatten(2, size)
        resized: Tensor = self.resize(self.projection(maps))
        return resized


class Residual(nn.Module):
    """Two convolutions beside a way around them."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution1 = nn.Conv2d(FUSION_WIDTH, FUSION_WIDTH, 3, padding=1)
        self.convolution2 = nn.Conv2d(FUSION_WIDTH, FUSION_WIDTH, 3, padding=1)

    def forward(self, maps: Tensor) -> Tensor:
        return self.convolution2(functional.relu(self.convolution1(functional.relu(maps)))) + maps


class Fusion(nn.Module):
    """What came so far with the next finer map, at twice the size; the coarsest map begins alone."""

    def __init__(self, first: bool) -> None:
        super().__init__()
        self.residual_layer1 = None if first else Residual()
        self.residual_layer2 = Residual()
        self.projection = nn.Conv2d(FUSION_WIDTH, FUSION_WIDTH, 1)

    def forward(self, fused: Tensor, finer: Tensor | None = None) -> Tensor:
        if self.residual_layer1 is not None:
            fused = fused + self.residual_layer1(finer)
        fused = functional.interpolate(self.residual_layer2(fused), scale_factor=2, mode="bilinear", align_corners=True)
        return self.projection(fused)


class TinyDpt(nn.Module):
    """``(B, 3, 256, 256)`` normalized pixels to ``(B, 256, 256)`` relative inverse depth, larger where nearer."""

    def __init__(self) -> None:
        super().__init__()
        stride4, stride8, stride16, _ = CHANNELS
        self.backbone = EfficientNetLite0((4, 8, 16))
        self.projection = nn.Conv2d(stride16, WIDTH, 1)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.position_embeddings = nn.Parameter(torch.zeros(1, 1 + (IMAGE_SIZE_PX // STRIDE_PX) ** 2, WIDTH))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                WIDTH, HEADS, INNER_WIDTH, 0.0, "gelu", layer_norm_eps=1e-12, batch_first=True, norm_first=True
            )
            for _ in range(LAYERS)
        )
        self.tapped = nn.ModuleList([Tapped(halved=False), Tapped(halved=True)])
        widths = (stride4, stride8, NECK_WIDTH, NECK_WIDTH)
        self.convs = nn.ModuleList(nn.Conv2d(width, FUSION_WIDTH, 3, padding=1, bias=False) for width in widths)
        self.fusion = nn.ModuleList(Fusion(first=at == 0) for at in range(len(widths)))
        self.head = nn.Sequential(
            nn.Conv2d(FUSION_WIDTH, FUSION_WIDTH // 2, 3, padding=1),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True),
            nn.Conv2d(FUSION_WIDTH // 2, HEAD_WIDTH, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(HEAD_WIDTH, 1, 1),
            nn.ReLU(),
        )

    def forward(self, pixels: Tensor) -> Tensor:
        stride4, stride8, stride16 = self.backbone(pixels)
        tokens = self.projection(stride16).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(tokens), -1, -1), tokens], dim=1) + self.position_embeddings
        maps, tapped = [stride4, stride8], iter(self.tapped)
        for at, layer in enumerate(self.layers):
            tokens = layer(tokens)
            if at in TAPPED_LAYERS:
                maps.append(next(tapped)(tokens, stride16.shape[-2:]))
        depth: Tensor = self.head(self._fused(maps))
        return depth[:, 0]

    def _fused(self, maps: Sequence[Tensor]) -> Tensor:
        """The maps, of four strides from fine to coarse, as one of stride 2: ``(B, 48, 128, 128)``."""
        *finer, fused = [conv(one) for conv, one in zip(self.convs, maps, strict=True)]
        for fusion, one in zip(self.fusion, (None, *reversed(finer)), strict=True):
            fused = fusion(fused, one)
        return fused


def renamed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of transformers' class under the names of `TinyDpt`, and whatever else there is."""
    ours = {}
    for name, value in weights.items():
        for theirs, own in _NAMES:
            name = name.replace(theirs, own)
        ours[name] = value
    for at in range(LAYERS):
        for kind in ("weight", "bias"):
            parts = [ours.pop(f"layers.{at}.attention.attention.{part}.{kind}") for part in ("query", "key", "value")]
            ours[f"layers.{at}.self_attn.in_proj_{kind}"] = torch.cat(parts)
    return ours
