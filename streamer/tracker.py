"""Objects over time: what was said about each, its mask, and how sure we are of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.motion import Anchor, Grid, Motion
from streamer.prompts import FOREGROUND, Decoded, Embedding, Prompt, box_of
from streamer.result import State

INSIDE = 127
"""Soft masks are uint8; above this a pixel belongs to the object."""
_MIN_OVERLAP = 0.2


class Decoder(Protocol):
    """The part of a segmenter that answers prompts."""

    def decode(self, embedding: Embedding, prompts: Sequence[Prompt], multimask_output: bool = True) -> Decoded: ...

    def mask_input(self, mask: NDArray[np.float32]) -> NDArray[np.float32]: ...

    def upscale(self, logits: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What SAM is asked about one object on a keyframe.

    Attributes:
        object_id: The object.
        version: How often the person had spoken about it when the question was asked.
        spoken: Whether the person has spoken since the last question: then the answer is theirs, and is believed.
        prompt: Clicks, box and what else is known, in pixels of the keyframe.
        carried: ``(h, w)`` uint8 soft mask on the grid that the flow brought to the keyframe; None for a new object.
    """

    object_id: int
    version: int
    spoken: bool
    prompt: Prompt
    carried: NDArray[np.uint8] | None


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What SAM said: the mask chosen among its candidates.

    Attributes:
        question: What was asked.
        soft: ``(h, w)`` uint8 soft mask on the grid of the keyframe.
        score: Predicted IoU.
        agreement: IoU with the carried mask; None where nothing was carried.
    """

    question: Question
    soft: NDArray[np.uint8]
    score: float
    agreement: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One object on the working grid of the present frame, before it is brought to the frame's size."""

    object_id: int
    soft: NDArray[np.uint8]
    score: float
    state: State
    point_coords: NDArray[np.float32]
    point_labels: NDArray[np.int32]


@dataclass(slots=True, eq=False)
class _Object:
    id: int
    said: list[Prompt] = field(default_factory=list)
    version: int = 0
    answered: int = 0
    clicks: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))
    labels: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    box: NDArray[np.float32] | None = None
    anchor: Anchor | None = None
    soft: NDArray[np.uint8] | None = None
    score: float = 0.0
    state: State = State.UNCERTAIN
    rejections: int = 0


