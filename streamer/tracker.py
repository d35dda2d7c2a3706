"""Objects over time: what was said about each, its mask, and how sure we are of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.grid import Grid, halved
from streamer.motion import Anchor, Motion
from streamer.prompts import Prompt
from streamer.result import State
from streamer.tracking.asking import Answer, Asking, Others, Question, ask
from streamer.tracking.carrying import Carrier
from streamer.tracking.finding import enough, followed, recognised, seen_since
from streamer.tracking.glimpsing import EVERY, glimpsed, guess, refuted, wanted
from streamer.tracking.judging import Beliefs, Verdict, Worries, blended, judge, mistaken, weight_of
from streamer.tracking.objects import Object, tell_apart
from streamer.tracking.overlaps import apart
from streamer.tracking.prompting import moved, prompt_for, seed_points
from streamer.tracking.recognition import Bank, likeness, remember
from streamer.tracking.refine import INSIDE, SCRAP, Colours, smallest_piece, without_scraps

__all__ = ["INSIDE", "Answer", "Asking", "Beliefs", "Question", "Sight", "Tracker", "Worries", "ask"]

_VANISHED_PX, _VANISHED_SHARE = 12, 0.03
_PROMISING = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One object on the working grid of the present frame, before it is brought to the frame's size."""

    object_id: int
    soft: NDArray[np.uint8]
    score: float
    state: State
    point_coords: NDArray[np.float32]
    point_labels: NDArray[np.int32]


