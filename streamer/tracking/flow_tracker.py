"""Objects over time: what was said about each, its mask, and how sure we are of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.data.prompt import Prompt
from streamer.data.track import State
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.motion.pyramid import sparse
from streamer.tracking.asking import Answer, Asking, Question, ask
from streamer.tracking.carrying import Carrier
from streamer.tracking.deciding import Decider
from streamer.tracking.glimpsing import EVERY, glimpsed, guess, sought_by
from streamer.tracking.judging import Beliefs, Worries
from streamer.tracking.objects import Object, rivals_of, taken_beside, tell_apart
from streamer.tracking.overlaps import apart
from streamer.tracking.questioning import Questioner
from streamer.tracking.refine import INSIDE

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
        refine: Whether carried masks follow the colors and edges of the present frame.
        redetect: Whether lost objects are looked for on every keyframe.
        glimpse: Whether they are guessed to be where their colors are in between.
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
        self._glimpse, self._beliefs, self._worries = glimpse, beliefs or Beliefs(), worries or Worries()
        self._carrier = Carrier(refine)
        self._questioner = Questioner(self._carrier, positives, negatives, redetect, self._beliefs.adrift)
        self._decider = Decider(self._carrier, self._beliefs)
        self._objects: dict[int, Object] = {}
        self._order: list[int] = []
        self._last_id = 0
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
        object_id = prompt.object_id if prompt.object_id is not None else self._last_id + 1
        self._last_id = max(self._last_id, object_id)
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
            self._decider.lose(item)

    def forget_found(self) -> None:
        """Follow no longer what was found without any prompt. Its ids are not given again."""
        for item in [item for item in self._objects.values() if not item.said]:
            self.remove(item.id)

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
        return self._questioner.about_present(self._objects.values(), motion)

    def corrections(self, anchor: Anchor) -> list[Question]:
        """What a person has said since the last keyframe was asked for, put as questions about an older anchor.

        SAM's embedding of that anchor's frame is at hand, so these can be answered without waiting for the encoder.
        """
        return self._questioner.about_anchor(self._objects.values(), anchor)

    def add_found(self, mask: NDArray[np.bool_], score: float, anchor: Anchor) -> int:
        """Follow an object that was found on an anchor's frame without any prompt. Returns its id."""
        self._last_id += 1
        item = self._objects[self._last_id] = Object(self._last_id)
        self._decider.believe(item, anchor.grid.shrink(mask.astype(np.uint8) * 255), score, anchor)
        tell_apart(self._objects.values())
        return item.id

    def adopt(self, answers: Iterable[Answer], anchor: Anchor) -> None:
        """Believe the answers or not; those that are believed hang on the keyframe's anchor."""
        for answer in answers:
            item = self._objects.get(answer.question.object_id)
            if item is not None:
                self._decider.hear(item, answer, anchor, self._objects.values())
        tell_apart(self._objects.values())

    # Inside ----------------------------------------------------------------------------------------------------

    def _take(self, item: Object, prompt: Prompt, motion: Motion) -> None:
        item.clicks = np.concatenate([item.clicks, prompt.point_coords])
        item.labels = np.concatenate([item.labels, prompt.point_labels])
        item.state = State.UNCERTAIN if item.state is State.LOST else item.state
        if prompt.box is not None:
            item.box = prompt.box
        if prompt.mask is not None:
            self._decider.believe(
                item, motion.grid.shrink(prompt.mask.astype(np.uint8) * 255), 1.0, motion.open(), spoken=True
            )
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
            self._questioner.seed(item, motion)
        if np.count_nonzero(shown > INSIDE) < max(_VANISHED_PX, _VANISHED_SHARE * item.area):
            self._decider.lose(item)
        elif item.evidence:
            self._decider.look_once_more(item, shown, motion)

    def _worry(self, item: Object, motion: Motion) -> str | None:
        if item.evidence >= _PROMISING:
            return "found again?"
        if item.shown is None or item.anchor is None or item.rejections:
            return None
        mask = item.shown > INSIDE
        there = item.anchor.trust(motion.present)[sparse(mask)]
        trust = float(there.mean()) if len(there) else 0.0
        return self._worries.about(item.points_lost, np.count_nonzero(mask) / max(item.area, 1), trust)

    def _look_around(self, motion: Motion) -> None:
        """Look for what is astray by its colors."""
        for item in self._objects.values():
            bins, items = self._carrier.present(motion).bins, self._objects.values()
            bank = sought_by(item, bins, self._beliefs)
            if not bank:
                continue
            seen = glimpsed(item, bank, bins, rivals_of(item, items), taken_beside(item, items, motion.grid))
            if seen is not None:
                guess(item, seen, motion.open())
