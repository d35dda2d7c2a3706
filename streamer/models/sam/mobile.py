"""MobileSAM (Zhang et al., 2023): SAM's prompt encoder and mask decoder behind TinyViT (Wu et al., ECCV 2022).

The encoder is timm's; MobileSAM's last stage does not halve the image again, and a neck as SAM's own follows it.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import timm
from torch import Tensor, nn

from streamer.models.sam.networks import LayerNorm2d, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

IMAGE_SIZE_PX = 1024
WIDTH = 256

# MobileSAM's names, which are those of TinyViT's authors, and timm's.
_NAMES = (
    (r"^patch_embed\.seq\.0\.", "patch_embed.conv1."),
    (r"^patch_embed\.seq\.2\.", "patch_embed.conv2."),
    (r"\.c\.weight$", ".conv.weight"),
)
_STAGE = re.compile(r"^layers\.(\d)\.")
_UNUSED = ("image_encoder.head.", "image_encoder.norm_head.")


class TinyVitEncoder(nn.Module):
    """``(B, 3, 1024, 1024)`` normalized pixels to a ``(B, 256, 64, 64)`` embedding."""

    def __init__(self, img_size: int = IMAGE_SIZE_PX) -> None:
        super().__init__()
        self.img_size = img_size
        vit: Any = timm.create_model("tiny_vit_5m_224", num_classes=0)
        vit.head = nn.Identity()
        vit.stages[3].downsample.conv2.conv.stride = (1, 1)
        self.vit = vit
        convolution = partial(nn.Conv2d, out_channels=WIDTH, bias=False)
        self.neck = nn.Sequential(
            convolution(vit.num_features, kernel_size=1),
            LayerNorm2d(WIDTH),
            convolution(WIDTH, kernel_size=3, padding=1),
            LayerNorm2d(WIDTH),
        )

    def forward(self, pixels: Tensor) -> Tensor:
        vit: Any = self.vit
        features: Tensor = self.neck(vit.forward_features(pixels))
        return features


def build_mobile_sam(img_size: int = IMAGE_SIZE_PX) -> Sam:
    """A ``Sam`` with TinyViT and random weights, float32, in evaluation mode."""
    grid = img_size // 16
    sam = Sam(
        image_encoder=TinyVitEncoder(img_size),
        prompt_encoder=PromptEncoder(WIDTH, (grid, grid), (img_size, img_size), mask_in_chans=16),
        mask_decoder=MaskDecoder(
            transformer_dim=WIDTH,
            transformer=TwoWayTransformer(depth=2, embedding_dim=WIDTH, num_heads=8, mlp_dim=2048),
        ),
    )
    return sam.eval()


def renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """MobileSAM's weights under the names that :func:`build_mobile_sam` has for them."""
    return {_renamed(key): value for key, value in weights.items() if _is_used(key)}


def _is_used(key: str) -> bool:
    """Not the classifier that the encoder was trained with, nor what follows from the sizes."""
    return not key.startswith(_UNUSED) and not key.endswith("attention_bias_idxs")


def _renamed(key: str) -> str:
    part, _, rest = key.partition(".")
    if part != "image_encoder" or rest.startswith(("neck.", "vit.")):  # ``vit.``: our own name already
        return key
    for pattern, name in _NAMES:
        rest = re.sub(pattern, name, rest)
    return f"image_encoder.vit.{_STAGE.sub(_stage, rest)}"


def _stage(match: re.Match[str]) -> str:
    """What ends a stage in MobileSAM begins the next one in timm."""
    following = match.string[match.end() :]
    stage = int(match[1]) + following.startswith("downsample.")
    return f"stages.{stage}."
