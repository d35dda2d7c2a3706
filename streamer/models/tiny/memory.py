"""A small space-time memory on the tiny SAM's image encoder: from masks on earlier frames to masks on this one.

The scheme is STCN's (Cheng et al., NeurIPS 2021): keys come from the image alone, so that all objects share one
affinity; values know the object and the objects beside it (STM, Oh et al., ICCV 2019); every cell of the query reads
from the few memory cells that are most like it. The mask that flow carried to the query, where there is one, is a
further input of the decoder, as is what each cell of the query resembles at best. Two numbers come with every mask:
whether the object is there at all (as in SAM 2, Ravi et al., 2024), and the IoU to expect.

Letters in shapes: B images, K objects in each, (h, w) the grid of stride 16 [px], M cells of the memory, Q = h * w
cells of the query.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.models.tiny.backbone import CHANNELS
from streamer.models.tiny.sam import WIDTH, TinyImageEncoder

STRIDE_PX = 16
LOGIT_STRIDE_PX = 4
CELLS = (STRIDE_PX // LOGIT_STRIDE_PX) ** 2  # mask cells of stride 4 in a cell of stride 16
KEY_WIDTH = 64
TRUNK_WIDTH = 192
VALUE_WIDTH = 64
READOUT_WIDTH = VALUE_WIDTH + 2  # and the share of the cell that is this object, and that is another one
TOP_K = 30
DECODER_WIDTHS = (96, 48, 24)  # at strides 16, 8, 4
STATISTICS = 6


class ImageFeatures(NamedTuple):
    """What the memory needs of an image.

    Attributes:
        grid: ``(B, 600, h, w)``: strides 8 (averaged), 16, 32 (enlarged) of the backbone and SAM's embedding.
        stride8: ``(B, 40, 2h, 2w)``.
        stride4: ``(B, 24, 4h, 4w)``.
    """

    grid: Tensor
    stride8: Tensor
    stride4: Tensor


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


class Answer(NamedTuple):
    """Masks of K objects on B images.

    Attributes:
        mask_logits: ``(B, K, 4h, 4w)``; above 0 is inside, and no cell is inside two objects.
        presence_logits: ``(B, K)``; above 0 the object is there.
        iou_logits: ``(B, K)``; their sigmoid is the IoU to expect.
        readout_logits: ``(B, K, h, w)``: the masks as read from the memory, before they were decoded.
    """

    mask_logits: Tensor
    presence_logits: Tensor
    iou_logits: Tensor
    readout_logits: Tensor


def image_features(encoder: TinyImageEncoder, pixels: Tensor) -> tuple[Tensor, ImageFeatures]:
    """One look at ``(B, 3, 16h, 16w)`` normalized pixels: SAM's own embedding, and what the memory needs."""
    maps = encoder.backbone(pixels.contiguous(memory_format=torch.channels_last))
    embedding = encoder.fuse(maps)
    stride4, stride8, stride16, stride32 = maps
    coarse = functional.interpolate(stride32, scale_factor=2.0, mode="bilinear", align_corners=False)
    grid = torch.cat([functional.avg_pool2d(stride8, 2), stride16, coarse, embedding[:, :WIDTH]], dim=1)
    return embedding, ImageFeatures(grid, stride8, stride4)


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


class KeyProjection(nn.Module):
    """`ImageFeatures` to a `Query`."""

    def __init__(self) -> None:
        super().__init__()
        _, stride8, stride16, stride32 = CHANNELS
        self.widths = [stride8, stride16, stride32, WIDTH]
        self.norms = nn.ModuleList(ChannelNorm(width) for width in self.widths)
        self.reduce = nn.Conv2d(sum(self.widths), TRUNK_WIDTH, 1)
        self.around = nn.Conv2d(TRUNK_WIDTH, TRUNK_WIDTH, 3, padding=1, groups=TRUNK_WIDTH)
        self.key = nn.Conv2d(TRUNK_WIDTH, KEY_WIDTH, 1)

    def forward(self, features: ImageFeatures) -> Query:
        parts = features.grid.split(self.widths, dim=1)
        reduced = self.reduce(torch.cat([norm(part) for norm, part in zip(self.norms, parts, strict=True)], dim=1))
        trunk = functional.gelu(reduced + self.around(functional.gelu(reduced)))
        key = functional.normalize(self.key(trunk).float(), dim=1)
        return Query(key, trunk, features.stride8, features.stride4)


