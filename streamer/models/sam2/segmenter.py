"""Promptable models of transformers as a `Segmenter`: SAM 2.1 (Ravi et al., 2024), EdgeTAM, SAM 3's tracker, SAM-HQ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from streamer.data.prompt import Prompt
from streamer.models.protocols import Decoded, Embedding, Found
from streamer.models.sam2.networks import PromptableNetwork, Prompts

MAX_PROMPTS = 16
"""Decoded at once: a SAM 2 keeps 30 MB for each meanwhile."""
NOT_A_POINT = -1


class PromptableSegmenter:
    """A promptable network of transformers as a :class:`streamer.models.protocols.Segmenter`.

    ``encode`` may run in one thread while ``decode`` runs in another: neither changes any state.

    Args:
        network: The network.
        processor: Its image processor.
        name: What to call it.
        device: Where it runs.
    """

    def __init__(self, network: PromptableNetwork, processor: Any, name: str, device: torch.device) -> None:
        self.name = name
        self.network = network
        self._processor, self._device = processor, device

    def warm_up(self) -> None:
        """Do now what would make the first frame slow, where there is such a thing."""
        if self._device.type == "cuda":
            side_px = self.network.square.side_px
            self.decode(self.encode(np.zeros((side_px, side_px, 3), np.uint8)), [Prompt(point_coords=[(0, 0)])])

    def encode(self, image_rgb: NDArray[np.uint8]) -> Embedding:
        """Encode a ``(H, W, 3)`` uint8 RGB image."""
        return self.encode_batch([image_rgb])[0]

    @torch.inference_mode()
    def encode_batch(self, images_rgb: Sequence[NDArray[np.uint8]]) -> list[Embedding]:
        """Encode several images at once: the same as one after the other within float tolerance."""
        images = [torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1) for image in images_rgb]
        pixels = self._processor(images=images, device=self._device, return_tensors="pt")["pixel_values"]
        features = self.network.encode(pixels.to(self._device))
        sizes = [(image.shape[1], image.shape[0]) for image in images_rgb]
        return [Embedding(one, size) for one, size in zip(features, sizes, strict=True)]

    @torch.inference_mode()
    def decode(self, embedding: Embedding, prompts: Sequence[Prompt], multimask_output: bool = True) -> Decoded:
        """Answer N prompts (points, box, mask_input; in pixels of the encoded frame).

        Each gets the same answer that it would get alone: prompts of one shape are decoded together, since points that
        fill up a batch would be attended to. A prompt without anything asks for what is salient.
        """
        candidates = self.network.candidates if multimask_output else 1
        columns, rows = self.network.square.low_res(embedding.image_size)
        logits = np.empty((len(prompts), candidates, rows, columns), np.float32)
        scores = np.empty((len(prompts), candidates), np.float32)
        for places in _of_one_shape(prompts):
            batch = self._prompts([prompts[place] for place in places], embedding.image_size)
            some_logits, some_scores = self.network.decode(embedding.features, batch, multimask_output)
            logits[places], scores[places] = some_logits.float().cpu().numpy(), some_scores.float().cpu().numpy()
        return Decoded(logits, scores)

    def mask_input(self, mask: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]:
        """Turn a soft mask (0 to 1, or bool) of an image into ``(h, w)`` logits to be used as ``mask_input``."""
        return self.network.square.mask_input(mask, image_size)

    def upscale(self, logits: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]:
        """Bring ``(M, h, w)`` low-resolution logits to the frame: ``(M, H, W)`` float32; above 0 is inside."""
        return self.network.square.upscale(logits, image_size)

    def find(self, embedding: Embedding, limit: int) -> list[Found]:
        """Objects without any prompt: up to ``limit``, the one most worth following first."""
        valid_size = self.network.square.valid_low_res(embedding.image_size)
        from streamer.models.sam import automatic

        return automatic.find(self, embedding, valid_size, limit)

    def features(self, embedding: Embedding) -> NDArray[np.float32]:
        """``(h, w, C)`` float32 embedding of the part of the square input that holds the image."""
        columns, rows = self.network.square.resized(embedding.image_size)
        patch_px = self.network.patch_px
        grid = self.network.grid(embedding.features)[:, : -(-rows // patch_px), : -(-columns // patch_px)]
        features: NDArray[np.float32] = grid.permute(1, 2, 0).contiguous().float().cpu().numpy()
        return features

    def _prompts(self, prompts: Sequence[Prompt], image_size: tuple[int, int]) -> Prompts:
        """Prompts of one shape, in pixels of the square."""
        scale = np.array(self.network.square.scale(image_size), np.float32)
        first = prompts[0]
        points = np.stack([prompt.point_coords for prompt in prompts]) * scale
        labels = np.stack([prompt.point_labels for prompt in prompts])
        if len(first.point_coords) == 0 and first.box is None:  # neither points nor box: upstream says so by a point
            points, labels = np.zeros((len(prompts), 1, 2)), np.full((len(prompts), 1), NOT_A_POINT)
        boxes = [prompt.box * np.tile(scale, 2) for prompt in prompts if prompt.box is not None]
        masks = [prompt.mask_input[None] for prompt in prompts if prompt.mask_input is not None]
        return Prompts(
            self._tensor(points[None], np.float32) if labels.size else None,
            self._tensor(labels[None], np.int32) if labels.size else None,
            self._tensor(np.stack(boxes)[None], np.float32) if boxes else None,
            self._tensor(np.stack(masks), np.float32) if masks else None,
        )

    def _tensor(self, values: NDArray, dtype: type) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, dtype)).to(self._device)


def _of_one_shape(prompts: Sequence[Prompt]) -> list[list[int]]:
    """Places of prompts that can be decoded together, at most `MAX_PROMPTS` of them."""
    groups: dict[tuple[int, bool, bool], list[int]] = {}
    for place, prompt in enumerate(prompts):
        shape = len(prompt.point_coords), prompt.box is not None, prompt.mask_input is not None
        groups.setdefault(shape, []).append(place)
    return [group[at : at + MAX_PROMPTS] for group in groups.values() for at in range(0, len(group), MAX_PROMPTS)]