class Tracker:
    """Follows objects: carries their masks, asks SAM about them, and decides what to believe.

    Args:
        min_agreement: IoU between the carried and the new mask from which the new one is taken without doubt.
        min_score: Predicted IoU from which a new mask is taken although it agrees less, as long as it overlaps.
        lost_after: Rejected answers in a row after which an object counts as lost.
    """

    def __init__(self, min_agreement: float = 0.5, min_score: float = 0.8, lost_after: int = 3) -> None:
        self._min_agreement, self._min_score, self._lost_after = min_agreement, min_score, lost_after
        self._objects: dict[int, _Object] = {}
        self._order: list[int] = []
        self.trouble: str | None = None

    def __len__(self) -> int:
        return len(self._objects)

    @property
    def unanswered(self) -> bool:
        """Whether a person has said something that SAM has not been asked about."""
        return any(item.answered < item.version for item in self._objects.values())

    def add(self, prompt: Prompt, motion: Motion) -> int:
        """Take in what a person says on the present frame. Returns the object's id."""
        object_id = prompt.object_id if prompt.object_id is not None else max(self._objects, default=0) + 1
        item = self._objects.setdefault(object_id, _Object(object_id))
        item.said.append(prompt)
        self._order.append(object_id)
        item.version += 1
        self._take(item, prompt, motion)
        return object_id

    def remove(self, object_id: int) -> None:
        """Follow this object no longer. An unknown id does nothing."""
        self._objects.pop(object_id, None)
        self._order = [kept for kept in self._order if kept != object_id]

    def undo(self) -> None:
        """Take back the last thing that was said; an object about which nothing is left goes away."""
        if not self._order:
            return
        item = self._objects[self._order.pop()]
        last = item.said.pop()
        if not item.said:
            self.remove(item.id)
            return
        kept = len(item.clicks) - len(last.point_coords)
        item.clicks, item.labels = item.clicks[: max(kept, 0)], item.labels[: max(kept, 0)]
        item.box = item.said[-1].box
        item.version += 1

    def forget_masks(self) -> None:
        """The scene has changed: nothing that was carried means anything any more."""
        for item in self._objects.values():
            item.anchor = item.soft = item.box = None
            item.clicks, item.labels = item.clicks[:0], item.labels[:0]
            item.state, item.score = State.LOST, 0.0

    def advance(self, motion: Motion) -> None:
        """Move clicks on by one frame; those that cannot be followed are dropped."""
        clicks = [item.clicks for item in self._objects.values()]
        if not clicks:
            return
        moved, good = motion.follow(np.concatenate(clicks))
        start = 0
        for item in self._objects.values():
            chosen = slice(start, start + len(item.clicks))
            start = chosen.stop
            item.clicks, item.labels = moved[chosen][good[chosen]], item.labels[good[chosen]]

    def questions(self, motion: Motion) -> list[Question]:
        """What to ask SAM on the present frame, which is to become a keyframe."""
        asked = []
        for item in self._objects.values():
            carried = self._carried(item)
            prompt = _prompt(item, carried, motion.grid)
            if prompt is not None:
                asked.append(Question(item.id, item.version, item.answered < item.version, prompt, carried))
                item.answered = item.version
        return asked

    def corrections(self, anchor: Anchor) -> list[Question]:
        """What a person has said since the last keyframe was asked for, put as questions about an older anchor.

        SAM's embedding of that anchor's frame is at hand, so these can be answered without waiting for the encoder.
        """
        asked = []
        for item in self._objects.values():
            if item.answered >= item.version:
                continue
            prompt = _prompt(item, self._carried(item), anchor.grid)
            if prompt is not None:
                carried = item.soft if item.anchor is anchor else None
                asked.append(Question(item.id, item.version, True, _moved(prompt, anchor), carried))
        return asked

    def add_found(self, mask: NDArray[np.bool_], score: float, anchor: Anchor) -> int:
        """Follow an object that was found on an anchor's frame without any prompt. Returns its id."""
        item = _Object(max(self._objects, default=0) + 1, score=score, state=State.TRACKED)
        item.soft, item.anchor = anchor.grid.shrink(mask.astype(np.uint8) * 255), anchor
        self._objects[item.id] = item
        return item.id

    def adopt(self, answers: Iterable[Answer], anchor: Anchor) -> None:
        """Believe the answers or not; either way the objects asked about now hang on the keyframe's anchor."""
        for answer in answers:
            item = self._objects.get(answer.question.object_id)
            if item is None or item.version != answer.question.version:
                continue
            item.box = None
            self._judge(item, answer)
            item.anchor = anchor

    def sights(self, motion: Motion) -> list[Sight]:
        """Every object on the present frame. Overlaps go to the object that is surer of the pixel."""
        items = sorted(self._objects.values(), key=lambda item: item.id)
        softs = [self._carried(item) for item in items]
        empty = np.zeros(motion.grid.size[::-1], np.uint8)
        shown = [
            empty if soft is None or item.state is State.LOST else soft for item, soft in zip(items, softs, strict=True)
        ]
        apart = _apart(shown, [item.score for item in items])
        return [
            Sight(item.id, soft, item.score, item.state, item.clicks, item.labels)
            for item, soft in zip(items, apart, strict=True)
        ]

    @property
    def mask_age(self) -> int | None:
        """Frames since the oldest anchor that a mask hangs on."""
        return max((item.anchor.age for item in self._objects.values() if item.anchor is not None), default=None)

    def _take(self, item: _Object, prompt: Prompt, motion: Motion) -> None:
        item.clicks = np.concatenate([item.clicks, prompt.point_coords])
        item.labels = np.concatenate([item.labels, prompt.point_labels])
        item.state = State.UNCERTAIN if item.state is State.LOST else item.state
        if prompt.box is not None:
            item.box = prompt.box
        if prompt.mask is not None:
            item.soft = motion.grid.shrink(prompt.mask.astype(np.uint8) * 255)
            item.anchor, item.score, item.state = motion.open(), 1.0, State.TRACKED
            item.answered = item.version

    def _carried(self, item: _Object) -> NDArray[np.uint8] | None:
        return None if item.soft is None or item.anchor is None else item.anchor.carry(item.soft)

    def _judge(self, item: _Object, answer: Answer) -> None:
        believable = (
            answer.question.spoken
            or answer.agreement is None
            or answer.agreement >= self._min_agreement
            or (answer.score >= self._min_score and answer.agreement > _MIN_OVERLAP)
        )
        if believable and (answer.soft > INSIDE).any():
            item.soft, item.score, item.rejections = answer.soft, answer.score, 0
            item.state = State.TRACKED if answer.question.spoken or answer.score >= 0.5 else State.UNCERTAIN
            return
        item.soft = answer.question.carried
        item.rejections += 1
        item.score *= 0.7
        item.state = State.LOST if item.rejections >= self._lost_after or item.soft is None else State.UNCERTAIN


