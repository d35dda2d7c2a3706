"""What is asked about a keyframe, and what comes back. It is computed in whatever thread there is time for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from streamer.models.protocols import Embedding, Memory, RememberingSegmenter
from streamer.motion.pyramid import Grid
from streamer.tracking import clicks
from streamer.tracking.clicks import ClickAnswer, ClickRequest
from streamer.tracking.parameters import KNOWN_SHARE, PRESENT
from streamer.tracking.soft_masks import INSIDE, Mask, SoftMask, soft

_OTHERS = 0
"""Stands for objects that a keyframe does not ask about; nobody else has this number."""


@dataclass(frozen=True, slots=True, eq=False)
class Recall:
    """What the memory says about one object.

    Attributes:
        soft_mask: ``(h, w)`` uint8 on the grid of the keyframe.
        presence: Probability that it is there.
        predicted_iou: To be expected if it is.
    """

    soft_mask: SoftMask
    presence: float
    predicted_iou: float

    @property
    def is_present(self) -> bool:
        """Whether it is rather there than not."""
        return self.presence > PRESENT and bool(self.soft_mask.max(initial=0) > INSIDE)


@dataclass(frozen=True, slots=True, eq=False)
class Discovery:
    """An object that nobody asked about.

    Attributes:
        soft_mask: ``(h, w)`` uint8 on the grid of the keyframe.
        score: Predicted IoU, 0 to 1.
    """

    soft_mask: SoftMask
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """What is to be asked about a frame.

    Attributes:
        on_grid: ``(h, w, 3)`` uint8 RGB, the frame on the grid.
        grid: What masks are kept on.
        clicks: What a person said, to be answered by SAM.
        given: ``(h, w)`` uint8 true masks, by object.
        sought: Objects that the memory is asked about.
        waiting: Objects that it would know as well, and that are not asked about this time.
        carried: ``(h, w)`` uint8 masks that flow brought here, of those of them that are not lost.
        memories: What is remembered.
        versions: How often the person had spoken about each object.
        find: How many objects to look for that nobody has pointed out.
    """

    on_grid: NDArray[np.uint8]
    grid: Grid
    clicks: Sequence[ClickRequest] = ()
    given: Mapping[int, SoftMask] = field(default_factory=dict)
    sought: Sequence[int] = ()
    waiting: Sequence[int] = ()
    carried: Mapping[int, SoftMask] = field(default_factory=dict)
    memories: Sequence[Memory] = ()
    versions: Mapping[int, int] = field(default_factory=dict)
    find: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What a keyframe brings back.

    Attributes:
        memory: What to keep of the frame, of every object that is there; found ones have the numbers -1, -2, ...
        versions: How often the person had spoken about each object when this was asked.
        clicked: SAM's answers to what a person said.
        given: Objects whose true mask is remembered.
        recalled: What the memory says, by object.
        found: Objects that nobody asked about, in the order of their numbers.
        embedding: Of the keyframe, for the clicks to come; None from a call that used an older one.
        timings_ms: Time spent on "encode" and "decode", or on a "click" [ms].
    """

    memory: Memory
    versions: Mapping[int, int]
    clicked: Sequence[ClickAnswer] = ()
    given: Sequence[int] = ()
    recalled: Mapping[int, Recall] = field(default_factory=dict)
    found: Sequence[Discovery] = ()
    embedding: Embedding | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)


def look(segmenter: RememberingSegmenter, encode: Callable[[], Embedding], asked: Questions, passes: int) -> Answers:
    """Encode the frame and answer what is asked about it."""
    start_s = time.perf_counter()
    embedding = encode()
    encoded_s = time.perf_counter()
    clicked = clicks.answer(segmenter, embedding, asked.clicks, asked.on_grid, asked.grid, passes)
    recalled = _recall(segmenter, embedding, asked)
    masks = {each: one.soft_mask for each, one in recalled.items() if one.is_present}
    masks |= {one.request.object_id: one.soft_mask for one in clicked} | dict(asked.given)
    beside = [asked.carried[each] for each in asked.waiting if each in asked.carried]
    found = _found(segmenter, embedding, asked, [*masks.values(), *beside])
    masks |= {-1 - at: one.soft_mask for at, one in enumerate(found)}
    return Answers(
        _remembered(segmenter, embedding, masks, beside),
        asked.versions,
        clicked,
        list(asked.given),
        recalled,
        found,
        embedding,
        {"encode": (encoded_s - start_s) * 1000, "decode": _since_ms(encoded_s)},
    )


def _remembered(
    segmenter: RememberingSegmenter, embedding: Embedding, masks: Mapping[int, SoftMask], beside: Sequence[SoftMask]
) -> Memory:
    """What to keep of these objects, beside others of which nothing is kept."""
    if not beside:
        return segmenter.memory.remember(embedding, masks)
    memory = segmenter.memory.remember(embedding, {**masks, _OTHERS: np.maximum.reduce(beside)})
    return replace(memory, values={each: value for each, value in memory.values.items() if each != _OTHERS})


def _found(
    segmenter: RememberingSegmenter, embedding: Embedding, asked: Questions, known: Sequence[SoftMask]
) -> list[Discovery]:
    """Objects that nobody asked about, without those that are followed already."""
    if not asked.find:
        return []
    taken = np.zeros(asked.grid.shape, bool)
    for soft_mask in known:
        taken |= soft_mask > INSIDE
    found = segmenter.find(embedding, asked.find + len(known))
    on_grid = [Discovery(asked.grid.shrink(one.mask.astype(np.uint8) * 255), one.score) for one in found]
    return [one for one in on_grid if _is_new(one.soft_mask > INSIDE, taken)][: asked.find]


def _is_new(mask: Mask, taken: Mask) -> bool:
    return bool(np.count_nonzero(mask & taken) <= KNOWN_SHARE * np.count_nonzero(mask))


def look_again(segmenter: RememberingSegmenter, embedding: Embedding, asked: Questions, passes: int) -> Answers:
    """Answer clicks about a frame that was encoded before."""
    start_s = time.perf_counter()
    clicked = clicks.answer(segmenter, embedding, asked.clicks, asked.on_grid, asked.grid, passes)
    memory = segmenter.memory.remember(embedding, {one.request.object_id: one.soft_mask for one in clicked})
    return Answers(memory, asked.versions, clicked, timings_ms={"click": _since_ms(start_s)})


def _recall(segmenter: RememberingSegmenter, embedding: Embedding, asked: Questions) -> dict[int, Recall]:
    if not asked.sought:
        return {}
    carried = {each: asked.carried[each] for each in (*asked.sought, *asked.waiting) if each in asked.carried}
    recalled = segmenter.memory.recall(embedding, asked.memories, asked.sought, carried, asked.grid.size)
    each = zip(asked.sought, recalled.logits, recalled.presence, recalled.predicted_iou, strict=True)
    return {one: Recall(soft(logits), float(presence), float(iou)) for one, logits, presence, iou in each}


def _since_ms(start_s: float) -> float:
    return (time.perf_counter() - start_s) * 1000
