"""The tiny SAM: a prompt encoder and a mask decoder derived from upstream's, behind a small image encoder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.models.sam.detail import DetailMaskDecoder, pack
from streamer.models.sam.networks import LayerNorm2d, Sam, TwoWayTransformer
from streamer.models.sam.painting import PaintingPromptEncoder
from streamer.models.tiny.backbone import CHANNELS, EfficientNetLite0, fold_batch_norms

IMAGE_SIZE_PX = 512
EMBEDDING_STRIDE_PX = 16
WIDTH = 128
# Upstream draws all frequencies of the positions from one normal distribution. Spread from a tenth to one and a half
# of that, they tell both which side of a box something is on and which cell was clicked.
POSITION_FREQUENCIES = torch.logspace(-0.8, 0.2, WIDTH // 2)
# What EfficientNet-Lite0 was trained with.
PIXEL_MEAN = [127.0, 127.0, 127.0]
PIXEL_STD = [128.0, 128.0, 128.0]


class GlobalContext(nn.Module):
    """One pre-norm self-attention block over all positions of a ``(B, C, h, w)`` map."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.block = nn.TransformerEncoderLayer(
            width, heads, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )

    def forward(self, features: Tensor) -> Tensor:
        tokens = features.flatten(2).transpose(1, 2)
        return self.block(tokens).transpose(1, 2).reshape(features.shape)


class TinyImageEncoder(nn.Module):
    """``(B, 3, H, W)`` normalized pixels, sides multiples of 32, to a ``(B, 512, H/16, W/16)`` embedding.

    Made for squares of ``img_size`` [px]; what lies beyond the image may be left out.

    Four strides of the backbone meet at stride 16 in its first 128 channels; the coarsest one attends to the whole
    image first. The others hold maps of strides 8 and 4 for the mask decoder (see `streamer.models.sam.detail`).
    """

    multiple_px = 32

    def __init__(self, img_size: int = IMAGE_SIZE_PX) -> None:
        super().__init__()
        self.img_size = img_size
        self.backbone = EfficientNetLite0()
        fold_batch_norms(self.backbone)
        stride4, stride8, stride16, stride32 = CHANNELS
        self.from_stride4 = nn.Conv2d(16 * stride4, WIDTH, 1)
        self.from_stride8 = nn.Conv2d(4 * stride8, WIDTH, 1)
        self.from_stride16 = nn.Conv2d(stride16, WIDTH, 1)
        self.from_stride32 = nn.Conv2d(stride32, WIDTH, 1)
        self.context = GlobalContext(WIDTH, heads=4)
        self.mix = nn.Sequential(
            LayerNorm2d(WIDTH), nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.GELU(), nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        )
        self.norm = LayerNorm2d(WIDTH)
        self.detail8 = nn.Conv2d(stride8, WIDTH // 4, 3, padding=1)
        self.detail4 = nn.Conv2d(stride4, WIDTH // 8, 3, padding=1)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.fuse(self.backbone(pixels.contiguous(memory_format=torch.channels_last)))

    def fuse(self, maps: Sequence[Tensor]) -> Tensor:
        """The embedding from the backbone's maps of strides 4, 8, 16 and 32 [px]."""
        stride4, stride8, stride16, stride32 = maps
        coarse = self.context(self.from_stride32(stride32))
        fused = (
            self.from_stride4(functional.pixel_unshuffle(stride4, 4))
            + self.from_stride8(functional.pixel_unshuffle(stride8, 2))
            + self.from_stride16(stride16)
            + functional.interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)
        )
        image = self.norm(fused + self.mix(fused))
        return torch.cat([image, pack(self.detail8(stride8), self.detail4(stride4))], dim=1)


def build_sam(img_size: int = IMAGE_SIZE_PX) -> Sam:
    """A `Sam` for squares of ``img_size`` [px] (a multiple of 32) with random weights, in evaluation mode.

    The weights do not depend on ``img_size``; its low-resolution logits are ``(img_size / 4)`` squared.
    """
    grid = img_size // EMBEDDING_STRIDE_PX
    prompt_encoder = PaintingPromptEncoder(
        embed_dim=WIDTH, image_embedding_size=(grid, grid), input_image_size=(img_size, img_size), mask_in_chans=16
    )
    prompt_encoder.pe_layer.positional_encoding_gaussian_matrix *= POSITION_FREQUENCIES
    sam = Sam(
        image_encoder=TinyImageEncoder(img_size),
        prompt_encoder=prompt_encoder,
        mask_decoder=DetailMaskDecoder(
            num_multimask_outputs=3,
            transformer=TwoWayTransformer(depth=2, embedding_dim=WIDTH, mlp_dim=512, num_heads=4),
            transformer_dim=WIDTH,
            iou_head_depth=3,
            iou_head_hidden_dim=WIDTH,
        ),
        pixel_mean=PIXEL_MEAN,
        pixel_std=PIXEL_STD,
    )
    return sam.eval()
