"""What the tiny detector sees with: ImageNet's own EfficientNet-Lite0, its classifier, and a head for COCO's names."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.models.tiny.backbone import CHANNELS, EfficientNetLite0, fold_batch_norms

COCO_CLASSES, IMAGENET_CLASSES = 80, 1000
STRIDE_PX = 16
SIDE_PX = 640
"""Long side of the image that it is shown: more than SAM sees, since small things are worth naming as well."""
WIDTH = 192
IMAGENET_WIDTH = 1280
IMAGENET_RANK = 96
"""Of the classifier's matrix: kept of 1,000, the rest says next to nothing about photographs."""
_PRIOR = 0.01
"""Probability of each name at each cell before anything was learnt (Lin et al., 2017, "Focal loss", 4.1)."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is at every cell of stride 16 of one or more images.

    Attributes:
        coco: ``(B, 80, h, w)`` logits, one for each of COCO's names.
        imagenet: ``(B, 1000, h/2, w/2)`` logits of ImageNet's classifier, at stride 32.
        sides: ``(B, 4, h, w)`` distances from the middle of the cell to the left, top, right and bottom side of the
            thing that it lies on [px of the input].
    """

    coco: Tensor
    imagenet: Tensor
    sides: Tensor


def build_word_backbone() -> nn.Module:
    """EfficientNet-Lite0 with its maps of strides 16 and 32 [px]; its batch norms are not folded yet."""
    return EfficientNetLite0((16, 32))


class CocoHead(nn.Module):
    """Names and sides at every cell, as FCOS has them (Tian et al., 2019), from frozen maps of strides 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        _, _, stride16, stride32 = CHANNELS
        self.from_stride16 = nn.Conv2d(stride16, WIDTH, 1)
        self.from_stride32 = nn.Conv2d(stride32, WIDTH, 1, bias=False)
        self.from_image = nn.Linear(stride32, WIDTH, bias=False)
        self.around = nn.Conv2d(WIDTH, WIDTH, 5, padding=2, groups=WIDTH)
        self.mix = nn.Conv2d(WIDTH, WIDTH, 1)
        self.drop = nn.Dropout2d(0.2)
        self.classify = nn.Conv2d(WIDTH, COCO_CLASSES, 1)
        self.measure = nn.Conv2d(WIDTH, 4, 1)
        nn.init.constant_(self.classify.bias, -torch.log(torch.tensor((1 - _PRIOR) / _PRIOR)).item())  # type: ignore[arg-type]
        nn.init.constant_(self.measure.bias, 1.0)  # type: ignore[arg-type]

    def forward(self, stride16: Tensor, stride32: Tensor) -> tuple[Tensor, Tensor]:
        """``(B, 80, h, w)`` logits, ``(B, 4, h, w)`` sides [px]; from ``(B, 112, h, w)`` and ``(B, 320, h/2, w/2)``."""
        coarse = functional.interpolate(
            self.from_stride32(stride32), stride16.shape[-2:], mode="bilinear", align_corners=False
        )
        image = self.from_image(stride32.mean((2, 3)))[..., None, None]
        cells = functional.gelu(self.from_stride16(stride16) + coarse + image)
        cells = self.drop(cells + functional.gelu(self.mix(self.around(cells))))
        return self.classify(cells), STRIDE_PX * self.measure(cells).float().clamp(max=5.0).exp()


class ImageNetHead(nn.Module):
    """The classifier as it was trained, asked at every cell instead of once for the image, its matrix of lower rank."""

    def __init__(self) -> None:
        super().__init__()
        self.expand = nn.Conv2d(CHANNELS[-1], IMAGENET_WIDTH, 1)
        self.reduce = nn.Conv2d(IMAGENET_WIDTH, IMAGENET_RANK, 1, bias=False)
        self.classify = nn.Conv2d(IMAGENET_RANK, IMAGENET_CLASSES, 1)

    def forward(self, stride32: Tensor) -> Tensor:
        """``(B, 1000, h, w)`` logits from ``(B, 320, h, w)``."""
        return self.classify(self.reduce(functional.relu6(self.expand(stride32))))


class TinyWords(nn.Module):
    """``(B, 3, H, W)`` normalized pixels, sides multiples of 32, to what is `Seen`.

    Attributes:
        coco_thresholds: ``(80,)`` logits from which one of COCO's names is taken to be in a picture.
        word_thresholds: ``(W,)`` log-probabilities from which a word of the vocabulary is, as ImageNet sees it.
    """

    coco_thresholds: Tensor
    word_thresholds: Tensor

    def __init__(self, words: int) -> None:
        super().__init__()
        self.backbone = build_word_backbone()
        fold_batch_norms(self.backbone)
        self.coco_head = CocoHead()
        self.imagenet_head = ImageNetHead()
        self.register_buffer("coco_thresholds", torch.zeros(COCO_CLASSES))
        self.register_buffer("word_thresholds", torch.zeros(words))

    def forward(self, pixels: Tensor) -> Seen:
        stride16, stride32 = self.backbone(pixels.contiguous(memory_format=torch.channels_last))
        logits, sides = self.coco_head(stride16, stride32)
        return Seen(logits, self.imagenet_head(stride32), sides)
