"""Which questions SAM is asked: about the present frame, or, where a person has spoken, about an older one."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from streamer.data.track import State
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.motion.pyramid import Grid
from streamer.tracking.asking import Others, Question
from streamer.tracking.carrying import Carrier
from streamer.tracking.objects import Object, rivals_of, taken_beside
from streamer.tracking.prompting import moved, prompt_for, seed_points


class Questioner:
    """Puts into questions what is known of the objects.

    Args:
        carrier: Brings their masks to the present frame.
        positives, negatives: How many points on and around an object SAM is given.
        redetect: Whether lost objects are looked for on every keyframe.
        adrift: Score below which an object may be elsewhere, and is looked for as well.
    """

    def __init__(self, carrier: Carrier, positives: int, negatives: int, redetect: bool, adrift: float) -> None:
        self._carrier, self._redetect, self._adrift = carrier, redetect, adrift
        self._positives, self._negatives = positives, negatives

    def seed(self, item: Object, motion: Motion) -> None:
        """Choose points on the object that are to be followed."""
        seed_points(item, motion.present.gray, motion.grid, self._positives)

    def about_present(self, items: Collection[Object], motion: Motion) -> list[Question]:
        """What to ask on the present frame, which is to become a keyframe."""
        for item in items:
            self._carrier.shown(item, motion)
            self.seed(item, motion)
        asked = (self._about_present(item, items, motion) for item in items)
        return [question for question in asked if question is not None]

    def about_anchor(self, items: Collection[Object], anchor: Anchor) -> list[Question]:
        """What a person has said since the last keyframe was asked for, put as questions about an older anchor."""
        asked = []
        for item in items:
            if item.answered >= item.version:
                continue
            prompt = prompt_for(item, taken_beside(item, items, anchor.grid), anchor.grid, self._negatives)
            if prompt is not None:
                carried = item.soft if item.anchor is anchor else None
                there = moved(prompt, anchor)
                drawn = _on_grid(None if item.box is None else there.box, anchor.grid)
                asked.append(Question(item.id, item.version, True, there, carried, drawn))
        return asked

    def _about_present(self, item: Object, items: Collection[Object], motion: Motion) -> Question | None:
        others = Others(rivals_of(item, items), taken_beside(item, items, motion.grid))
        prompt = prompt_for(item, others.taken, motion.grid, self._negatives)
        spoken, item.answered = item.answered < item.version, item.version
        if prompt is None and not (self._redetect and item.bank):
            return None
        expected = _on_grid(item.box, motion.grid) if spoken else item.expected
        # A late answer may be about what has left the frame since: then there is nothing to ask with.
        nowhere = item.state is State.LOST or prompt is None
        sought = (nowhere or (item.score < self._adrift and not spoken)) and bool(item.bank)
        return Question(item.id, item.version, spoken, prompt, item.shown, expected, item.bank, others, sought=sought)


def _on_grid(box: NDArray[np.float32] | None, grid: Grid) -> NDArray[np.float32] | None:
    return None if box is None else grid.from_frame(box.reshape(2, 2)).ravel()
