"""What every slow model is from outside: numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.data.depth_unit import DepthUnit
from streamer.data.detection import Detection
from streamer.data.prompt import Prompt


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """What SAM's image encoder makes of one frame. It depends on no prompt, and only the model that made it reads it.

    Attributes:
        features: The model's own tensor, ``(1, C, h, w)`` on its device.
        image_size: (width, height) of the frame [px].
        query: What a mask memory reads of the same frame; None from a model that has none.
    """

    features: Any
    image_size: tuple[int, int]
    query: Any = None


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """SAM's answers for N prompts: K candidate masks each (K = 3, or 1 without multimask output).

    Attributes:
        logits: ``(N, K, h, w)`` float32 low-resolution mask logits; above 0 is inside.
        scores: ``(N, K)`` float32 predicted IoU of each candidate.
    """

    logits: NDArray[np.float32]
    scores: NDArray[np.float32]

    def best(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The candidate of highest predicted IoU for each prompt: logits ``(N, h, w)`` and scores ``(N,)``."""
        rows = np.arange(len(self.scores))
        best = self.scores.argmax(axis=1)
        return self.logits[rows, best], self.scores[rows, best]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """An object that SAM found without a prompt.

    Attributes:
        mask: ``(H, W)`` bool on the frame.
        score: Predicted IoU, 0 to 1.
    """

    mask: NDArray[np.bool_]
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """What a mask memory keeps of one frame; only the model that made it reads it.

    Attributes:
        key: Of the frame.
        values: Of each object whose mask is known there, by id.
    """

    key: Any
    values: Mapping[int, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Recalled:
    """Masks of N objects as a mask memory sees them on one more frame.

    Attributes:
        logits: ``(N, h, w)`` float32 mask logits; above 0 is inside, and no pixel is inside two.
        presence: ``(N,)`` float32 probability that the object is there at all.
        predicted_iou: ``(N,)`` float32 IoU to expect if it is.
    """

    logits: NDArray[np.float32]
    presence: NDArray[np.float32]
    predicted_iou: NDArray[np.float32]


class MaskMemory(Protocol):
    """A space-time memory: from masks on earlier frames to masks on this one. It holds no state of its own."""

    def remember(self, embedding: Embedding, masks: Mapping[int, NDArray[np.uint8]]) -> Memory:
        """What to keep of a frame with the ``(H, W)`` uint8 soft masks of these objects, of any size."""
        ...

    def recall(
        self,
        embedding: Embedding,
        memories: Sequence[Memory],
        object_ids: Sequence[int],
        carried: Mapping[int, NDArray[np.uint8]],
        size: tuple[int, int],
    ) -> Recalled:
        """The masks of objects on one more frame.

        Args:
            embedding: Of that frame.
            memories: Earlier frames; every object is known on one of them at least.
            object_ids: Whose masks, in which order.
            carried: ``(H, W)`` uint8 soft masks, of any size, of those that flow has carried there, and of others
                beside them.
            size: (width, height) of the masks that are wanted [px].
        """
        ...


class Segmenter(Protocol):
    """SAM, or a model like it: an image is encoded once, slowly, and prompts are decoded often, quickly."""

    name: str

    def encode(self, image_rgb: NDArray[np.uint8]) -> Embedding:
        """Encode a ``(H, W, 3)`` uint8 RGB image. Slow; depends on no prompt."""
        ...

    def encode_batch(self, images_rgb: Sequence[NDArray[np.uint8]]) -> list[Embedding]:
        """Encode several images at once: the same as one after the other within float tolerance."""
        ...

    def decode(self, embedding: Embedding, prompts: Sequence[Prompt], multimask_output: bool = True) -> Decoded:
        """Answer N prompts (points, box, mask_input; in pixels of the encoded frame) in one batch."""
        ...

    def mask_input(self, mask: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]:
        """Turn a ``(H, W)`` soft mask (0 to 1, or bool) into ``(h, w)`` logits to be used as ``mask_input``."""
        ...

    def upscale(self, logits: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]:
        """Bring ``(M, h, w)`` low-resolution logits to the frame: ``(M, H, W)`` float32; above 0 is inside."""
        ...

    def find(self, embedding: Embedding, limit: int) -> list[Found]:
        """Objects without any prompt: up to ``limit``, the one most worth following first.

        Worth following is what the model is sure of, what is stable and not cut off by the frame, and rather what is
        large than what is small.
        """
        ...

    def features(self, embedding: Embedding) -> NDArray[np.float32]:
        """``(h, w, C)`` float32 embedding of the part of the square input that holds the image."""
        ...


class RememberingSegmenter(Segmenter, Protocol):
    """A segmenter whose embeddings a mask memory can read."""

    @property
    def memory(self) -> MaskMemory:
        """Remembers the masks of frames."""
        ...


REFINER_PLANES, REFINER_SIDE_PX = 11, 80


class Refiner(Protocol):
    """A network quick enough for every frame, which mends carried masks.

    Attributes:
        side_px: S, of the crops that it is shown.
    """

    side_px: int

    def __call__(self, planes: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Soft masks of objects, ``(N, S, S)`` uint8, on ``(N, S, S, 11)`` uint8 crops around them. In any thread.

        And ``(N,)`` float32, the IoU that each is thought to have.

        The planes: the mask carried from the anchor's frame; from the frame before; how much the present looks like the
        anchor's frame there; how much its colors speak for the object; the present frame, RGB; the anchor's, carried
        here, RGB; other objects.
        """
        ...


class DepthEstimator(Protocol):
    """DPT or a model like it: one image in, one map out."""

    name: str

    @property
    def unit(self) -> DepthUnit:
        """What its numbers mean: relative inverse depth, or exact 1/m."""
        ...

    def estimate(self, image_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(H, W)`` float32 inverse depth (larger is nearer) of a ``(H, W, 3)`` uint8 RGB image."""
        ...


class Detector(Protocol):
    """A model that finds things by words: one image and some phrases in, boxes or masks out."""

    name: str

    def detect(self, image_rgb: NDArray[np.uint8], phrases: Sequence[str]) -> list[Detection]:
        """What answers any of the phrases on a ``(H, W, 3)`` uint8 RGB image, the surest first. Slow.

        Each detection has one of the phrases, as it was given, for its label. Nothing that answers is no error.
        """
        ...
