"""What the tiny detector sees with: ImageNet's own EfficientNet-Lite0, its classifier, and a head for COCO's names."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.models.tiny.backbone import CHANNELS, EfficientNetLite0, fold_batch_norms

COCO_CLASSES, IMAGENET_CLASSES = 80, 1000
STRIDE_PX = 16
SIDE_PX = 896
"""Long side of the image that it is shown: more than SAM sees, since small things are worth naming as well, and more
than the 640 px of the photographs that the heads learnt from, which finds more of the small ones."""
WIDTH, NAME_WIDTH = 160, 192
IMAGENET_WIDTH = 1280
IMAGENET_RANK = 96
"""Of the classifier's matrix: kept of 1,000, the rest says next to nothing about photographs."""
IMAGE_RANK = 10
"""Of what the whole image adds: of 16, 10 and 8 all name 48 photographs as well as the full matrix."""
KNOWN_SCALE = 0.25
"""Brings what the classifier makes of the maps to the size of the maps."""
_PRIOR_LOGIT = -4.6
"""Of each name at each cell before anything was learnt: a probability of 0.01 (Lin et al., 2017, "Focal loss", 4.1)."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is at every cell of stride 16 of one or more images.

    Attributes:
        coco: ``(B, 80, h, w)`` logits, one for each of COCO's names.
        imagenet: ``(B, 1000, h/2, w/2)`` logits of ImageNet's classifier, at stride 32.
        sides: ``(B, 4, h, w)`` distances from the middle of the cell to the left, top, right and bottom side of the
            thing that it lies on [px of the input].
        trust: ``(B, h, w)`` logits of the IoU that the box of these sides is expected to have with the true one.
    """

    coco: Tensor
    imagenet: Tensor
    sides: Tensor
    trust: Tensor


def build_word_backbone() -> nn.Module:
    """EfficientNet-Lite0 with its maps of strides 16 and 32 [px]; its batch norms are not folded yet."""
    return EfficientNetLite0((16, 32))