def ask(decoder: Decoder, embedding: Embedding, questions: Sequence[Question], grid: Grid) -> list[Answer]:
    """Put the questions to SAM in one batch and choose among its candidates. Runs where the encoder ran."""
    if not questions:
        return []
    prompts = [_with_mask_input(decoder, question) for question in questions]
    decoded = decoder.decode(embedding, prompts)
    count, candidates = decoded.scores.shape
    flat = decoder.upscale(decoded.logits.reshape(-1, *decoded.logits.shape[2:]), grid.size)
    logits = flat.reshape(count, candidates, *flat.shape[1:])
    return [_choose(*parts) for parts in zip(questions, logits, decoded.scores, strict=True)]


def _choose(question: Question, logits: NDArray[np.float32], scores: NDArray[np.float32]) -> Answer:
    carried = None if question.carried is None else question.carried > INSIDE
    agreements = [0.0 if carried is None else _iou(candidate > 0, carried) for candidate in logits]
    best = int(np.argmax(scores if question.spoken else scores + np.array(agreements)))
    return Answer(question, _soft(logits[best]), float(scores[best]), None if carried is None else agreements[best])


def _soft(logits: NDArray[np.float32]) -> NDArray[np.uint8]:
    # A straight line through the decision is enough, and much quicker than a sigmoid.
    return cv2.convertScaleAbs(np.clip(logits, -4, 4), alpha=255 / 8, beta=127.5)


def _with_mask_input(decoder: Decoder, question: Question) -> Prompt:
    prompt = question.prompt
    if question.carried is None:
        return prompt
    mask_input = decoder.mask_input(np.divide(question.carried, 255, dtype=np.float32))
    return Prompt(prompt.point_coords, prompt.point_labels, prompt.box, mask_input=mask_input)


def _prompt(item: _Object, carried: NDArray[np.uint8] | None, grid: Grid) -> Prompt | None:
    """Clicks, the box (drawn or carried) and the innermost point of the carried mask; None where nothing is known."""
    box, points, labels = item.box, item.clicks, item.labels
    mask = None if carried is None else carried > INSIDE
    if mask is not None and mask.any():
        inner = grid.to_frame(_innermost(mask)[None])
        points, labels = np.concatenate([points, inner]), np.append(labels, FOREGROUND)
        tight = box_of(mask)
        if box is None and tight is not None:
            box = grid.to_frame(np.asarray(tight, np.float32).reshape(2, 2) - 0.5).ravel()
    if box is None and len(points) == 0:
        return None
    return Prompt(points, labels, box)


def _moved(prompt: Prompt, anchor: Anchor) -> Prompt:
    """The prompt as it lay on the anchor's frame; a box is moved by its centre."""
    points = anchor.points_to_anchor(prompt.point_coords)
    box = prompt.box
    if box is not None:
        centre = box.reshape(2, 2).mean(axis=0, keepdims=True)
        box = box + np.tile(anchor.points_to_anchor(centre) - centre, 2).ravel()
    return Prompt(points, prompt.point_labels, box)


def _innermost(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The (x, y) of a ``(h, w)`` mask that lies farthest from its edge; the frame's border counts as edge."""
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    _, _, _, place = cv2.minMaxLoc(cv2.distanceTransform(padded, cv2.DIST_L2, 3))
    return np.asarray(place, np.float32) - 1


def _iou(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 0.0


def _apart(softs: Sequence[NDArray[np.uint8]], scores: Sequence[float]) -> list[NDArray[np.uint8]]:
    """Give every pixel that several objects claim to the one whose soft value times score is highest."""
    masks = [soft > INSIDE for soft in softs]
    if len(softs) < 2 or not (np.sum(masks, axis=0, dtype=np.uint8) > 1).any():
        return list(softs)
    weighted = np.stack([soft * np.float32(0.5 + score) for soft, score in zip(softs, scores, strict=True)])
    owner = weighted.argmax(axis=0)
    return [
        np.where(mask & (owner != place), 0, soft) for place, (soft, mask) in enumerate(zip(softs, masks, strict=True))
    ]
