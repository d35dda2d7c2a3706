"""The tiny SAM with the memory that was trained on its image encoder: one look at an image serves both."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from streamer.models.protocols import Embedding, Found
from streamer.models.runtime.devices import pick_precision
from streamer.models.runtime.openvino import TORCH, accelerated
from streamer.models.sam import automatic
from streamer.models.sam.segmenter import SamSegmenter
from streamer.models.tiny.mask_memory import TinyMemory
from streamer.models.tiny.memory import ImageFeatures, KeyProjection, MemoryNetwork, image_features
from streamer.models.tiny.memory_decoder import Query
from streamer.models.tiny.sam import TinyImageEncoder
from streamer.models.tiny.things import ThingHead


class Look(nn.Module):
    """``(B, 3, H, W)`` normalized pixels to SAM's embedding, followed by the parts of a `Query`, all float32."""

    def __init__(self, encoder: TinyImageEncoder, keys: KeyProjection) -> None:
        super().__init__()
        self.encoder, self.keys = encoder, keys

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        embedding, features = image_features(self.encoder, pixels)
        return embedding.float(), *self.keys(ImageFeatures(*(part.float() for part in features)))


class TinySegmenter(SamSegmenter):
    """A tiny `Sam` whose embeddings its memory can read.

    Args:
        sam, name, device, precision: As for `SamSegmenter`.
        network: The memory's. In torch it always runs in float32; OpenVINO takes its keys in the same format as all
            that is done for an image.
        things: What tells things from what they stand on, on its embedding.
        runtime: What looks at images: ``torch``, ``openvino`` or ``auto``; see
            :func:`streamer.models.runtime.openvino.accelerated`.

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
        runtime: str = TORCH,
    ) -> None:
        network = network.to(device)
        look = Look(sam.image_encoder, network.keys).eval()
        faster = accelerated(look, f"{name}-masks", (1, 3, -1, -1), pick_precision(precision, device), device, runtime)
        super().__init__(sam, name, device, precision if faster is None else "float32")
        self._look = look if faster is None else faster
        if faster is not None:
            del sam.image_encoder, self._encoder  # 15 MB that nobody asks any more
        self.memory = TinyMemory(network, self)
        self._thing_head = things

    def find(self, embedding: Embedding, limit: int) -> list[Found]:
        """Objects without any prompt, as `SamSegmenter.find` has them, and rather things than what they stand on."""
        things = self._thing_head.chances(self.features(embedding))
        return automatic.find(self, embedding, self.low_res_size(embedding.image_size), limit, things)

    def _see(self, squares: Tensor) -> list[tuple[Tensor, Any]]:
        embeddings, *query = self._look(squares)
        parts = zip(*(part.split(1) for part in query), strict=True)
        return [(one, Query(*part)) for one, part in zip(embeddings.split(1), parts, strict=True)]
