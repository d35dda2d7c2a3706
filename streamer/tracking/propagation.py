"""Masks on their way from the anchor on which they were believed to the present frame."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.motion.pyramid import Pyramid, halve
from streamer.tracking.colors import Colors
from streamer.tracking.parameters import SETTLE_AFTER
from streamer.tracking.refinement import RefinementImage, refine
from streamer.tracking.soft_masks import SoftMask, harden, without_scraps
from streamer.tracking.track_state import TrackState


class Propagation:
    """Carries masks, and what a person pointed at, with the flow.

    Args:
        refinement: Whether they follow the colors and edges of every frame on the way.
    """

    def __init__(self, refinement: bool) -> None:
        self._refinement = refinement
        self._image: RefinementImage | None = None

    def follow_points(self, states: Iterable[TrackState], motion: Motion) -> None:
        """Follow the points of all objects to the present frame at once: what costs is to prepare its two images."""
        pointed_at = [state for state in states if len(state.point_coords)]
        if not pointed_at:
            return
        moved_to, good = motion.follow(np.concatenate([state.point_coords for state in pointed_at]))
        ends = np.cumsum([len(state.point_coords) for state in pointed_at])[:-1]
        for state, points, arrived in zip(pointed_at, np.split(moved_to, ends), np.split(good, ends), strict=True):
            state.follow_points(points, arrived)

    def bring(self, states: Iterable[TrackState], motion: Motion) -> None:
        """Bring to the present frame every mask that is not there yet."""
        for state in states:
            if state.present is None and state.anchor is not None:
                state.show(self._carried(state, state.anchor, motion))

    def image_of(self, pyramid: Pyramid) -> RefinementImage:
        """What all objects need of a frame; that of the last one asked for is kept."""
        if self._image is None or self._image.pyramid is not pyramid:
            self._image = RefinementImage(pyramid)
        return self._image

    def colors_of(self, soft_mask: SoftMask, anchor: Anchor) -> Colors | None:
        """Of a ``(h, w)`` mask of the anchor's frame and around it."""
        return Colors.of(self.image_of(anchor.pyramid).bins, halve(soft_mask))

    def compare_colors(self, states: Iterable[TrackState]) -> None:
        """Bring up to date what colors say about each object: those of the others speak against it."""
        known = {state: state.colors.joined(state.reference_colors) for state in states if state.colors is not None}
        for state, colors in known.items():
            decisive = colors.against(other for at, other in known.items() if at is not state)
            state.set_color_ratios(*decisive.ratios())

    def settle(self, states: Iterable[TrackState], motion: Motion) -> None:
        """Put masks that have been carried for long on a new anchor, as they are now: the old one tells ever less."""
        old = [state for state in states if state.anchor is not None and state.anchor.age >= SETTLE_AFTER]
        if not self._refinement or not old:
            return
        anchor = motion.open()
        for state in old:
            if state.present is not None:
                state.place(without_scraps(harden(state.present), state.scrap), anchor)

    def sharpened(self, state: TrackState, soft_mask: SoftMask, anchor: Anchor) -> SoftMask:
        """A ``(h, w)`` mask on the anchor's frame, SAM's or blended with what was carried, after its colors had a say.

        SAM's outlines are as coarse as its answers are small.
        """
        if not self._refinement or state.cautious_ratio is None:
            return soft_mask
        half = halve(soft_mask)
        image = self.image_of(anchor.pyramid)
        return harden(refine(half, state.cautious_ratio, np.ones(half.shape, np.float32), image))

    def _carried(self, state: TrackState, anchor: Anchor, motion: Motion) -> SoftMask:
        assert state.soft_mask is not None
        assert state.half_mask is not None
        if not self._refinement or state.color_ratio is None or anchor.age == 0:
            return anchor.carry(state.soft_mask)
        carried, trust = anchor.carry_half(state.half_mask), anchor.trust(motion.present)
        return refine(carried, state.color_ratio, trust, self.image_of(motion.present))
