"""A segmenter that takes longer: what a slow model does to a live run, without the slow model."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.models.protocols import Embedding, Segmenter


class LateSegmenter:
    """Another segmenter whose encoder takes longer, and does not use the processor meanwhile.

    Args:
        segmenter: Does the work.
        delay_s: How much longer [s].
    """

    def __init__(self, segmenter: Segmenter, delay_s: float) -> None:
        self._segmenter, self._delay_s = segmenter, delay_s

    def __getattr__(self, name: str) -> Any:
        return getattr(self._segmenter, name)

    def encode(self, image_rgb: NDArray[np.uint8]) -> Embedding:
        """The embedding of a ``(H, W, 3)`` uint8 RGB image, late."""
        embedding = self._segmenter.encode(image_rgb)
        time.sleep(self._delay_s)
        return embedding