class Tracker:
    """Follows objects: carries and refines their masks, asks SAM about them, and decides what to believe.

    Args:
        positives, negatives: How many points on and around the object SAM is given at a keyframe.
        refine: Whether carried masks follow the colours and edges of the present frame.
        redetect: Whether lost objects are looked for on every keyframe.
        glimpse: Whether they are guessed to be where their colours are in between.
        beliefs: What it takes for an answer to be believed.
        worries: What counts as trouble.
    """

    def __init__(
        self,
        positives: int = 8,
        negatives: int = 4,
        refine: bool = True,
        redetect: bool = True,
        glimpse: bool = True,
        beliefs: Beliefs | None = None,
        worries: Worries | None = None,
    ) -> None:
        self._positives, self._negatives = positives, negatives
        self._carrier, self._redetect, self._glimpse = Carrier(refine), redetect, glimpse
        self._beliefs, self._worries = beliefs or Beliefs(), worries or Worries()
        self._objects: dict[int, Object] = {}
        self._order: list[int] = []
        self._index = -1
        self.trouble: str | None = None

    def __len__(self) -> int:
        return len(self._objects)

    @property
    def unanswered(self) -> bool:
        """Whether a person has said something that SAM has not been asked about."""
        return any(item.answered < item.version for item in self._objects.values())

    # What a person says ----------------------------------------------------------------------------------------

    def add(self, prompt: Prompt, motion: Motion) -> int:
        """Take in what a person says on the present frame. Returns the object's id."""
        object_id = prompt.object_id if prompt.object_id is not None else max(self._objects, default=0) + 1
        item = self._objects.setdefault(object_id, Object(object_id))
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
        kept = max(0, len(item.clicks) - len(last.point_coords))
        item.clicks, item.labels = item.clicks[:kept], item.labels[:kept]
        item.box = item.said[-1].box
        item.version += 1

    # From frame to frame ---------------------------------------------------------------------------------------

    def advance(self, motion: Motion) -> None:
        """Move on by one frame: points are followed, masks carried and refined."""
        self._index = motion.index
        self._follow(motion)
        for item in self._objects.values():
            self._carry(item, motion)
        if self._glimpse and motion.index % EVERY == 0:
            self._look_around(motion)
        self._carrier.settle(self._objects.values(), motion)
        self.trouble = next(filter(None, (self._worry(item, motion) for item in self._objects.values())), None)

    def forget_masks(self) -> None:
        """The scene has changed: nothing that was carried means anything any more."""
        for item in self._objects.values():
            item.clicks, item.labels, item.box = item.clicks[:0], item.labels[:0], None
            self._lose(item)

    def sights(self, motion: Motion, inverse_depth: NDArray[np.float32] | None = None) -> list[Sight]:
        """Every object on the present frame.

        Where several claim a pixel, it goes to the one whose depth it has (where ``(h, w)`` depth is known), or else to
        the one that is surer of it.
        """
        items = sorted(self._objects.values(), key=lambda item: item.id)
        empty = np.zeros(motion.grid.size[::-1], np.uint8)
        softs = (None if item.state is State.LOST else self._carrier.shown(item, motion) for item in items)
        shown = [empty if soft is None else soft for soft in softs]
        separate = apart(shown, [item.score for item in items], inverse_depth)
        return [
            Sight(
                item.id,
                soft,
                0.0 if item.state is State.LOST else item.score,
                item.state,
                item.clicks,
                item.labels,
            )
            for item, soft in zip(items, separate, strict=True)
        ]

    @property
    def mask_age(self) -> int | None:
        """Frames since the oldest keyframe that a mask goes back to."""
        masked = [item for item in self._objects.values() if item.soft is not None and item.state is not State.LOST]
        return max((self._index - item.seen_index for item in masked), default=None)

    # Questions and answers -------------------------------------------------------------------------------------

    def questions(self, motion: Motion) -> list[Question]:
        """What to ask SAM on the present frame, which is to become a keyframe."""
        for item in self._objects.values():
            self._carrier.shown(item, motion)
            seed_points(item, motion.grey, motion.grid, self._positives)
        asked = []
        for item in self._objects.values():
            others = Others(self._rivals(item), self._taken(item, motion.grid))
            prompt = prompt_for(item, others.taken, motion.grid, self._negatives)
            if prompt is not None or (self._redetect and item.bank):
                spoken = item.answered < item.version
                expected = _on_grid(item.box, motion.grid) if spoken else item.expected
                # A late answer may be about what has left the frame since: then there is nothing to ask with.
                nowhere = item.state is State.LOST or prompt is None
                adrift = nowhere or (item.score < self._beliefs.adrift and not spoken)
                asked.append(
                    Question(
                        item.id,
                        item.version,
                        spoken,
                        prompt,
                        item.shown,
                        expected,
                        item.bank,
                        others,
                        sought=adrift and bool(item.bank),
                    )
                )
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
            prompt = prompt_for(item, self._taken(item, anchor.grid), anchor.grid, self._negatives)
            if prompt is not None:
                carried = item.soft if item.anchor is anchor else None
                there = moved(prompt, anchor)
                drawn = _on_grid(None if item.box is None else there.box, anchor.grid)
                asked.append(Question(item.id, item.version, True, there, carried, drawn))
        return asked

    def add_found(self, mask: NDArray[np.bool_], score: float, anchor: Anchor) -> int:
        """Follow an object that was found on an anchor's frame without any prompt. Returns its id."""
        item = Object(max(self._objects, default=0) + 1)
        self._objects[item.id] = item
        self._believe(item, anchor.grid.shrink(mask.astype(np.uint8) * 255), score, anchor)
        tell_apart(self._objects.values())
        return item.id

    def adopt(self, answers: Iterable[Answer], anchor: Anchor) -> None:
        """Believe the answers or not; those that are believed hang on the keyframe's anchor."""
        for answer in answers:
            item = self._objects.get(answer.question.object_id)
            if item is None or item.version != answer.question.version:
                continue
            if item.guess and item.seen_index > anchor.index and not answer.question.spoken:
                continue  # what has been glimpsed since is news
            item.box = None
            if followed(item, answer, self._beliefs):
                self._judge(item, answer, anchor)
            else:
                self._look_again(item, answer, anchor)
        tell_apart(self._objects.values())

    # Inside ----------------------------------------------------------------------------------------------------

    def _take(self, item: Object, prompt: Prompt, motion: Motion) -> None:
        item.clicks = np.concatenate([item.clicks, prompt.point_coords])
        item.labels = np.concatenate([item.labels, prompt.point_labels])
        item.state = State.UNCERTAIN if item.state is State.LOST else item.state
        if prompt.box is not None:
            item.box = prompt.box
        if prompt.mask is not None:
            self._believe(item, motion.grid.shrink(prompt.mask.astype(np.uint8) * 255), 1.0, motion.open(), spoken=True)
            item.answered, item.given = item.version, True
            tell_apart(self._objects.values())

    def _follow(self, motion: Motion) -> None:
        items = list(self._objects.values())
        if not items:
            return
        moved_to, good = motion.follow(np.concatenate([part for item in items for part in (item.clicks, item.points)]))
        end = 0
        for item in items:
            start, middle, end = end, end + len(item.clicks), end + len(item.clicks) + len(item.points)
            clicks, points = slice(start, middle), slice(middle, end)
            item.clicks, item.labels = moved_to[clicks][good[clicks]], item.labels[good[clicks]]
            if middle < end:
                item.points_lost += (1 - item.points_lost) * (1 - np.count_nonzero(good[points]) / (end - middle))
            item.points = moved_to[points][good[points]]

    def _carry(self, item: Object, motion: Motion) -> None:
        """Bring an object's mask to the present frame; where nothing is left of it, it is lost."""
        item.shown, item.expected = None, item.path.expected()
        shown = self._carrier.shown(item, motion)
        if shown is None:
            return
        item.path.follow(shown)
        item.score *= self._beliefs.worn(1)
        if len(item.points) == 0:
            seed_points(item, motion.grey, motion.grid, self._positives)
        if np.count_nonzero(shown > INSIDE) < max(_VANISHED_PX, _VANISHED_SHARE * item.area):
            self._lose(item)
        elif item.evidence:
            self._look_once_more(item, shown, motion)

    def _worry(self, item: Object, motion: Motion) -> str | None:
        if item.evidence >= _PROMISING:
            return "found again?"
        if item.shown is None or item.anchor is None or item.rejections:
            return None
        mask = item.shown > INSIDE
        there = item.anchor.trust(motion.sketch)[mask[::2, ::2]]
        trust = float(there.mean()) if len(there) else 0.0
        return self._worries.about(item.points_lost, np.count_nonzero(mask) / max(item.area, 1), trust)

    def _look_around(self, motion: Motion) -> None:
        """Look for what is astray by its colours."""
        for item in self._objects.values():
            if not wanted(item, self._beliefs):
                continue
            bins = self._carrier.present(motion).bins
            seen = glimpsed(item, bins, self._rivals(item), self._taken(item, motion.grid))
            if seen is not None:
                guess(item, seen, motion.open())

    def _taken(self, item: Object, grid: Grid) -> NDArray[np.bool_]:
        taken = np.zeros(grid.size[::-1], bool)
        for other in self._objects.values():
            if other is not item and other.shown is not None and other.state is not State.LOST:
                taken |= other.shown > INSIDE
        return taken

    def _rivals(self, item: Object) -> Bank:
        return tuple(look for other in self._objects.values() if other is not item for look in other.bank)

    def _unlike(self, item: Object) -> Bank:
        """What the others looked like at first, but for those that looked like this one."""
        firsts = [other.bank[0] for other in self._objects.values() if other is not item and other.bank]
        return tuple(look for look in firsts if likeness(look, item.bank[:1]) < self._beliefs.twins)

    def _judge(self, item: Object, answer: Answer, anchor: Anchor) -> None:
        item.bank = remember(item.bank, answer.look) if item.given else item.bank
        if item.given and item.anchor is not None and item.anchor.index == anchor.index:
            return
        if mistaken(answer, item.bank, self._unlike(item), self._beliefs):
            self._reject(item, self._beliefs.confirmations)
            return
        carried_score = item.score / self._beliefs.worn(anchor.age)
        weight = weight_of(answer, carried_score, self._beliefs)
        verdict = judge(answer, weight, self._beliefs)
        if verdict is Verdict.REJECT:
            self._reject(item, self._beliefs.lost_after)
            return
        item.mimic = max(item.mimic, answer.mimic)
        soft, score = answer.soft, answer.score
        if verdict is Verdict.ACCEPT:
            item.bank = remember(item.bank, answer.look)
        else:
            score = weight * answer.score + (1 - weight) * carried_score
            soft = blended(answer, weight)
        spoken = answer.question.spoken
        if not spoken:
            soft = without_scraps(self._carrier.sharpened(item, soft, anchor), item.scrap)
        self._believe(item, soft, score, anchor, spoken)
        if score < 0.5 and not spoken:
            item.state = State.UNCERTAIN

    def _reject(self, item: Object, lost_after: int) -> None:
        refuted(item)
        item.rejections += 1
        item.state = State.UNCERTAIN
        if item.rejections >= lost_after or item.soft is None:
            self._lose(item)

    def _look_again(self, item: Object, answer: Answer, anchor: Anchor) -> None:
        """A lost object is back when one keyframe after the other sees it in the place where the last one did."""
        found = recognised(item, answer, self._beliefs)
        if not found:
            refuted(item)
            self._lose(item)
            return
        again = answer.agreement is not None and answer.agreement > 0.4
        evidence = found + (item.evidence if again else 0.0)
        if enough(evidence):
            self._believe(item, answer.soft, answer.score, anchor)
            return
        item.place(answer.soft, anchor)
        item.state, item.evidence, item.seen_index = State.LOST, evidence, anchor.index
        item.score = answer.score * self._beliefs.worn(anchor.age)

    def _look_once_more(self, item: Object, shown: NDArray[np.uint8], motion: Motion) -> None:
        """A lost object is back as well when what one keyframe saw is still there later on."""
        bins, seen_index = self._carrier.present(motion).bins, item.seen_index
        if seen_since(item, halved(shown), bins, motion.index, self._beliefs):
            self._believe(item, shown, item.score, motion.open())
            item.seen_index = seen_index

    def _believe(
        self, item: Object, soft: NDArray[np.uint8], score: float, anchor: Anchor, spoken: bool = False
    ) -> None:
        item.place(soft, anchor)
        item.score, item.state = score * self._beliefs.worn(anchor.age), State.TRACKED
        item.rejections, item.evidence, item.guess = 0, 0.0, 0.0
        item.area, item.seen_index = int(np.count_nonzero(soft > INSIDE)), anchor.index
        item.largest = max(item.largest, item.area)
        item.learn(Colours.of(self._carrier.present(anchor).bins, halved(soft)), spoken)
        if spoken:
            item.scrap = min(SCRAP, smallest_piece(soft) / 2)

    def _lose(self, item: Object) -> None:
        item.forget_mask()
        item.state, item.score = State.LOST, 0.0


def _on_grid(box: NDArray[np.float32] | None, grid: Grid) -> NDArray[np.float32] | None:
    return None if box is None else grid.from_frame(box.reshape(2, 2)).ravel()
