"""Follow an object through a sequence with nothing but the memory: what the choice of weights is made by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from streamer.evaluation.metrics import boundary_f, iou
from streamer.models.tiny.memory import ImageFeatures, MemoryNetwork
from streamer.models.tiny.memory_reading import recall_objects, remember_objects
from streamer.models.tiny.sam import TinyImageEncoder
from streamer.tracking.memory_bank import MemoryBank
from streamer.tracking.parameters import MemoryParameters
from training.memory_flow import Flow, carry, flow_over
from training.memory_steps import look
from training.memory_videos import Video

SIZE = (512, 288)
CELLS = (SIZE[0] // 4, SIZE[1] // 4)
STEP = 7  # frames from one look to the next, as shipped
RECENT = 5
OBJECT = 1


@dataclass(frozen=True, slots=True)
class Variant:
    """What is remembered beside the first frame, and which mask is taken.

    Attributes:
        recent: So many of its own last answers.
        decoded: The decoder's mask rather than the read-out's.
        carried: Whether the decoder is shown the last answer, carried here by flow.
    """

    name: str
    recent: int
    decoded: bool
    carried: bool = False


VARIANTS = (
    Variant("first, read-out", 0, False),
    Variant("first + 5, read-out", RECENT, False),
    Variant("first, decoder", 0, True),
    Variant("first + 5, decoder", RECENT, True),
)
WITH_FLOW = Variant("first + 5, decoder, flow", RECENT, True, carried=True)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Every 7th frame of a sequence, as far as it does not depend on the memory.

    Attributes:
        features: Of each frame.
        truths: ``(H, W)`` bool of each frame.
        flows: From each frame but the first one back to the one before it; empty unless asked for.
    """

    name: str
    features: list[ImageFeatures]
    truths: list[NDArray[np.bool_]]
    flows: list[Flow]


@dataclass(slots=True)
class Followed:
    """What came of it, for each frame after the first.

    Attributes:
        ious, contours: Region similarity J and contour accuracy F, at the truth's size.
        presences, expected: What the memory says itself: whether it is there, and the IoU if so.
        masks: ``(H, W)`` bool.
    """

    ious: list[float] = field(default_factory=list)
    contours: list[float] = field(default_factory=list)
    presences: list[float] = field(default_factory=list)
    expected: list[float] = field(default_factory=list)
    masks: list[NDArray[np.bool_]] = field(default_factory=list)


@torch.inference_mode()
def prepare(
    encoder: TinyImageEncoder, videos: Sequence[Video], with_flow: bool = False, step: int = STEP
) -> list[Prepared]:
    """Features of every ``step``-th frame; they stay the same as long as the encoder does."""
    prepared = []
    for video in videos:
        frames = range(0, len(video.images), step)
        images = {frame: _small(video, frame) for frame in (range(len(video.images)) if with_flow else frames)}
        features = [look(encoder, torch.from_numpy(images[frame])[None, None]) for frame in frames]
        flows = [flow_over([images[f] for f in range(end - step, end + 1)]) for end in frames[1:]] if with_flow else []
        truths = [video.mask(frame).astype(bool) for frame in frames]
        prepared.append(Prepared(video.name, features, truths, flows))
    return prepared


@torch.inference_mode()
def follow(network: MemoryNetwork, sequence: Prepared, variant: Variant, contours: bool = False) -> Followed:
    """Through the sequence from the true mask of its first frame."""
    queries = [network.keys(features) for features in sequence.features]
    last = _cells(sequence.truths[0])
    bank = MemoryBank(MemoryParameters(recent=variant.recent))
    bank.add(0, remember_objects(network, queries[0], {OBJECT: last}), given=[OBJECT])
    followed = Followed()
    for number, (query, truth) in enumerate(zip(queries[1:], sequence.truths[1:], strict=True)):
        carried = {OBJECT: carry(last, sequence.flows[number])} if variant.carried else {}
        answer = recall_objects(network, query, bank.memories, [OBJECT], carried)
        coarse = functional.interpolate(answer.readout_logits, scale_factor=4.0, mode="bilinear", align_corners=False)
        logits = answer.mask_logits if variant.decoded else coarse
        present = bool(answer.presence_logits[0, 0] > 0)
        last = logits[0, 0].sigmoid() * present
        mask = functional.interpolate(logits, truth.shape[:2], mode="bilinear", align_corners=False)[0, 0].numpy() > 0
        mask &= present
        followed.masks.append(mask)
        followed.ious.append(iou(mask, truth))
        followed.contours.append(boundary_f(mask, truth) if contours else 0.0)
        followed.presences.append(float(answer.presence_logits.sigmoid()))
        followed.expected.append(float(answer.iou_logits.sigmoid()))
        if variant.recent:
            bank.add(number + 1, remember_objects(network, query, {OBJECT: last}))
    return followed


def mean_iou(network: MemoryNetwork, sequences: Sequence[Prepared], variant: Variant) -> dict[str, float]:
    """Mean IoU of each sequence, and of them all as ``mean``."""
    each = {sequence.name: float(np.mean(follow(network, sequence, variant).ious)) for sequence in sequences}
    return {**each, "mean": float(np.mean(list(each.values())))}


def _small(video: Video, frame: int) -> NDArray[np.uint8]:
    return cv2.resize(video.image(frame), SIZE, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _cells(truth: NDArray[np.bool_]) -> Tensor:
    cells = cv2.resize(truth.astype(np.float32), CELLS, interpolation=cv2.INTER_AREA)
    return torch.from_numpy(cells)
