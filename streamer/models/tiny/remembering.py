"""Any segmenter with the bundled memory: two looks at every keyframe, a heavy one and a light one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streamer.data.prompt import Prompt
from streamer.models.protocols import Decoded, Embedding, Found, MaskMemory, RememberingSegmenter, Segmenter


class Remembering:
    """A segmenter that is asked what a person says, beside one with a memory that follows what it answered.

    Args:
        segmenter: Whose masks objects begin with.
        follower: Whose memory is used.

    Attributes:
        name: The segmenter's.
        memory: The follower's.
    """

    def __init__(self, segmenter: Segmenter, follower: RememberingSegmenter) -> None:
        self._segmenter, self._follower = segmenter, follower
        self.name = segmenter.name
        self.memory: MaskMemory = follower.memory

    def encode(self, image_rgb: NDArray[np.uint8]) -> Embedding:
        """Encode a ``(H, W, 3)`` uint8 RGB image with both."""
        return self.encode_batch([image_rgb])[0]

    def encode_batch(self, images_rgb: Sequence[NDArray[np.uint8]]) -> list[Embedding]:
        """Encode several images at once with both."""
        if len(images_rgb) == 1:
            embeddings = [self._segmenter.encode(images_rgb[0])]
        else:
            embeddings = self._segmenter.encode_batch(images_rgb)
        seen = self._follower.encode_batch(images_rgb)
        return [replace(one, query=other.query) for one, other in zip(embeddings, seen, strict=True)]

    def decode(self, embedding: Embedding, prompts: Sequence[Prompt], multimask_output: bool = True) -> Decoded:
        """What the segmenter answers."""
        return self._segmenter.decode(embedding, prompts, multimask_output)

    def mask_input(self, mask: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]:
        """As the segmenter wants it."""
        return self._segmenter.mask_input(mask, image_size)

    def upscale(self, logits: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]:
        """As the segmenter does it."""
        return self._segmenter.upscale(logits, image_size)

    def find(self, embedding: Embedding, limit: int) -> list[Found]:
        """What the segmenter finds."""
        return self._segmenter.find(embedding, limit)

    def features(self, embedding: Embedding) -> NDArray[np.float32]:
        """The segmenter's."""
        return self._segmenter.features(embedding)
