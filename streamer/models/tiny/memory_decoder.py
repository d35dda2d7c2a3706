"""From what was read of the memory to masks: the decoder of `streamer.models.tiny.memory`, and what goes into it.

Letters in shapes as there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.models.tiny.backbone import CHANNELS

STRIDE_PX = 16
LOGIT_STRIDE_PX = 4
CELLS = (STRIDE_PX // LOGIT_STRIDE_PX) ** 2  # mask cells of stride 4 in a cell of stride 16
TRUNK_WIDTH = 192
VALUE_WIDTH = 64
READOUT_WIDTH = VALUE_WIDTH + 2  # and the share of the cell that is this object, and that is another one
DECODER_WIDTHS = (96, 48, 24)  # at strides 16, 8, 4
STATISTICS = 6
TOLD_WIDTH = READOUT_WIDTH + 1 + CELLS + 1  # read-out, similarity, carried mask, whether there is one
DISTRACTOR_LOGITS = 4.0  # what a cell that another object filled speaks against this one


class Query(NamedTuple):
    """An image as the memory sees it.

    Attributes:
        key: ``(B, 64, h, w)``, of length 1 in every cell.
        trunk: ``(B, 192, h, w)``, what keys, values and masks are made from.
        stride8, stride4: As in `ImageFeatures`.
    """

    key: Tensor
    trunk: Tensor
    stride8: Tensor
    stride4: Tensor


class Carried(NamedTuple):
    """Masks that flow brought to the query.

    Attributes:
        masks: ``(B, K, 4h, 4w)``, 0 to 1.
        known: ``(B, K)``, 1 where there is one, else 0.
    """

    masks: Tensor
    known: Tensor


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of ``(N, C, h, w)``; quick where the channels lie beside each other in memory."""

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Residual(nn.Module):
    """Two 3x3 convolutions beside the identity, ``(N, width, h, w)`` to the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        return features + self.second(functional.gelu(self.first(self.norm(features))))


class MaskDecoder(nn.Module):
    """Read-out, query and carried mask to a mask of stride 4, whether it is there, and the IoU to expect.

    Attributes:
        faster: Draws instead of `draw`, where there is something that does; it wants the image once for each object.
    """

    faster: Callable[..., Sequence[Tensor]] | None = None

    def __init__(self) -> None:
        super().__init__()
        stride4, stride8, _, _ = CHANNELS
        wide, middle, narrow = DECODER_WIDTHS
        self.from_image = nn.Conv2d(TRUNK_WIDTH, wide, 1)
        self.from_memory = nn.Conv2d(TOLD_WIDTH, wide, 1)
        self.blocks = nn.Sequential(Residual(wide), Residual(wide))
        self.to8, self.skip8 = nn.Conv2d(wide, middle, 1), nn.Conv2d(stride8, middle, 1)
        self.block8 = Residual(middle)
        self.to4, self.skip4 = nn.Conv2d(middle, narrow, 1), nn.Conv2d(stride4, narrow, 1)
        self.block4 = Residual(narrow)
        self.mask = nn.Conv2d(narrow, 1, 3, padding=1)
        self.judge = nn.Sequential(nn.Linear(2 * wide + STATISTICS, 64), nn.GELU(), nn.Linear(64, 2))

    def forward(self, query: Query, readout: Tensor, similarity: Tensor, carried: Carried) -> tuple[Tensor, Tensor]:
        """Logits before the objects are set against each other ``(B, K, 4h, 4w)``, and the judgement ``(B, K, 2)``.

        Args:
            readout: ``(B, K, 66, h, w)``.
            similarity: ``(B, 1, h, w)`` cosine with the most similar memory cell.
        """
        images, objects = readout.shape[:2]
        known = carried.known[..., None, None, None].to(readout.dtype)
        masks = carried.masks.to(readout.dtype)[:, :, None] * known
        told = torch.cat(
            [
                readout.flatten(0, 1),
                similarity.to(readout.dtype).repeat_interleave(objects, dim=0),
                functional.pixel_unshuffle(masks.flatten(0, 1), 4),
                known.flatten(0, 1).expand(-1, -1, *readout.shape[-2:]),
            ],
            dim=1,
        )
        image = (query.trunk, query.stride8, query.stride4)
        if self.faster is None:
            logits, wide = self.draw(told, *image)
        else:
            logits, wide = self.faster(told, *(part.expand(len(told), -1, -1, -1) for part in image))
        logits = logits.float()
        statistics = _statistics(logits, similarity.repeat_interleave(objects, dim=0), carried)
        inside = functional.avg_pool2d(logits.detach().sigmoid(), 4).to(wide.dtype)
        pooled = (wide * inside).sum((2, 3)) / (inside.sum((2, 3)) + 1)
        judgement = self.judge(torch.cat([pooled, wide.amax((2, 3)), statistics.to(wide.dtype)], dim=1))
        return logits.unflatten(0, (images, objects))[:, :, 0], judgement.float().unflatten(0, (images, objects))

    def draw(self, told: Tensor, trunk: Tensor, stride8: Tensor, stride4: Tensor) -> tuple[Tensor, Tensor]:
        """Logits ``(N, 1, 4h, 4w)`` and what they were drawn from ``(N, 96, h, w)``; nearly all of the work.

        Args:
            told: ``(N, 84, h, w)``, what is known of each object; N is a multiple of the images.
            trunk, stride8, stride4: Of the images, as in `Query`.
        """

        def each(skip: Tensor) -> Tensor:
            return skip if len(skip) in (1, len(told)) else skip.repeat_interleave(len(told) // len(skip), dim=0)

        wide = self.blocks(self.from_memory(told) + each(self.from_image(trunk)))
        middle = self.block8(_enlarged(self.to8(wide)) + each(self.skip8(stride8)))
        narrow = self.block4(_enlarged(self.to4(middle)) + each(self.skip4(stride4)))
        return self.mask(functional.gelu(narrow)), wide


class Drawing(nn.Module):
    """A decoder's `draw` as a module of its own."""

    def __init__(self, decoder: MaskDecoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, told: Tensor, trunk: Tensor, stride8: Tensor, stride4: Tensor) -> tuple[Tensor, Tensor]:
        return self.decoder.draw(told, trunk, stride8, stride4)


