"""Whether an answer of SAM's is believed: accepted, blended with what was carried, or rejected."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.tracking.asking import Answer
from streamer.tracking.recognition import Bank, likeness
from streamer.tracking.refine import INSIDE


@dataclass(frozen=True, slots=True)
class Beliefs:
    """What it takes to be believed.

    Attributes:
        sharpness: How much better than the carried mask an answer has to be, by its predicted IoU, to replace it:
            smaller decides faster.
        drift: Share of its quality that a carried mask loses per frame.
        growth: By how much the predicted IoU of an answer of twice or half the carried size is thought too high.
        accept: Weight from which an answer replaces the carried mask.
        reject: Weight below which it is not used at all; between the two it is blended with the carried mask.
        overlap: IoU with the carried mask below which an answer is about something else.
        adrift: Quality of a carried mask from which its object is looked for elsewhere as well.
        lost_after: Rejected answers in a row after which an object counts as lost.
        likeness: Likeness to the bank from which a lost object has been found again, once that is confirmed.
        faint: Likeness from which it may have been: the closer to this one, the more confirmations it takes.
        mistake: By how much more an answer must look like another object at first than like its own to be a mistake.
        twins: Likeness from which two objects look too much alike to be told apart by their looks.
        confirmations: Sights in a row that it takes to believe that a lost object is back, or keyframes that must
            mistake another for one that is followed before it is believed to be lost.
        kept: Likeness in colors alone that what was seen must have kept some frames later to count as one more sight.
    """

    sharpness: float = 0.1
    drift: float = 0.035
    growth: float = 0.15
    accept: float = 0.1
    reject: float = 0.02
    overlap: float = 0.15
    adrift: float = 0.35
    lost_after: int = 4
    likeness: float = 0.8
    faint: float = 0.6
    mistake: float = 0.08
    twins: float = 0.85
    confirmations: int = 2
    kept: float = 0.7

    def worn(self, frames: int) -> float:
        """The share of its quality that is left of a mask that was carried for so long."""
        return (1 - self.drift) ** frames


@dataclass(frozen=True, slots=True)
class Worries:
    """What counts as trouble that a keyframe might mend.

    Attributes:
        points_lost: Share of the followed points that were lost since the last keyframe.
        area_jump: Factor by which the mask has grown or shrunk since then.
        trust: Below this, on average over the mask, the object no longer looks like what is carried.
    """

    points_lost: float = 0.5
    area_jump: float = 1.8
    trust: float = 0.25

    @classmethod
    def none(cls) -> Worries:
        """Nothing does: keyframes come at their interval only."""
        return cls(points_lost=1.0, area_jump=float("inf"), trust=0.0)

    def about(self, points_lost: float, growth: float, trust: float) -> str | None:
        """What is wrong, in a few words; None where all is well."""
        if points_lost > self.points_lost:
            return "points lost"
        if not 1 / self.area_jump <= growth <= self.area_jump:
            return "area jump"
        return "looks different" if trust < self.trust else None


class Verdict(Enum):
    ACCEPT, BLEND, REJECT = auto(), auto(), auto()


def weight_of(answer: Answer, carried_score: float, beliefs: Beliefs) -> float:
    """How far an answer is believed against the carried mask, 0 to 1, by what IoU each is thought to have."""
    if not (answer.soft > INSIDE).any():
        return 0.0
    if answer.question.spoken or answer.agreement is None:
        return 1.0
    assert answer.question.carried is not None
    # In the time between two keyframes an object hardly changes its size: an answer that does has rather leaked.
    sizes = [max(int(np.count_nonzero(soft > INSIDE)), 1) for soft in (answer.soft, answer.question.carried)]
    doubt = beliefs.growth * abs(float(np.log2(sizes[0] / sizes[1])))
    return float(1 / (1 + np.exp((carried_score - answer.score + doubt) / beliefs.sharpness)))


def judge(answer: Answer, weight: float, beliefs: Beliefs) -> Verdict:
    """What to do with an answer of that weight."""
    if answer.agreement is not None and answer.agreement < beliefs.overlap and not answer.question.spoken:
        # SAM was asked about one thing and answers about another: however sure it is, it did not understand.
        return Verdict.REJECT
    if weight >= beliefs.accept:
        return Verdict.ACCEPT
    return Verdict.REJECT if weight < beliefs.reject else Verdict.BLEND


def blended(answer: Answer, weight: float) -> NDArray[np.uint8]:
    """Between the answer and what was carried."""
    carried = answer.question.carried
    assert carried is not None
    return cv2.addWeighted(answer.soft, weight, carried, 1 - weight, 0)


def mistaken(answer: Answer, bank: Bank, rivals: Bank, beliefs: Beliefs) -> bool:
    """Whether an answer about a followed object shows one of the others: its look is rather one of theirs."""
    if answer.question.spoken or not bank or not rivals or answer.look is None:
        return False
    return likeness(answer.look, rivals) > likeness(answer.look, bank[:1]) + beliefs.mistake
