"""What the other objects tell of one: what it is not, and where it is not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from streamer.data.track import State
from streamer.motion.pyramid import Grid
from streamer.tracking.appearance import Gallery, similarity
from streamer.tracking.soft_masks import INSIDE, Mask
from streamer.tracking.track_state import TrackState


@dataclass(frozen=True, slots=True, eq=False)
class Distractors:
    """What is known of the other objects on a frame.

    Attributes:
        gallery: What they look like.
        taken: ``(h, w)`` bool, where on the grid they are.
    """

    gallery: Gallery
    taken: Mask

    @classmethod
    def of(cls, state: TrackState, states: Iterable[TrackState], grid: Grid) -> Distractors:
        """All of ``states`` but this one, on the present frame."""
        others = [other for other in states if other is not state]
        return cls(tuple(known for other in others for known in other.gallery), taken_beside(state, others, grid))


def strangers_to(state: TrackState, states: Iterable[TrackState], twin_similarity: float) -> Gallery:
    """What the others looked like at first, but for those that are too similar to this one to be told apart."""
    firsts = [other.gallery[0] for other in states if other is not state and other.gallery]
    return tuple(first for first in firsts if similarity(first, state.gallery[:1]) < twin_similarity)


def taken_beside(state: TrackState, states: Iterable[TrackState], grid: Grid) -> Mask:
    """``(h, w)`` bool: where on the grid the other objects are shown."""
    taken = np.zeros(grid.size[::-1], bool)
    for other in states:
        if other is not state and other.present is not None and other.state is not State.LOST:
            taken |= other.present > INSIDE
    return taken


def update_color_ratios(states: Iterable[TrackState]) -> None:
    """Bring up to date what colors say about each object: those of the others speak against it."""
    known = {state: state.colors.joined(state.reference_colors) for state in states if state.colors is not None}
    for state, colors in known.items():
        decisive = colors.against(other for at, other in known.items() if at is not state)
        state.set_color_ratios(*decisive.ratios())
