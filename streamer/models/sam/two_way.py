"""SAM's two-way transformer and mask head, arranged so that the image is touched as little as possible.

There are thousands of image positions and a dozen tokens. Upstream projects every position to keys, values and queries
for every object, in three attentions, and adds the positional encoding to every position each time. A product of
projections is a projection: here the *tokens* are carried to the width of the image, q'·x = (q Wk)·x, and attended
positions are projected after they were summed; the positional encoding is projected once per model. The result is the
same but for rounding.

The image may be a part of the square that the model was made for, from its first row and column on: no padding then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F


class TokensToImage:
    """Upstream's ``Attention`` with tokens for queries and image positions for keys and values.

    Args:
        attention: The upstream module.
        image_pe: ``(C, H, W)`` positional encoding of the square.
    """

    def __init__(self, attention: Any, image_pe: Tensor) -> None:
        self._attention = attention
        heads = attention.num_heads
        self._key_weight = _by_head(attention.k_proj.weight, heads)
        self._value_weight = _by_head(attention.v_proj.weight, heads)
        self._value_bias = attention.v_proj.bias
        self._pe_keys = _projected(image_pe, attention.k_proj.weight).unflatten(0, (heads, -1))
        self._scale = self._key_weight.shape[1] ** -0.5

    def __call__(self, queries: Tensor, image: Tensor, size: tuple[int, int]) -> Tensor:
        """``(N, T, C)`` tokens, with their positions, attend to ``(N or 1, h * w, C)``: ``(N, T, C)``."""
        count, tokens, width = queries.shape
        q = _split(self._attention.q_proj(queries) * self._scale, len(self._key_weight))
        scores = torch.matmul(q, _part(self._pe_keys, size)).flatten(1, 2)
        content = torch.matmul(q, self._key_weight).flatten(1, 2)
        attention = torch.softmax(scores.baddbmm_(content, image.transpose(1, 2).expand(count, -1, -1)), dim=-1)
        summed = torch.bmm(attention, image.expand(count, -1, -1)).view(count, -1, tokens, width)
        attended = torch.matmul(summed, self._value_weight.transpose(1, 2))
        return self._attention.out_proj(attended.transpose(1, 2).flatten(2) + self._value_bias)


class ImageToTokens:
    """Upstream's ``Attention`` with image positions for queries and tokens for keys and values."""

    def __init__(self, attention: Any, image_pe: Tensor) -> None:
        self._attention = attention
        heads = attention.num_heads
        self._query_weight = _by_head(attention.q_proj.weight, heads)
        projected = _projected(image_pe, attention.q_proj.weight, attention.q_proj.bias)
        self._pe_queries = projected.unflatten(0, (heads, -1))
        self._out_weight = attention.out_proj.weight.T.unflatten(0, (heads, -1))
        # The weights of each head sum to one, so that each head may add its share of the bias.
        self._out_bias = attention.out_proj.bias / heads
        self._scale = self._query_weight.shape[1] ** -0.5

    def __call__(
        self, image: Tensor, keys: Tensor, values: Tensor, absent: Tensor | None, size: tuple[int, int]
    ) -> Tensor:
        """``(N or 1, h * w, C)`` plus what it gathers from ``(N, T, C)`` tokens: ``(N, h * w, C)``.

        ``absent`` is ``(N, 1, T)``, minus infinity for tokens that an object does not have.
        """
        count, tokens, _ = keys.shape
        heads = len(self._query_weight)
        k = _split(self._attention.k_proj(keys) * self._scale, heads)
        v = _split(self._attention.v_proj(values), heads)
        content = torch.matmul(k, self._query_weight).flatten(1, 2)
        scores = torch.matmul(k, _part(self._pe_queries, size)).flatten(1, 2)
        scores = scores.baddbmm_(content, image.transpose(1, 2).expand(count, -1, -1)).unflatten(1, (heads, tokens))
        if absent is not None:
            scores = scores + absent[..., None]
        attention = torch.softmax(scores, dim=2).flatten(1, 2)
        values_out = (torch.matmul(v, self._out_weight) + self._out_bias).flatten(1, 2)
        return torch.baddbmm(image.expand(count, -1, -1), attention.transpose(1, 2), values_out)


