"""Upstream's prompt encoder that also paints what it is told onto the image."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from streamer.data.prompt import BACKGROUND, FOREGROUND
from streamer.models.sam.networks import LayerNorm2d, PromptEncoder

BOX_CORNER_0, BOX_CORNER_1 = 2, 3
CELL_PX = 4
CLICK_SPREAD_PX = 6.0
PAINTED = 5


class PaintingPromptEncoder(PromptEncoder):
    """A ``PromptEncoder`` whose dense embedding says of every cell how it lies to the clicks and the box.

    A big SAM learns from a billion masks what a corner token means for every cell; clicks and boxes drawn as maps tell
    a small one at once (Sofiiuk et al., 2021, "Reviving iterative training with mask guidance"). The maps have the
    resolution of ``mask_input``, and what they are turned into is added to its embedding.
    """

    def __init__(self, embed_dim: int, **sizes: Any) -> None:
        super().__init__(embed_dim=embed_dim, **sizes)
        self.painting = nn.Sequential(
            nn.Conv2d(PAINTED, 16, kernel_size=2, stride=2),
            LayerNorm2d(16),
            nn.GELU(),
            nn.Conv2d(16, 64, kernel_size=2, stride=2),
            LayerNorm2d(64),
            nn.GELU(),
            nn.Conv2d(64, embed_dim, kernel_size=1),
        )

    def forward(
        self, points: tuple[Tensor, Tensor] | None, boxes: Tensor | None, masks: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """As upstream: sparse ``(N, T, C)`` and dense ``(N, C, h, w)`` embeddings."""
        sparse, dense = super().forward(points, boxes, masks)
        coords, kinds = sparse.new_zeros(len(sparse), 0, 2), sparse.new_zeros(len(sparse), 0)
        if points is not None:
            coords, kinds = torch.cat([coords, points[0]], dim=1), torch.cat([kinds, points[1]], dim=1)
        if boxes is not None:
            corners = torch.tensor([BOX_CORNER_0, BOX_CORNER_1], device=kinds.device)
            coords = torch.cat([coords, boxes.reshape(-1, 2, 2)], dim=1)
            kinds = torch.cat([kinds, corners.expand(len(kinds), -1)], dim=1)
        return sparse, dense + self.embed_painting(coords + 0.5, kinds)

    def embed_painting(self, coords: Tensor, kinds: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """``(N, C, h, w)`` from ``(N, T, 2)`` places [px of the square input] and their ``(N, T)`` kinds.

        Kinds are upstream's: 0 and 1 for clicks, 2 and 3 for the corners of a box; others are not painted. ``size`` is
        (h, w) where that is not the whole square.
        """
        return self.painting(self.paint(coords.float(), kinds, size or self.image_embedding_size))

    def paint(self, coords: Tensor, kinds: Tensor, size: tuple[int, int]) -> Tensor:
        """``(N, 5, 4h, 4w)`` maps: background and foreground clicks, three of the box (0 where there is none)."""
        height, width = 4 * size[0], 4 * size[1]
        x = (torch.arange(width, device=coords.device) + 0.5) * CELL_PX
        y = (torch.arange(height, device=coords.device) + 0.5) * CELL_PX
        maps = [_clicks(coords, kinds == kind, x, y) for kind in (BACKGROUND, FOREGROUND)]
        return torch.stack([*maps, *_box(coords, kinds, x, y)], dim=1)


def _clicks(coords: Tensor, chosen: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """``(N, h, w)``: 1 at the chosen points, falling off as Gaussians."""
    if coords.shape[1] == 0:
        return coords.new_zeros(len(coords), len(y), len(x))
    across = torch.exp(-(((x - coords[..., :1]) / CLICK_SPREAD_PX) ** 2) / 2)
    down = torch.exp(-(((y - coords[..., 1:]) / CLICK_SPREAD_PX) ** 2) / 2) * chosen[..., None]
    return (down[..., :, None] * across[..., None, :]).amax(dim=1)


def _box(coords: Tensor, kinds: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Three ``(N, h, w)`` maps: the share of each cell inside, closeness to the sides, closeness to the center."""
    low, high = ((coords * (kinds == kind)[..., None]).sum(dim=1)[..., None] for kind in (BOX_CORNER_0, BOX_CORNER_1))
    exists = (kinds == BOX_CORNER_0).any(dim=1)[:, None, None].float()
    half = ((high - low) / 2).clamp(min=1.0)
    across, down = (((along - (low + high)[:, i] / 2) / half[:, i]) for i, along in enumerate((x, y)))
    across, down = across[:, None, :], down[:, :, None]
    covered = _covered(x, low[:, 0], high[:, 0])[:, None, :] * _covered(y, low[:, 1], high[:, 1])[:, :, None]
    to_sides = 1 - torch.maximum(across.abs(), down.abs())
    to_center = 1 - across**2 - down**2
    return covered * exists, to_sides.clamp(min=-1) * exists, to_center.clamp(min=-1) * exists


def _covered(along: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """``(N, w)``: the share of each cell between ``low`` and ``high`` ``(N, 1)`` [px]."""
    ends = torch.minimum(high, along + CELL_PX / 2) - torch.maximum(low, along - CELL_PX / 2)
    return ends.clamp(0, CELL_PX) / CELL_PX
