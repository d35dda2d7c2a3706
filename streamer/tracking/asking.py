"""What SAM is asked about each object on a keyframe, and which of its answers is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.mask import box_of
from streamer.data.prompt import Prompt
from streamer.models.protocols import Decoded, Embedding
from streamer.motion.pyramid import Grid
from streamer.tracking.recognition import Bank, Look, View, described, likeness, most_alike, places_of, without_aliens
from streamer.tracking.refine import INSIDE, bins_of
from streamer.tracking.snapping import snapped

Box = NDArray[np.float32]
_PLACES = 4
_BESIDE_PX = 9


class Decoder(Protocol):
    """The part of a segmenter that answers prompts."""

    def decode(self, embedding: Embedding, prompts: Sequence[Prompt], multimask_output: bool = True) -> Decoded: ...

    def mask_input(self, mask: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]: ...

    def upscale(self, logits: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]: ...

    def features(self, embedding: Embedding) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True)
class Asking:
    """How SAM is asked, and how its candidates are ranked.

    Attributes:
        passes: How often it is asked on one keyframe: first with points and mask, then with its own answer and the
            box around it as well (SAM-PT, Rajič et al., 2023, in stages).
        use_box: Whether the carried box is part of the question.
        use_mask: Whether the carried mask is part of the question.
        stability, agreement, motion: What a candidate's stability, its IoU with the carried mask and the IoU of its box
            with the one that constant velocity predicts (SAMURAI, Yang et al., 2024) count beside the predicted IoU.
    """

    passes: int = 1
    use_box: bool = True
    use_mask: bool = True
    stability: float = 0.2
    agreement: float = 0.7
    motion: float = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Others:
    """What is known of the other objects on a keyframe.

    Attributes:
        rivals: What they look like.
        taken: ``(h, w)`` bool, where on the grid they are.
    """

    rivals: Bank
    taken: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What SAM is asked about one object on a keyframe.

    Attributes:
        object_id: The object.
        version: How often the person had spoken about it when the question was asked.
        spoken: Whether the person has spoken since the last question: then the answer is theirs, and is believed.
        prompt: Clicks, box and what else is known, in pixels of the keyframe; None for a lost object.
        carried: ``(h, w)`` uint8 soft mask on the grid that the flow brought to the keyframe; None for a new object.
        expected: ``(4,)`` box x0, y0, x1, y1 [px of the grid] that a person drew, or else where constant velocity would
            put it, or None.
        bank: What it looked like before.
        others: What else is about, where that matters.
        sought: Whether it is lost, or may be, and is looked for everywhere.
    """

    object_id: int
    version: int
    spoken: bool
    prompt: Prompt | None
    carried: NDArray[np.uint8] | None
    expected: Box | None = None
    bank: Bank = ()
    others: Others | None = None
    sought: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What SAM said: the mask chosen among its candidates.

    Attributes:
        question: What was asked.
        soft: ``(h, w)`` uint8 soft mask on the grid of the keyframe.
        score: Predicted IoU.
        agreement: IoU with the carried mask; None where nothing was carried.
        stability: IoU of the masks at a higher and a lower threshold, as in SAM's automatic masks.
        look: What the masked part looks like; None where the mask is empty.
        mimic: How much what else is on the frame is like it by its colors, at most 1.
    """

    question: Question
    soft: NDArray[np.uint8]
    score: float
    agreement: float | None
    stability: float = 1.0
    look: Look | None = None
    mimic: float = 0.0


def ask(
    decoder: Decoder,
    embedding: Embedding,
    questions: Sequence[Question],
    picture: NDArray[np.uint8],
    grid: Grid,
    how: Asking | None = None,
) -> list[Answer]:
    """Put the questions to SAM in one batch and choose among its candidates. Runs where the encoder ran.

    ``picture`` is the frame of the embedding on the grid, ``(h, w, 3)`` uint8.
    """
    if not questions:
        return []
    how, view = how or Asking(), View(decoder.features(embedding), bins_of(picture))
    placed = [each for question in questions for each in _placed(question, view, grid)]
    prompts = [_first_prompt(decoder, one, embedding.image_size, how) for one in placed]
    tries = _decode(decoder, embedding, placed, prompts, grid, how)
    tries = [_likest([one for one in tries if one.about == question.object_id], view) for question in questions]
    for _ in range(how.passes - 1):
        prompts = [_next_prompt(one, grid) for one in tries]
        tries = _decode(decoder, embedding, [one.answer.question for one in tries], prompts, grid, how)
    return [_described(one.answer, view, picture) for one in tries]


def overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """IoU of two masks; 0 where both are empty."""
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Try:
    """A prompt, the best answer to it, and the low-resolution logits of that."""

    prompt: Prompt
    answer: Answer
    logits: NDArray[np.float32]

    @property
    def about(self) -> int:
        return self.answer.question.object_id


def _decode(
    decoder: Decoder,
    embedding: Embedding,
    questions: Sequence[Question],
    prompts: Sequence[Prompt],
    grid: Grid,
    how: Asking,
) -> list[_Try]:
    decoded = decoder.decode(embedding, prompts)
    count, candidates = decoded.scores.shape
    flat = decoder.upscale(decoded.logits.reshape(-1, *decoded.logits.shape[2:]), grid.size)
    large = flat.reshape(count, candidates, *flat.shape[1:])
    tries = []
    for at, question in enumerate(questions):
        ranked = [
            _candidate(question, one, float(score)) for one, score in zip(large[at], decoded.scores[at], strict=True)
        ]
        best = max(range(candidates), key=lambda place: _worth(ranked[place], how))
        tries.append(_Try(prompts[at], ranked[best], decoded.logits[at, best]))
    return tries


def _candidate(question: Question, logits: NDArray[np.float32], score: float) -> Answer:
    agreement = None if question.carried is None else overlap(logits > 0, question.carried > INSIDE)
    low, high = np.count_nonzero(logits > -1), np.count_nonzero(logits > 1)
    return Answer(question, _soft(logits), score, agreement, high / low if low else 0.0)


def _worth(answer: Answer, how: Asking) -> float:
    question = answer.question
    worth = answer.score + how.stability * answer.stability
    if not question.spoken:
        worth += how.agreement * (answer.agreement or 0.0)
    if question.expected is not None:
        # A box that a person drew is meant; one that motion foretells is a guess.
        weight = 1.0 if question.spoken else how.motion
        worth += weight * _box_overlap(question.expected, box_of(answer.soft > INSIDE))
    return worth


def _soft(logits: NDArray[np.float32]) -> NDArray[np.uint8]:
    # A straight line through the decision is enough, and much quicker than a sigmoid.
    return cv2.convertScaleAbs(np.clip(logits, -4, 4), alpha=255 / 8, beta=127.5)


def _placed(question: Question, view: View, grid: Grid) -> list[Question]:
    """The question, and for a lost object one for each place where it might be: where it seems to be it may not be."""
    others, known = question.others, [] if question.prompt is None else [question]
    if others is None or not question.sought:
        return known
    rows, columns = view.features.shape[:2]
    width, height = grid.frame_size
    places = places_of(view, question.bank, others.rivals, others.taken, _PLACES)
    clicks = [((column + 0.5) * width / columns, (row + 0.5) * height / rows) for column, row in places]
    return known + [replace(question, prompt=Prompt([click])) for click in clicks]


def _likest(tries: list[_Try], view: View) -> _Try:
    """Of the answers about places where an object might be, the one that looks most like it."""
    if len(tries) == 1:
        return tries[0]

    def worth(one: _Try) -> float:
        others, look = one.answer.question.others, described(view, one.answer.soft)
        assert others is not None
        own = likeness(look, one.answer.question.bank)
        return own + min(0.0, own - likeness(look, others.rivals)) + one.answer.score / 10

    return max(tries, key=worth)


def _described(answer: Answer, view: View, picture: NDArray[np.uint8]) -> Answer:
    """The answer, of the object alone as far as that is known, and what that looks like."""
    question, soft = answer.question, answer.soft
    if not question.spoken:
        soft = without_aliens(view, soft, question.bank)
    elif question.expected is not None:  # what is expected of a spoken question is the box that was drawn
        soft = snapped(soft, picture)
    return replace(answer, soft=soft, look=described(view, soft), mimic=_mimic(question, view, soft))


def _mimic(question: Question, view: View, soft: NDArray[np.uint8]) -> float:
    """How much what is most like the object, but lies elsewhere, is like it."""
    if question.others is None or question.sought or not question.bank:
        return 0.0
    around = cv2.dilate((soft > 0).view(np.uint8), np.ones((_BESIDE_PX,) * 2, np.uint8)) > 0
    taken, area = around | question.others.taken, int(np.count_nonzero(soft > INSIDE))
    found = most_alike(view.bins[::2, ::2], question.bank, question.others.rivals, taken, area)
    return 0.0 if found is None else found[1]


def _first_prompt(decoder: Decoder, question: Question, image_size: tuple[int, int], how: Asking) -> Prompt:
    prompt = question.prompt
    assert prompt is not None
    mask_input = None
    if question.carried is not None and not question.sought and how.use_mask:
        mask_input = decoder.mask_input(np.divide(question.carried, 255, dtype=np.float32), image_size)
    box = prompt.box if how.use_box or len(prompt.point_coords) == 0 else None
    return Prompt(prompt.point_coords, prompt.point_labels, box, mask_input=mask_input)


def _next_prompt(last: _Try, grid: Grid) -> Prompt:
    prompt, tight = last.prompt, box_of(last.answer.soft > INSIDE)
    box = prompt.box if tight is None else grid.to_frame(np.asarray(tight, np.float32).reshape(2, 2) - 0.5).ravel()
    return Prompt(prompt.point_coords, prompt.point_labels, box, mask_input=last.logits)


def _box_overlap(first: Box, second: tuple[float, float, float, float] | None) -> float:
    if second is None:
        return 0.0
    other = np.asarray(second)
    sides = np.clip(np.minimum(first[2:], other[2:]) - np.maximum(first[:2], other[:2]), 0, None)
    areas = [float(np.prod(box[2:] - box[:2])) for box in (first, other)]
    shared = float(np.prod(sides))
    return shared / max(sum(areas) - shared, 1e-6)