class MaskHead:
    """Upstream's ``output_upscaling`` and the product with the mask tokens, with channels last throughout."""

    def __init__(self, upscaling: Any) -> None:
        first, self._norm, self._activation, second, _ = upscaling
        self._first, self._second = _as_linear(first), _as_linear(second)

    def __call__(
        self, image: Tensor, mask_tokens: Tensor, size: tuple[int, int], detail: Sequence[Tensor] = ()
    ) -> Tensor:
        """``(N, h * w, C)`` and ``(N, K, C/8)`` to logits ``(N, K, 4h, 4w)``.

        ``detail`` is what a `DetailMaskDecoder` adds: ``(1, C/4, 2h, 2w)`` and ``(1, C/8, 4h, 4w)``.
        """
        placed = [_as_nested(*pair) for pair in zip(detail, (1, 2), strict=True)] if detail else [None, None]
        # One object at a time, because its pixels fit the processor's cache.
        logits = torch.stack([self._of_one(*pair, *placed) for pair in zip(image, mask_tokens, strict=True)])
        shuffled = logits.view(*mask_tokens.shape[:2], *size, 2, 2, 2, 2).permute(0, 1, 2, 4, 6, 3, 5, 7)
        return shuffled.reshape(*mask_tokens.shape[:2], 4 * size[0], 4 * size[1])

    def _of_one(self, image: Tensor, mask_tokens: Tensor, stride8: Tensor | None, stride4: Tensor | None) -> Tensor:
        x, norm = F.linear(image, *self._first).unflatten(1, (4, -1)), self._norm
        if stride8 is not None:
            x += stride8.view_as(x)
        x = self._activation(F.layer_norm(x, x.shape[-1:], norm.weight, norm.bias, norm.eps))
        x = F.linear(x.flatten(0, 1), *self._second)
        if stride4 is not None:
            x += stride4.view_as(x)
        return mask_tokens @ self._activation(x).view(-1, mask_tokens.shape[-1]).T


def _as_nested(detail: Tensor, doublings: int) -> Tensor:
    """``(1, C, H, W)`` in the order in which transposed convolutions of 2x2 make pixels, channels last."""
    channels, height, width = detail.shape[1:]
    rows, columns = height >> doublings, width >> doublings
    nested = detail.view(channels, rows, *[2] * doublings, columns, *[2] * doublings)
    # (C, row, y1, y2, column, x1, x2) to (row, column, y1, x1, y2, x2, C)
    inner = [axis for level in range(doublings) for axis in (2 + level, 3 + doublings + level)]
    return nested.permute(1, 2 + doublings, *inner, 0).contiguous()


def _split(tokens: Tensor, heads: int) -> Tensor:
    """``(N, T, heads * c)`` to ``(N, heads, T, c)``."""
    return tokens.unflatten(2, (heads, -1)).transpose(1, 2)


def _projected(image_pe: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``(C, H, W)`` to ``(heads * c, H, W)``."""
    return F.linear(image_pe.permute(1, 2, 0), weight, bias).permute(2, 0, 1).contiguous()


def _part(positions: Tensor, size: tuple[int, int]) -> Tensor:
    """Of ``(heads, c, H, W)`` the first h rows and w columns, as ``(heads, c, h * w)``."""
    return positions[..., : size[0], : size[1]].flatten(2)


def _by_head(weight: Tensor, heads: int) -> Tensor:
    """``(heads * c, C)`` to ``(heads, c, C)``."""
    return weight.unflatten(0, (heads, -1)).contiguous()


def _as_linear(convolution: Any) -> tuple[Tensor, Tensor]:
    """A transposed convolution of 2x2 at stride 2 is a projection to four pixels: weight ``(4 * out, in)`` and bias."""
    weight = convolution.weight.permute(2, 3, 1, 0).flatten(0, 2).contiguous()
    return weight, convolution.bias.repeat(4)
