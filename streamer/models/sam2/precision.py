"""An image encoder in a number format of its own, inside a model that is float32 everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class EncoderIn(nn.Module):
    """Takes float32 pixels and gives float32 features, and computes in another format in between.

    Nine tenths of the time go into the encoder, and what decides between masks is the decoder's.

    Args:
        encoder: Taken over.
        dtype: What it computes in.
        compiled: Makes a faster call of it.
    """

    def __init__(
        self, encoder: nn.Module, dtype: torch.dtype, compiled: Callable[[nn.Module], Callable[..., Any]] | None = None
    ) -> None:
        super().__init__()
        self.encoder = encoder.to(dtype)
        self._dtype = dtype
        self._call = encoder if compiled is None else compiled(encoder)

    def forward(self, pixel_values: Tensor, **options: Any) -> Any:
        """What the encoder returns for ``(B, 3, H, W)`` pixels, every tensor of it as float32."""
        return _as_float(self._call(pixel_values.to(self._dtype), **options))


def _as_float(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.float()
    if isinstance(value, dict):  # transformers' outputs are dictionaries of their own classes
        for name, part in value.items():
            value[name] = _as_float(part)
        return value
    if isinstance(value, (tuple, list)):
        return type(value)(map(_as_float, value))
    return value
