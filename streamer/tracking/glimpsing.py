"""An object that no keyframe tells of is often to be seen by its colours alone, in every frame, as soon as it is back.

That is a guess: what it finds is shown as uncertain until a keyframe confirms it. And it counts only where the object
has colours of its own: nothing may have looked as much like it while it was known to be elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streamer.grid import halved
from streamer.motion import Anchor
from streamer.result import State
from streamer.tracking.judging import Beliefs
from streamer.tracking.objects import Glimpse, Object
from streamer.tracking.recognition import Bank, colour_likeness, most_alike
from streamer.tracking.refine import INSIDE

EVERY = 2
"""Frames from one look to the next."""
_STREAK = 2
_LEAST, _MARGIN, _BETTER = 0.6, 0.03, 0.05
_SAME_PLACE = 0.5
_QUALITY = 0.3


def wanted(item: Object, beliefs: Beliefs) -> bool:
    """Whether nobody knows where the object is: it is lost, or guessed to be somewhere, or was carried for too long."""
    astray = item.state is State.LOST or item.guess > 0 or item.score < beliefs.adrift
    return bool(item.bank) and astray and not item.evidence


def glimpsed(item: Object, bins: NDArray[np.intp], rivals: Bank, taken: NDArray[np.bool_]) -> Glimpse | None:
    """The object, if its colours alone tell where it is, and that is news.

    A lost one has to be there in two looks in a row; one that is somewhere must be better seen than it is there.

    Args:
        item: The object; what may be it is kept there until the next look.
        bins: ``(h / 2, w / 2)`` colour bins of the present frame.
        rivals: The looks of the other objects.
        taken: ``(h, w)`` where they are.
    """
    before, item.glimpse = item.glimpse, None
    found = most_alike(bins, item.bank, rivals, taken, item.largest)
    if found is None or found[1] < max(_LEAST, item.mimic + _MARGIN):
        return None
    seen = Glimpse(*found)
    if item.shown is not None:
        there = halved(item.shown) > INSIDE
        is_better = seen.likeness >= colour_likeness(bins[there], item.bank) + _BETTER
        return seen if is_better and _shared(halved(seen.soft) > INSIDE, there) >= _SAME_PLACE else None
    if before is not None and _shared(before.soft > INSIDE, seen.soft > INSIDE) >= _SAME_PLACE:
        seen = replace(seen, streak=before.streak + 1)
    item.glimpse = seen
    return seen if seen.streak >= _STREAK else None


def guess(item: Object, seen: Glimpse, anchor: Anchor) -> None:
    """Take the object to be what was glimpsed on the anchor's frame, for the time being."""
    item.place(seen.soft, anchor)
    item.score, item.state, item.rejections = max(item.score, _QUALITY), State.UNCERTAIN, 0
    item.area, item.seen_index = int(np.count_nonzero(seen.soft > INSIDE)), anchor.index
    item.guess, item.glimpse = seen.likeness, None


def refuted(item: Object) -> None:
    """It was not the object: from now on more is asked of what looks like it."""
    item.mimic = max(item.mimic, item.guess)


def _shared(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    """How much of the smaller one of two masks the other one covers."""
    smaller = min(np.count_nonzero(first), np.count_nonzero(second))
    return np.count_nonzero(first & second) / smaller if smaller else 0.0
