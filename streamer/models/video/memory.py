"""A video model's memory as a :class:`streamer.models.protocols.MaskMemory`: numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from streamer.models.protocols import Embedding, Memory, Recalled
from streamer.models.stability import stability
from streamer.models.video.session import ObjectMemory, VideoModel

SoftMask = NDArray[np.uint8]
INSIDE = 127
"""The middle of uint8."""
OUTSIDE_LOGIT = -10.0
"""Of pixels that another object has: SAM 2's own."""


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A mask that the model itself found on a frame, ``(H, W)`` bool, and what it keeps of it."""

    mask: NDArray[np.bool_]
    memory: ObjectMemory


class VideoMemory:
    """SAM 2's memory (Ravi et al., 2024): frames with masks are attended to, and an object pointer for each of them.

    What it has found itself and nobody has changed since is remembered as it found it; any other mask is taken for
    given, as a person's is.

    Args:
        model: The video model.
        side_px: Side of its square input [px].
    """

    def __init__(self, model: VideoModel, side_px: int) -> None:
        self._model, self._side_px = model, side_px

    @torch.inference_mode()
    def remember(self, embedding: Embedding, masks: Mapping[int, SoftMask]) -> Memory:
        """What to keep of a frame with the ``(H, W)`` uint8 soft masks of these objects, of any size."""
        seen: dict[int, _Seen] = embedding.query
        known = {each: seen[each].memory for each, mask in masks.items() if _is_the_same(seen.get(each), mask)}
        given = [each for each in masks if each not in known]
        if given:
            squares = torch.stack([self._on_square(masks[each]) for each in given])
            known |= dict(zip(given, self._model.condition(embedding.features, squares), strict=True))
        return Memory(None, known)

    @torch.inference_mode()
    def recall(
        self,
        embedding: Embedding,
        memories: Sequence[Memory],
        object_ids: Sequence[int],
        carried: Mapping[int, SoftMask],
        size: tuple[int, int],
    ) -> Recalled:
        """The masks of objects on one more frame; what flow carried there is not looked at."""
        frames = [[one.values[each] for one in memories if each in one.values] for each in object_ids]
        tracked = self._model.track(embedding.features, frames)
        low = tracked.logits.cpu().numpy()
        logits = _apart(np.stack([cv2.resize(one, size, interpolation=cv2.INTER_LINEAR) for one in low]))
        for each, one, memory in zip(object_ids, logits, tracked.memories, strict=True):
            embedding.query[each] = _Seen(one > 0, memory)
        presence = tracked.object_scores.sigmoid().cpu().numpy()
        stable = np.array([stability(one) for one in low], np.float32)  # for the IoU, which sessions do not tell
        return Recalled(logits, presence, stable)

    def _on_square(self, mask: SoftMask) -> Tensor:
        """``(S, S)`` float32, 0 or 1."""
        square = cv2.resize(mask, (self._side_px, self._side_px), interpolation=cv2.INTER_LINEAR)
        return torch.from_numpy((square > INSIDE).astype(np.float32))


def _is_the_same(seen: _Seen | None, mask: SoftMask) -> bool:
    return seen is not None and seen.mask.shape == mask.shape and np.array_equal(seen.mask, mask > INSIDE)


def _apart(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """``(N, H, W)`` logits of which at most one is above 0 in each pixel: the largest."""
    largest = logits.argmax(axis=0)[None] == np.arange(len(logits))[:, None, None]
    return np.where(largest, logits, np.minimum(logits, OUTSIDE_LOGIT)).astype(np.float32)