def _enlarged(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)


def _statistics(logits: Tensor, similarity: Tensor, carried: Carried) -> Tensor:
    """``(N, 6)``: size, sharpness, best cell, familiarity, agreement with the carried mask, whether there is one."""
    inside = logits.detach().sigmoid()
    area = inside.sum((2, 3))
    sure = ((2 * inside - 1).abs() * inside).sum((2, 3)) / (area + 1)
    cells = functional.avg_pool2d(inside, 4)
    familiar = (cells * similarity).sum((2, 3)) / (cells.sum((2, 3)) + 0.1)
    masks, known = carried.masks.flatten(0, 1)[:, None].float(), carried.known.flatten()[:, None].float()
    shared = torch.minimum(inside, masks).sum((2, 3)) / (torch.maximum(inside, masks).sum((2, 3)) + 1)
    share = inside.mean((2, 3))
    return torch.cat([(share + 1e-4).log(), sure, cells.amax((2, 3)), familiar, shared * known, known], dim=1)


def set_apart(logits: Tensor, carried: Tensor) -> Tensor:
    """Let K objects share each cell: the logits of a softmax over them and a background whose logit is 0.

    As STM's soft aggregation does for probabilities. Things that look alike resemble the memory of each other; where
    they were tells them apart, so a cell that another object filled speaks against this one.

    Args:
        logits: ``(B, K, H, W)``, as is what comes of them.
        carried: ``(B, K, H, W)`` masks that flow brought here, 0 to 1; 0 where there is none. More than K are of
            objects that nothing is asked about.
    """
    if carried.shape[1] > 1:
        logits = logits - DISTRACTOR_LOGITS * _of_others(carried)[:, : logits.shape[1]]
    if logits.shape[1] == 1:
        return logits
    with_background = torch.cat([torch.zeros_like(logits[:, :1]), logits], dim=1)
    share = with_background.log_softmax(dim=1)[:, 1:]
    return share - torch.log1p(-share.exp().clamp(max=1 - 1e-6))


def _of_others(masks: Tensor) -> Tensor:
    """How much more of each cell belonged to another object than to this one, 0 to 1."""
    first, second = masks.topk(2, dim=1).values.split(1, dim=1)
    return (torch.where(masks == first, second, first) - masks).clamp(min=0)
