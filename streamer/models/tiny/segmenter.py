"""The tiny SAM with the memory that was trained on its image encoder: one look at an image serves both."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from streamer.models.protocols import Embedding, Found
from streamer.models.sam import automatic
from streamer.models.sam.segmenter import SamSegmenter
from streamer.models.tiny.mask_memory import TinyMemory
from streamer.models.tiny.memory import ImageFeatures, MemoryNetwork, image_features
from streamer.models.tiny.memory_decoder import Query
from streamer.models.tiny.things import ThingHead


class TinySegmenter(SamSegmenter):
    """A tiny `Sam` whose embeddings its memory can read.

    Args:
        sam, name, device, precision: As for `SamSegmenter`.
        network: The memory's; it always runs in float32.
        things: What tells things from what they stand on, on its embedding.

    Attributes:
        memory: Remembers the masks of frames.
        tracks: Name of the `tracking.method` that is its memory.
    """

    tracks = "memory"

    def __init__(
        self,
        sam: Any,
        network: MemoryNetwork,
        things: ThingHead,
        name: str,
        device: torch.device,
        precision: str = "float32",
    ) -> None:
        super().__init__(sam, name, device, precision)
        self.memory = TinyMemory(network.to(device), self)
        self._thing_head = things

    def find(self, embedding: Embedding, limit: int) -> list[Found]:
        """Objects without any prompt, as `SamSegmenter.find` has them, and rather things than what they stand on."""
        things = self._thing_head.chances(self.features(embedding))
        return automatic.find(self, embedding, self.low_res_size(embedding.image_size), limit, things)

    def _see(self, squares: Tensor) -> list[tuple[Tensor, Any]]:
        embeddings, features = image_features(self._sam.image_encoder, squares)
        query = self.memory.query(ImageFeatures(*(part.float() for part in features)))
        parts = zip(*(part.split(1) for part in query), strict=True)
        return [(one, Query(*part)) for one, part in zip(embeddings.float().split(1), parts, strict=True)]
