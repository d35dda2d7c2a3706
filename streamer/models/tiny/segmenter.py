"""The tiny SAM with the memory that was trained on its image encoder: one look at an image serves both."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from streamer.models.protocols import Embedding, Found
from streamer.models.runtime.devices import pick_precision
from streamer.models.runtime.openvino import TORCH, Convertible, accelerated
from streamer.models.sam import automatic
from streamer.models.sam.segmenter import SamSegmenter
from streamer.models.tiny.backbone import CHANNELS
from streamer.models.tiny.mask_memory import TinyMemory
from streamer.models.tiny.memory import ImageFeatures, KeyProjection, MemoryNetwork, image_features
from streamer.models.tiny.memory_decoder import TOLD_WIDTH, TRUNK_WIDTH, Drawing, MaskDecoder, Query
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
        network: The memory's. In torch it always runs in float32; in OpenVINO its keys have the encoder's format.
        things: What tells things from what they stand on, on its embedding.
        runtime: What looks at images and draws masks from memory: ``torch``, ``openvino`` or ``auto``; see
            :func:`streamer.models.runtime.openvino.accelerated`.
        drawing_precision: Number format in which OpenVINO draws them.

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
        drawing_precision: str = "float32",
    ) -> None:
        network = network.to(device)
        look = Look(sam.image_encoder, network.keys).eval()
        faster = accelerated(_look(name, look), pick_precision(precision, device), device, runtime)
        super().__init__(sam, name, device, precision if faster is None else "float32")
        self._look = look if faster is None else faster
        self._at_once = faster is None
        drawing_dtype = pick_precision(drawing_precision, device)
        network.decoder.faster = accelerated(_drawing(name, network.decoder), drawing_dtype, device, runtime)
        if faster is not None:
            del sam.image_encoder, self._encoder  # 15 MB that nobody asks any more
        self.memory = TinyMemory(network, self)
        self._thing_head = things

    def find(self, embedding: Embedding, limit: int) -> list[Found]:
        """Objects without any prompt, as `SamSegmenter.find` has them, and rather things than what they stand on."""
        things = self._thing_head.chances(self.features(embedding))
        return automatic.find(self, embedding, self.low_res_size(embedding.image_size), limit, things)

    def _see(self, squares: Tensor) -> list[tuple[Tensor, Any]]:
        seen = []
        for some in [squares] if self._at_once else squares.split(1):
            embeddings, *query = self._look(some)
            parts = zip(*(part.split(1) for part in query), strict=True)
            seen += [(one, Query(*part)) for one, part in zip(embeddings.split(1), parts, strict=True)]
        return seen


def _look(name: str, look: Look) -> Convertible:
    return Convertible(f"{name}-look", look, ((1, 3, -1, -1),), (torch.zeros(1, 3, 64, 96),))


def _drawing(name: str, decoder: MaskDecoder) -> Convertible:
    stride4, stride8, *_ = CHANNELS
    maps = ((TOLD_WIDTH, 1), (TRUNK_WIDTH, 1), (stride8, 2), (stride4, 4))
    examples = tuple(torch.zeros(2, width, 4 * finer, 6 * finer) for width, finer in maps)
    return Convertible(f"{name}-drawing", Drawing(decoder), tuple((-1, width, -1, -1) for width, _ in maps), examples)
