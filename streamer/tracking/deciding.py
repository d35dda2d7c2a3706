"""Which of SAM's answers are believed, and what follows for the object."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from streamer.data.track import State
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.motion.pyramid import halve
from streamer.tracking.asking import Answer
from streamer.tracking.carrying import Carrier
from streamer.tracking.finding import enough, followed, recognized, seen_since
from streamer.tracking.glimpsing import mimicked, refuted
from streamer.tracking.judging import Beliefs, Verdict, blended, judge, mistaken, weight_of
from streamer.tracking.objects import Object, strangers_to
from streamer.tracking.recognition import remember
from streamer.tracking.refine import INSIDE, SCRAP, Colors, smallest_piece, without_scraps


class Decider:
    """Believes answers, blends them with what was carried, or not, and gives objects up.

    Args:
        carrier: Knows the colors of the frames that masks are of.
        beliefs: What it takes for an answer to be believed.
    """

    def __init__(self, carrier: Carrier, beliefs: Beliefs) -> None:
        self._carrier, self._beliefs = carrier, beliefs

    def hear(self, item: Object, answer: Answer, anchor: Anchor, items: Iterable[Object]) -> None:
        """Take in the answer about an object on the anchor's frame; ``items`` are all objects."""
        question = answer.question
        if item.version != question.version:
            return
        if item.guess and item.seen_index > anchor.index and not question.spoken:
            return  # what has been glimpsed since is news
        item.box = None
        if followed(item, answer, self._beliefs):
            self._judge(item, answer, anchor, items)
        else:
            self._look_again(item, answer, anchor)

    def look_once_more(self, item: Object, shown: NDArray[np.uint8], motion: Motion) -> None:
        """A lost object is back as well when what one keyframe saw is still there later on."""
        bins, seen_index = self._carrier.present(motion).bins, item.seen_index
        if seen_since(item, halve(shown), bins, motion.index, self._beliefs):
            self.believe(item, shown, item.score, motion.open())
            item.seen_index = seen_index

    def believe(
        self, item: Object, soft: NDArray[np.uint8], score: float, anchor: Anchor, spoken: bool = False
    ) -> None:
        """From now on the object is this mask of the anchor's frame, its score worn down by the frames since.

        ``spoken`` says that a person asked for it.
        """
        item.place(soft, anchor)
        item.score, item.state = score * self._beliefs.worn(anchor.age), State.TRACKED
        item.rejections, item.evidence, item.guess = 0, 0.0, 0.0
        item.area, item.seen_index = int(np.count_nonzero(soft > INSIDE)), anchor.index
        item.largest = max(item.largest, item.area)
        item.learn(Colors.of(self._carrier.present(anchor).bins, halve(soft)), spoken)
        if spoken:
            item.scrap = min(SCRAP, smallest_piece(soft) / 2)

    def lose(self, item: Object) -> None:
        """From now on it is nowhere."""
        item.forget_mask()
        item.state, item.score = State.LOST, 0.0

    def _judge(self, item: Object, answer: Answer, anchor: Anchor, items: Iterable[Object]) -> None:
        item.bank = remember(item.bank, answer.look) if item.given else item.bank
        if item.given and item.anchor is not None and item.anchor.index == anchor.index:
            return
        if mistaken(answer, item.bank, strangers_to(item, items, self._beliefs.twins), self._beliefs):
            self._reject(item, self._beliefs.confirmations)
            return
        carried_score = item.score / self._beliefs.worn(anchor.age)
        weight = weight_of(answer, carried_score, self._beliefs)
        verdict = judge(answer, weight, self._beliefs)
        if verdict is Verdict.REJECT:
            self._reject(item, self._beliefs.lost_after)
            return
        item.mimic = mimicked(item, answer)
        soft, score = answer.soft, answer.score
        if verdict is Verdict.ACCEPT:
            item.bank = remember(item.bank, answer.look)
        else:
            score = weight * answer.score + (1 - weight) * carried_score
            soft = blended(answer, weight)
        spoken = answer.question.spoken
        if not spoken:
            soft = without_scraps(self._carrier.sharpened(item, soft, anchor), item.scrap)
        self.believe(item, soft, score, anchor, spoken)
        if score < 0.5 and not spoken:
            item.state = State.UNCERTAIN

    def _reject(self, item: Object, lost_after: int) -> None:
        refuted(item)
        item.rejections += 1
        item.state = State.UNCERTAIN
        if item.rejections >= lost_after or item.soft is None:
            self.lose(item)

    def _look_again(self, item: Object, answer: Answer, anchor: Anchor) -> None:
        """A lost object is back when one keyframe after the other sees it in the place where the last one did."""
        found = recognized(item, answer, self._beliefs)
        if not found:
            refuted(item)
            self.lose(item)
            return
        again = answer.agreement is not None and answer.agreement > 0.4
        evidence = found + (item.evidence if again else 0.0)
        if enough(evidence):
            self.believe(item, answer.soft, answer.score, anchor)
            return
        item.place(answer.soft, anchor)
        item.state, item.evidence, item.seen_index = State.LOST, evidence, anchor.index
        item.score = answer.score * self._beliefs.worn(anchor.age)
