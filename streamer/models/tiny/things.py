"""What is a thing (a person, an animal, a cup), not what things stand on: one layer on the tiny SAM's embedding."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

WIDTH = 128
"""Channels of the tiny SAM's embedding."""


class ThingHead(nn.Linear):
    """Logit of each cell that a thing covers it."""

    def __init__(self) -> None:
        super().__init__(WIDTH, 1)

    @torch.inference_mode()
    def chances(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(h, w)`` float32 probabilities from the ``(h, w, 128)`` float32 embedding of an image."""
        chances: NDArray[np.float32] = self(torch.from_numpy(features)).sigmoid()[..., 0].numpy()
        return chances
