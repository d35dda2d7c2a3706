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
from streamer.models.tiny.memory_decoder import (
    CELLS,
    TRUNK_WIDTH,
    VALUE_WIDTH,
    Carried,
    ChannelNorm,
    MaskDecoder,
    Query,
    Residual,
    set_apart,
)
from streamer.models.tiny.sam import WIDTH, TinyImageEncoder

KEY_WIDTH = 64
TOP_K = 30


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


def read_out(scores: Tensor, values: Tensor, top_k: int = TOP_K) -> tuple[Tensor, Tensor]:
    """Every query cell's mean of the ``top_k`` memory cells that it resembles most, weighted by a softmax.

    Args:
        scores: ``(B, Q, M)`` similarity of query and memory cells in units of the softmax.
        values: ``(B, K, C, M)``.

    Returns:
        ``(B, K, C, Q)`` float32, and the best scores ``(B, Q)``.
    """
    images, cells, remembered = scores.shape
    best, places = scores.topk(min(top_k, remembered), dim=2)
    rows = values.permute(0, 3, 1, 2).reshape(images * remembered, -1).float()
    offsets = torch.arange(images, device=scores.device)[:, None, None] * remembered
    read = functional.embedding_bag(
        (places + offsets).flatten(0, 1), rows, mode="sum", per_sample_weights=best.softmax(dim=2).flatten(0, 1)
    )
    return read.view(images, cells, *values.shape[1:3]).permute(0, 2, 3, 1), best[..., 0]


class MemoryNetwork(nn.Module):
    """All of it; without state, the frames that are remembered are handed in."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = KeyProjection()
        self.values = ValueEncoder()
        self.decoder = MaskDecoder()
        self.log_sharpness = nn.Parameter(torch.tensor(2.7))
        self.readout_scale = nn.Parameter(torch.tensor(6.0))

    def read(
        self,
        query: Query,
        keys: Tensor,
        values: Tensor,
        carried: Carried,
        top_k: int = TOP_K,
    ) -> Answer:
        """The masks of the objects on the query's image, set apart from each other.

        Args as for `recall`.
        """
        answer = self.recall(query, keys, values, carried, top_k)
        return answer._replace(mask_logits=set_apart(answer.mask_logits, carried.masks))

    def recall(
        self,
        query: Query,
        keys: Tensor,
        values: Tensor,
        carried: Carried,
        top_k: int = TOP_K,
    ) -> Answer:
        """Each object's mask on the query's image as if the others were not there.

        Args:
            keys: ``(B, 64, M)`` of all remembered cells.
            values: ``(B, K, 66, M)``.
        """
        sharpness = self.log_sharpness.exp()
        with torch.autocast(query.key.device.type, enabled=False):
            scores = torch.bmm((query.key * sharpness).flatten(2).transpose(1, 2), keys)
            readout, best = read_out(scores, values, top_k)
        size = query.key.shape[-2:]
        readout, similarity = readout.unflatten(3, size), (best / sharpness).unflatten(1, size)[:, None]
        logits, judgement = self.decoder(query, readout, similarity, carried)
        shares = readout[:, :, VALUE_WIDTH]
        return Answer(logits, judgement[..., 0], judgement[..., 1], self.readout_scale * (shares - 0.5))
