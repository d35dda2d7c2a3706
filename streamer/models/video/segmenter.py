"""A promptable segmenter that follows what it has segmented by its own memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from streamer.models.protocols import Embedding
from streamer.models.sam2.networks import Sam2Network
from streamer.models.sam2.segmenter import PromptableSegmenter
from streamer.models.video.memory import VideoMemory
from streamer.models.video.session import VideoModel


class VideoSegmenter(PromptableSegmenter):
    """SAM 2.1, EdgeTAM or SAM 3's tracker with its memory.

    Args:
        network, processor, name, device: As for `PromptableSegmenter`.
        session_class: The class of its streaming sessions.
        tracks: Name of the `tracking.method` that is its memory.

    Attributes:
        memory: Remembers the masks of frames.
    """

    def __init__(
        self, network: Sam2Network, processor: Any, name: str, device: torch.device, session_class: type, tracks: str
    ) -> None:
        super().__init__(network, processor, name, device)
        self.tracks = tracks
        self.memory = VideoMemory(VideoModel(network.model, session_class), network.square.side_px)

    def encode_batch(self, images_rgb: Sequence[NDArray[np.uint8]]) -> list[Embedding]:
        """As `PromptableSegmenter`; the query holds what its memory finds on the frame."""
        return [replace(one, query={}) for one in super().encode_batch(images_rgb)]
