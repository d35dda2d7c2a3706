"""The tiny memory as a :class:`streamer.models.protocols.MaskMemory`: numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from streamer.models.protocols import Embedding, Memory, Recalled
from streamer.models.tiny.memory import MemoryNetwork
from streamer.models.tiny.memory_reading import recall_objects, remember_objects

SoftMask = NDArray[np.uint8]


class Layout(Protocol):
    """Where an image lies in a segmenter's low-resolution masks."""

    def low_res_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of the part that shows the image."""
        ...

    def upscale(self, logits: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]:
        """That part of ``(M, h, w)`` logits brought to ``(M, H, W)``."""
        ...


class TinyMemory:
    """The memory network and where an image lies on its grid.

    Args:
        network: On its device, in float32.
        layout: Of the segmenter whose encoder the network was trained on.
    """

    def __init__(self, network: MemoryNetwork, layout: Layout) -> None:
        self._network, self._layout = network, layout

    @torch.inference_mode()
    def remember(self, embedding: Embedding, masks: Mapping[int, SoftMask]) -> Memory:
        """What to keep of a frame with the ``(H, W)`` uint8 soft masks of these objects, of any size."""
        on_grid = {each: self._on_grid(mask, embedding) for each, mask in masks.items()}
        return remember_objects(self._network, embedding.query, on_grid)

    @torch.inference_mode()
    def recall(
        self,
        embedding: Embedding,
        memories: Sequence[Memory],
        object_ids: Sequence[int],
        carried: Mapping[int, SoftMask],
        size: tuple[int, int],
    ) -> Recalled:
        """The masks of objects on one more frame. See :class:`streamer.models.protocols.MaskMemory`."""
        on_grid = {each: self._on_grid(mask, embedding) for each, mask in carried.items()}
        answer = recall_objects(self._network, embedding.query, memories, object_ids, on_grid)
        low = answer.mask_logits[0].cpu().numpy()
        return Recalled(
            self._layout.upscale(low, size),
            answer.presence_logits[0].sigmoid().cpu().numpy(),
            answer.iou_logits[0].sigmoid().cpu().numpy(),
        )

    def _on_grid(self, mask: SoftMask, embedding: Embedding) -> Tensor:
        """``(4h, 4w)`` float32, 0 to 1; what lies beyond the image is outside."""
        columns, rows = self._layout.low_res_size(embedding.image_size)
        small = cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA)
        on_grid = torch.zeros(embedding.query.stride4.shape[-2:])
        on_grid[:rows, :columns] = torch.from_numpy(small).float() / 255
        return on_grid.to(embedding.query.stride4.device)