class Around(nn.Module):
    """What lies around a cell, added to what it shows."""

    def __init__(self, kernel_px: int, width: int = WIDTH) -> None:
        super().__init__()
        self.around = nn.Conv2d(width, width, kernel_px, padding=kernel_px // 2, groups=width)
        self.mix = nn.Conv2d(width, width, 1)

    def forward(self, cells: Tensor) -> Tensor:
        return cells + functional.gelu(self.mix(self.around(cells)))


class CocoHead(nn.Module):
    """Names and sides at every cell, as FCOS has them (Tian et al., 2019), from frozen maps of strides 16 and 32.

    What ImageNet's classifier makes of the maps is known to it as well: that is nearer to names than the maps are.
    """

    def __init__(self) -> None:
        super().__init__()
        _, _, stride16, stride32 = CHANNELS
        self.from_stride16 = nn.Conv2d(stride16, WIDTH, 1)
        self.from_stride32 = nn.Conv2d(stride32, WIDTH, 1, bias=False)
        self.from_known = nn.Conv2d(IMAGENET_RANK, WIDTH, 1, bias=False)
        self.from_image = _of_image(IMAGENET_RANK, WIDTH)
        self.shared = Around(5)
        self.of_names = Around(5)
        self.of_sides = nn.Sequential(Around(7), Around(7))
        self.drop = nn.Dropout2d(0.2)
        self.classify = nn.Conv2d(WIDTH, COCO_CLASSES, 1)
        self.measure = nn.Conv2d(WIDTH, 4, 1)
        self.trust = nn.Conv2d(WIDTH, 1, 1)
        nn.init.constant_(self.classify.bias, _PRIOR_LOGIT)  # type: ignore[arg-type]
        nn.init.constant_(self.measure.bias, 1.0)  # type: ignore[arg-type]

    def forward(self, stride16: Tensor, stride32: Tensor, known: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What there is at every cell of stride 16.

        Args:
            stride16: ``(B, 112, h, w)``.
            stride32: ``(B, 320, h/2, w/2)``.
            known: ``(B, 96, h/2, w/2)`` of `ImageNetHead.known`.

        Returns:
            ``(B, 80, h, w)`` logits of names, ``(B, 4, h, w)`` sides [px], ``(B, h, w)`` logits of their expected IoU.
        """
        known = known * KNOWN_SCALE
        coarse = _enlarged(self.from_stride32(stride32) + self.from_known(known), stride16)
        image = self.from_image(known.mean((2, 3)))[..., None, None]
        cells = self.shared(functional.gelu(self.from_stride16(stride16) + coarse + image))
        boxes = self.of_sides(cells)
        sides = STRIDE_PX * self.measure(boxes).float().clamp(max=5.0).exp()
        return self.classify(self.drop(self.of_names(cells))), sides, self.trust(boxes)[:, 0]


class NameHead(nn.Module):
    """Names alone, from the maps alone: a second opinion, which is wrong about other things than the first."""

    def __init__(self) -> None:
        super().__init__()
        _, _, stride16, stride32 = CHANNELS
        self.from_stride16 = nn.Conv2d(stride16, NAME_WIDTH, 1)
        self.from_stride32 = nn.Conv2d(stride32, NAME_WIDTH, 1, bias=False)
        self.from_image = _of_image(stride32, NAME_WIDTH)
        self.around = Around(5, NAME_WIDTH)
        self.drop = nn.Dropout2d(0.2)
        self.classify = nn.Conv2d(NAME_WIDTH, COCO_CLASSES, 1)
        nn.init.constant_(self.classify.bias, _PRIOR_LOGIT)  # type: ignore[arg-type]

    def forward(self, stride16: Tensor, stride32: Tensor) -> Tensor:
        """``(B, 80, h, w)`` logits from ``(B, 112, h, w)`` and ``(B, 320, h/2, w/2)``."""
        coarse = _enlarged(self.from_stride32(stride32), stride16)
        image = self.from_image(stride32.mean((2, 3)))[..., None, None]
        return self.classify(self.drop(self.around(functional.gelu(self.from_stride16(stride16) + coarse + image))))


class CocoHeads(nn.Module):
    """Both opinions about COCO's names."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = CocoHead(), NameHead()

    def forward(self, stride16: Tensor, stride32: Tensor, known: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `CocoHead`, but with ``(2, B, 80, h, w)`` logits of names."""
        names, sides, trust = self.first(stride16, stride32, known)
        return torch.stack([names, self.second(stride16, stride32)]), sides, trust


def _of_image(channels: int, width: int) -> nn.Module:
    """What the whole image adds to every cell."""
    return nn.Sequential(nn.Linear(channels, IMAGE_RANK, bias=False), nn.Linear(IMAGE_RANK, width, bias=False))


def _enlarged(coarse: Tensor, stride16: Tensor) -> Tensor:
    return functional.interpolate(coarse, stride16.shape[-2:], mode="bilinear", align_corners=False)


class ImageNetHead(nn.Module):
    """The classifier as it was trained, asked at every cell instead of once for the image, its matrix of lower rank."""

    def __init__(self) -> None:
        super().__init__()
        self.expand = nn.Conv2d(CHANNELS[-1], IMAGENET_WIDTH, 1)
        self.reduce = nn.Conv2d(IMAGENET_WIDTH, IMAGENET_RANK, 1, bias=False)
        self.classify = nn.Conv2d(IMAGENET_RANK, IMAGENET_CLASSES, 1)

    def known(self, stride32: Tensor) -> Tensor:
        """``(B, 96, h, w)``, of which the logits are made, from ``(B, 320, h, w)``."""
        return self.reduce(functional.relu6(self.expand(stride32)))

    def forward(self, stride32: Tensor) -> Tensor:
        """``(B, 1000, h, w)`` logits from ``(B, 320, h, w)``."""
        return self.classify(self.known(stride32))


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
        self.coco_heads = CocoHeads()
        self.imagenet_head = ImageNetHead()
        self.register_buffer("coco_thresholds", torch.zeros(COCO_CLASSES))
        self.register_buffer("word_thresholds", torch.zeros(words))

    def forward(self, pixels: Tensor) -> Seen:
        stride16, stride32 = self.backbone(pixels.contiguous(memory_format=torch.channels_last))
        known = self.imagenet_head.known(stride32)
        names, sides, trust = self.coco_heads(stride16, stride32, known)
        return Seen(names.mean(0), self.imagenet_head.classify(known), sides, trust)
