"""An object that no keyframe tells of is often to be seen by its colors alone, in every frame, as soon as it is back.

That is a guess: what it finds is shown as uncertain until a keyframe confirms it. And it counts only where the object
has colors of its own: nothing may have looked as much like it while it was known to be elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streamer.data.track import State
from streamer.motion.anchors import Anchor
from streamer.motion.pyramid import halve
from streamer.tracking.asking import Answer
from streamer.tracking.judging import Beliefs
from streamer.tracking.objects import Glimpse, Object
from streamer.tracking.recognition import Bank, color_likeness, most_alike, shared
from streamer.tracking.refine import INSIDE

EVERY = 2
"""Frames from one look to the next."""
_STREAK = 2
_LEAST, _MARGIN, _BETTER, _MUCH_BETTER = 0.6, 0.03, 0.05, 0.15
_ESTRANGED = 0.6
_SAME_PLACE = 0.5
_QUALITY = 0.3


def sought_by(item: Object, bins: NDArray[np.intp], beliefs: Beliefs) -> Bank:
    """The looks to look for an object by; none while it is known where it is.

    It is not if it is lost, or guessed to be somewhere, or was carried for too long. What is followed and has not the
    object's first colors any more may have changed, or be something that it passed: then only its first look counts.
    """
    if item.evidence:
        return ()
    if item.shown is None or item.guess > 0 or item.score < beliefs.adrift:
        return item.bank
    return item.bank[:1] if _own_colors_there(item, item.bank[:1], bins) < _ESTRANGED else ()


def glimpsed(
    item: Object, bank: Bank, bins: NDArray[np.intp], rivals: Bank, taken: NDArray[np.bool_]
) -> Glimpse | None:
    """The object, if its colors alone tell where it is, and that is news.

    Where it is thought to be, it must be better seen than it is there; elsewhere much better, in two looks in a row.

    Args:
        item: The object; what may be it is kept there until the next look.
        bank: The looks to look for it by.
        bins: ``(h / 2, w / 2)`` color bins of the present frame.
        rivals: The looks of the other objects.
        taken: ``(h, w)`` where they are.
    """
    before, item.glimpse = item.glimpse, None
    found = most_alike(bins, bank, rivals, taken, item.largest)
    if found is None or found[1] < max(_LEAST, item.mimic + _MARGIN):
        return None
    seen = Glimpse(*found)
    if item.shown is not None:
        is_here = _same_place(seen.soft, item.shown)
        if seen.likeness < _own_colors_there(item, bank, bins) + (_BETTER if is_here else _MUCH_BETTER):
            return None
        if is_here:
            return seen
    if before is not None and _same_place(before.soft, seen.soft):
        seen = replace(seen, streak=before.streak + 1)
    item.glimpse = seen
    return seen if seen.streak >= _STREAK else None


def guess(item: Object, seen: Glimpse, anchor: Anchor) -> None:
    """Take the object to be what was glimpsed on the anchor's frame, for the time being."""
    if item.shown is not None and not _same_place(seen.soft, item.shown):
        item.forget_mask()
        item.score, item.bank, item.colors = 0.0, item.bank[:1], item.origin
    item.place(seen.soft, anchor)
    item.score, item.state, item.rejections = max(item.score, _QUALITY), State.UNCERTAIN, 0
    item.area, item.seen_index = int(np.count_nonzero(seen.soft > INSIDE)), anchor.index
    item.guess, item.glimpse = seen.likeness, None


def mimicked(item: Object, answer: Answer) -> float:
    """How much what is not the object is like it, after one more answer about where it is.

    What is much more like its first look than that answer tells nothing: it may be the object.
    """
    own = 1.0 if answer.look is None or not item.bank else shared(answer.look.colors, item.bank[0].colors)
    return item.mimic if answer.mimic >= own + _MUCH_BETTER else max(item.mimic, answer.mimic)


def refuted(item: Object) -> None:
    """It was not the object: from now on more is asked of what looks like it."""
    item.mimic = max(item.mimic, item.guess)


def _own_colors_there(item: Object, bank: Bank, bins: NDArray[np.intp]) -> float:
    """How much what is followed is like the bank by its colors."""
    return 0.0 if item.shown is None else color_likeness(bins[halve(item.shown) > INSIDE], bank)


def _same_place(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> bool:
    """Whether one soft mask covers most of the smaller one of two."""
    one, other = (halve(soft) > INSIDE for soft in (first, second))
    smaller = min(np.count_nonzero(one), np.count_nonzero(other))
    return bool(0 < _SAME_PLACE * smaller <= np.count_nonzero(one & other))
