"""The image encoder of SAM, computing what ``ImageEncoderViT`` computes in a fraction of the time and the memory.

Upstream writes one score for every pair of positions and head to memory, and goes over them again for every term of
the decomposed relative positions (Li et al., MViTv2, CVPR 2022). Here

- scores live only in pieces that fit the processor's cache, or not at all (on GPUs, and in bfloat16 on AMX): the
  relative terms become further dimensions of the heads, q' = [q·scale, q·Rh, q·Rw] and k' = [k, onehot(row),
  onehot(column)], whose inner product is the biased score, for one fused attention without a mask;
- windows are gathered once from the projected queries, keys and values, so that nothing is projected for their padding;
- the tables of relative positions are looked up once.

The upstream module is taken over and only read; the installed package stays as it is for everyone else.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from streamer.models.runtime.devices import has_amx
from streamer.models.sam.networks import get_rel_pos

SCORES_AT_ONCE = 1 << 22
ALIGNMENT = 8


class FastImageEncoder(nn.Module):
    """Drop-in for an ``ImageEncoderViT`` of any size, with or without relative positions.

    The residual stream, layer norms and softmax are float32 whatever the precision is.

    Args:
        encoder: The upstream module, which is converted in place.
        dtype: Number format of the matrix products.
    """

    def __init__(self, encoder: Any, dtype: torch.dtype) -> None:
        super().__init__()
        self.img_size = encoder.img_size
        self.patch_embed = encoder.patch_embed.to(dtype)
        self.pos_embed = encoder.pos_embed
        rows, columns = (self.img_size // step for step in encoder.patch_embed.proj.stride)
        self.blocks = nn.ModuleList(FastBlock(block, (rows, columns), dtype) for block in encoder.blocks)
        self.neck = encoder.neck
        for layer in self.neck:
            if isinstance(layer, nn.Conv2d):
                layer.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pixels: Tensor) -> Tensor:
        """``(B, 3, S, S)`` normalized pixels to the ``(B, C, h, w)`` float32 embedding."""
        x = self.patch_embed(pixels.to(self.patch_embed.proj.weight.dtype)).float()
        if self.pos_embed is not None:
            x = x + self.pos_embed
        batch, rows, columns, width = x.shape
        x = x.reshape(batch, rows * columns, width)
        for block in self.blocks:
            x = block(x)
        return self._neck(x.view(batch, rows, columns, width).permute(0, 3, 1, 2))

    def _neck(self, x: Tensor) -> Tensor:
        for layer in self.neck:
            if isinstance(layer, nn.Conv2d):
                x = layer(x.to(layer.weight.dtype)).float()
            else:
                channels_last = x.permute(0, 2, 3, 1)
                x = F.layer_norm(channels_last, channels_last.shape[-1:], layer.weight, layer.bias, layer.eps)
                x = x.permute(0, 3, 1, 2)
        return x.contiguous()


class FastBlock(nn.Module):
    """One upstream ``Block`` on ``(B, N, C)`` float32 tokens of a grid of (rows, columns)."""

    row_table: Tensor | None
    column_table: Tensor | None
    to_windows: Tensor | None
    from_windows: Tensor | None
    padding: Tensor | None

    def __init__(self, block: Any, grid: tuple[int, int], dtype: torch.dtype) -> None:
        super().__init__()
        self.norm1, self.norm2 = block.norm1, block.norm2
        self.mlp = block.mlp.to(dtype)
        self.qkv, self.proj = block.attn.qkv.to(dtype), block.attn.proj.to(dtype)
        self.heads, self.scale, self.dtype = block.attn.num_heads, block.attn.scale, dtype
        side = block.window_size
        self.area = (side, side) if side > 0 else grid
        tables = _look_up(block.attn, self.area, dtype)
        windows = _window_indices(grid, side) if side > 0 else (None, None, None)
        for name, buffer in zip(self.__annotations__, (*tables, *windows), strict=True):
            self.register_buffer(name, buffer, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        attended = self._attend(self.qkv(self.norm1(x).to(self.dtype)))
        x = x + self.proj(attended)
        return x + self.mlp(self.norm2(x).to(self.dtype))

    def _attend(self, qkv: Tensor) -> Tensor:
        """``(B, N, 3C)`` queries, keys and values to ``(B, N, C)``, in windows where the block has them."""
        batch, _, width = qkv.shape
        if self.to_windows is not None:
            qkv = qkv.index_select(1, self.to_windows)
            if self.padding is not None:
                # Upstream pads with zeros before it projects, which leaves the bias.
                qkv[:, self.padding] = 0.0 if self.qkv.bias is None else self.qkv.bias
        split = qkv.view(-1, self.area[0] * self.area[1], 3, self.heads, width // (3 * self.heads))
        q, k, v = split.permute(2, 0, 3, 1, 4)
        if self.row_table is None or self.column_table is None:
            attended = F.scaled_dot_product_attention(q, k, v, scale=self.scale)
        else:
            by_row, by_column = _relative_terms(q, self.row_table, self.column_table)
            attention = attend_in_pieces if _is_better_in_pieces(q) else attend_fused
            attended = attention(q * self.scale, k, v, by_row, by_column)
        attended = attended.transpose(1, 2).reshape(batch, -1, width // 3)
        return attended if self.from_windows is None else attended.index_select(1, self.from_windows)


def _is_better_in_pieces(q: Tensor) -> bool:
    """Whether further dimensions cost more than pieces: on a CPU, but for bfloat16 on matrix tiles.

    torch.compile traces no writing into given memory, which is what the pieces live from.
    """
    if q.device.type != "cpu" or torch.compiler.is_compiling():
        return False
    return q.dtype != torch.bfloat16 or not has_amx()


def attend_in_pieces(q: Tensor, k: Tensor, v: Tensor, by_row: Tensor, by_column: Tensor) -> Tensor:
    """Attention with relative positions, a few rows of queries at a time; scores and softmax are float32.

    Args:
        q: ``(B, heads, rows * columns, C)``, scaled.
        k, v: Likewise, not scaled.
        by_row: ``(B, heads, rows, columns, rows)``, what each query adds for the row of a key.
        by_column: ``(B, heads, rows, columns, columns)``, and for its column.
    """
    batch, heads, tokens, _ = q.shape
    rows, columns = by_row.shape[2:4]
    at_once = min(rows, max(1, SCORES_AT_ONCE // (heads * columns * tokens)))
    space = torch.empty(heads, at_once * columns, tokens)
    attended = torch.empty_like(v)
    q, k, by_row, by_column = q.float(), k.float(), by_row.float(), by_column.float()
    for image in range(batch):
        keys = k[image].transpose(1, 2)
        for first in range(0, rows, at_once):
            some = slice(first, min(first + at_once, rows))
            queries = slice(some.start * columns, some.stop * columns)
            scores = space[:, : queries.stop - queries.start]
            grid = scores.view(heads, -1, columns, rows, columns)
            torch.add(by_row[image, :, some, :, :, None], by_column[image, :, some, :, None, :], out=grid)
            scores.baddbmm_(q[image, :, queries], keys)
            torch.softmax(scores, dim=-1, out=scores)
            attended[image, :, queries] = scores.to(v.dtype) @ v[image]
    return attended


def attend_fused(q: Tensor, k: Tensor, v: Tensor, by_row: Tensor, by_column: Tensor) -> Tensor:
    """The same (see :func:`attend_in_pieces`) as one fused attention whose heads have further dimensions."""
    batch, heads, _, width = q.shape
    rows, columns = by_row.shape[2:4]
    row, column = torch.eye(rows, dtype=q.dtype, device=q.device), torch.eye(columns, dtype=q.dtype, device=q.device)
    place = torch.cat([row[:, None].expand(-1, columns, -1), column.expand(rows, -1, -1)], dim=-1).flatten(0, 1)
    spare = -(width + rows + columns) % ALIGNMENT
    queries = F.pad(torch.cat([q, by_row.flatten(2, 3), by_column.flatten(2, 3)], dim=-1), (0, spare))
    keys = F.pad(torch.cat([k, place.expand(batch, heads, -1, -1)], dim=-1), (0, spare))
    values = F.pad(v, (0, queries.shape[-1] - width))
    return F.scaled_dot_product_attention(queries, keys, values, scale=1.0)[..., :width]


def _relative_terms(q: Tensor, row_table: Tensor, column_table: Tensor) -> tuple[Tensor, Tensor]:
    """What each query, not scaled, adds to its scores for every row and for every column of keys."""
    grid = q.unflatten(2, (len(row_table), len(column_table)))
    by_row = torch.einsum("bnhwc,hkc->bnhwk", grid, row_table)
    return by_row, torch.einsum("bnhwc,wkc->bnhwk", grid, column_table)


def _look_up(attention: Any, area: tuple[int, int], dtype: torch.dtype) -> tuple[Tensor | None, Tensor | None]:
    """The relative positions ``(size, size, C)`` of rows and of columns, or None where the block has none."""
    if not attention.use_rel_pos:
        return None, None
    rows, columns = area
    by_row = get_rel_pos(rows, rows, attention.rel_pos_h.detach())
    by_column = get_rel_pos(columns, columns, attention.rel_pos_w.detach())
    return by_row.to(dtype), by_column.to(dtype)


def _window_indices(grid: tuple[int, int], side: int) -> tuple[Tensor, Tensor, Tensor | None]:
    """How a grid of tokens is cut into windows of side x side, the last ones padded.

    Returns:
        Which token stands at each place of each window; at which place each token stands; which places are padding,
        or None where none is.
    """
    rows, columns = grid
    tokens = torch.arange(rows * columns).view(rows, columns)
    padded = F.pad(tokens, (0, -columns % side, 0, -rows % side), value=-1)
    places = padded.unflatten(1, (-1, side)).unflatten(0, (-1, side)).permute(0, 2, 1, 3).flatten()
    padding = (places < 0).nonzero()[:, 0]
    return places.clamp(min=0), places.argsort()[len(padding) :], padding if len(padding) else None