class ValueEncoder(nn.Module):
    """What a frame with masks leaves in the memory: ``(B, K, 66, h, w)``.

    The last two channels are the shares of the cell that belong to the object and to other objects.
    """

    def __init__(self) -> None:
        super().__init__()
        self.from_image = nn.Conv2d(TRUNK_WIDTH, VALUE_WIDTH, 1)
        self.from_masks = nn.Conv2d(2 * CELLS, VALUE_WIDTH, 3, padding=1)
        self.blocks = nn.Sequential(Residual(VALUE_WIDTH), Residual(VALUE_WIDTH))

    def forward(self, query: Query, masks: Tensor) -> Tensor:
        """``masks``: ``(B, K, 4h, 4w)``, 0 to 1."""
        images, objects = masks.shape[:2]
        others = (masks.sum(1, keepdim=True) - masks).clamp(0, 1)
        pair = torch.stack([masks, others], dim=2).flatten(0, 1)
        image = self.from_image(query.trunk).repeat_interleave(objects, dim=0)
        value = self.blocks(image + self.from_masks(functional.pixel_unshuffle(pair, 4)))
        shares = functional.avg_pool2d(pair, 4)
        return torch.cat([value, shares.to(value.dtype)], dim=1).unflatten(0, (images, objects))


def read_out(scores: Tensor, values: Tensor, top_k: int = TOP_K) -> Tensor:
    """Every query cell's mean of the ``top_k`` memory cells that it resembles most, weighted by a softmax.

    Args:
        scores: ``(B, Q, M)`` similarity of query and memory cells in units of the softmax.
        values: ``(B, K, C, M)``.

    Returns:
        ``(B, K, C, Q)``.
    """
    best, places = scores.topk(min(top_k, scores.shape[2]), dim=2)
    weights = torch.zeros_like(scores).scatter(2, places, best.softmax(dim=2))
    flat = values.flatten(1, 2)
    return torch.bmm(flat, weights.transpose(1, 2).to(flat.dtype)).unflatten(1, values.shape[1:3])


class MaskDecoder(nn.Module):
    """Read-out, query and carried mask to a mask of stride 4, whether it is there, and the IoU to expect."""

    def __init__(self) -> None:
        super().__init__()
        stride4, stride8, _, _ = CHANNELS
        wide, middle, narrow = DECODER_WIDTHS
        self.from_image = nn.Conv2d(TRUNK_WIDTH, wide, 1)
        self.from_memory = nn.Conv2d(READOUT_WIDTH + 1 + CELLS + 1, wide, 1)
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

        def each(skip: Tensor) -> Tensor:
            return skip.repeat_interleave(objects, dim=0)

        wide = self.blocks(self.from_memory(told) + each(self.from_image(query.trunk)))
        middle = self.block8(_enlarged(self.to8(wide)) + each(self.skip8(query.stride8)))
        narrow = self.block4(_enlarged(self.to4(middle)) + each(self.skip4(query.stride4)))
        logits = self.mask(functional.gelu(narrow)).float()
        statistics = _statistics(logits, each(similarity), carried)
        inside = functional.avg_pool2d(logits.detach().sigmoid(), 4).to(wide.dtype)
        pooled = (wide * inside).sum((2, 3)) / (inside.sum((2, 3)) + 1)
        judgement = self.judge(torch.cat([pooled, wide.amax((2, 3)), statistics.to(wide.dtype)], dim=1))
        return logits.unflatten(0, (images, objects))[:, :, 0], judgement.float().unflatten(0, (images, objects))


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


class MemoryNetwork(nn.Module):
    """All of it; without state, the frames that are remembered are handed in."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = KeyProjection()
        self.values = ValueEncoder()
        self.decoder = MaskDecoder()
        self.log_sharpness = nn.Parameter(torch.tensor(2.7))
        self.readout_scale = nn.Parameter(torch.tensor(6.0))

    def read(self, query: Query, keys: Tensor, values: Tensor, carried: Carried, top_k: int = TOP_K) -> Answer:
        """The masks of the objects on the query's image.

        Args:
            keys: ``(B, 64, M)`` of all remembered cells.
            values: ``(B, K, 66, M)``.
        """
        cosines = torch.bmm(query.key.flatten(2).transpose(1, 2), keys)
        size = query.key.shape[-2:]
        readout = read_out(cosines * self.log_sharpness.exp(), values, top_k).unflatten(3, size)
        similarity = cosines.amax(dim=2).unflatten(1, size)[:, None]
        logits, judgement = self.decoder(query, readout, similarity, carried)
        shares = readout[:, :, VALUE_WIDTH].float()
        return Answer(set_apart(logits), judgement[..., 0], judgement[..., 1], self.readout_scale * (shares - 0.5))


def set_apart(logits: Tensor) -> Tensor:
    """Let K objects share each cell: the logits of a softmax over them and a background whose logit is 0.

    ``(B, K, H, W)`` to the same, as STM's soft aggregation does for probabilities.
    """
    if logits.shape[1] == 1:
        return logits
    with_background = torch.cat([torch.zeros_like(logits[:, :1]), logits], dim=1)
    share = with_background.log_softmax(dim=1)[:, 1:]
    return share - torch.log1p(-share.exp().clamp(max=1 - 1e-6))
