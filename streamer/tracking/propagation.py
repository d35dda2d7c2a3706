"""Masks on their way from the anchor on which they were believed to the present frame."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import cv2
import numpy as np

from streamer.models.protocols import Refiner
from streamer.motion.anchors import Anchor, remap
from streamer.motion.motion import Motion
from streamer.motion.pyramid import Pyramid, halve
from streamer.tracking.colors import Colors
from streamer.tracking.parameters import SETTLE_AFTER, TrackingParameters
from streamer.tracking.refinement import Carried, RefinementImage, crop, others_of, paste
from streamer.tracking.soft_masks import SoftMask, harden, is_empty, without_scraps
from streamer.tracking.track_state import TrackState


class Propagation:
    """Carries masks, and what a person pointed at, with the flow.

    Args:
        parameters: How objects are followed.
        refiner: Mends carried masks on every frame; None leaves them as the flow carries them.
    """

    def __init__(self, parameters: TrackingParameters, refiner: Refiner | None) -> None:
        self._parameters, self._refiner = parameters, refiner if parameters.refinement else None
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

    def bring(self, states: Collection[TrackState], motion: Motion) -> None:
        """Bring to the present frame every mask that is not there yet."""
        moved = []
        for state in states:
            if state.present is not None or state.anchor is None:
                continue
            if self._refiner is None or state.anchor.age == 0:
                self._show_as_carried(state, state.anchor)
            else:
                moved.append(state)
        if moved:
            here = [state.half_present for state in states if state.half_present is not None]
            self._mend(moved, here, motion)

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
            state.color_ratio = decisive.ratio()

    def settle(self, states: Iterable[TrackState], motion: Motion) -> None:
        """Put masks that have been carried for long on a new anchor, as they are now: the old one tells ever less."""
        old = [state for state in states if state.anchor is not None and state.anchor.age >= SETTLE_AFTER]
        if self._refiner is None or not old:
            return
        anchor = motion.open()
        for state in old:
            if state.present is not None:
                state.place(without_scraps(harden(state.present), state.scrap), anchor)

    def _show_as_carried(self, state: TrackState, anchor: Anchor) -> None:
        assert state.soft_mask is not None
        state.fade(self._parameters.quality_after(state.carried_frames))
        state.show(anchor.carry(state.soft_mask), state.carried()[1])

    def _mend(self, states: Sequence[TrackState], here: Sequence[SoftMask], motion: Motion) -> None:
        assert self._refiner is not None
        image, side_px = self.image_of(motion.present), self._refiner.side_px
        carried = dict(zip(states, _carried(states, here, motion), strict=True))
        asked = [state for state in _in_turn(states) if not is_empty(carried[state].region)][
            : self._parameters.mended_at_once
        ]
        answers = {}
        if asked:
            masks, ious = self._refiner(np.stack([crop(carried[state], image, side_px) for state in asked]))
            answers = dict(zip(asked, zip(masks, ious.tolist(), strict=True), strict=True))
        for state, one in carried.items():
            half = one.before
            if state in answers:
                mask, iou = answers[state]
                half = paste(mask, one.region, half.shape)
                state.be_mended(motion.index, iou)
            else:
                state.fade(self._parameters.quality_after(state.carried_frames))
            state.show(cv2.resize(half, motion.grid.size, interpolation=cv2.INTER_LINEAR), half)


def _in_turn(states: Sequence[TrackState]) -> list[TrackState]:
    """Those that have waited longest first."""
    return sorted(states, key=lambda state: state.mended_index)


def _carried(states: Sequence[TrackState], here: Sequence[SoftMask], motion: Motion) -> list[Carried]:
    """Objects on their way to the present frame; ``here`` are the masks, on the half level, of those that are there."""
    anchored = [state.carried() for state in states]
    before = [_one_step_on(state.before, motion) for state in states]
    latest = [mask if old is None else old for old, (_, mask) in zip(before, anchored, strict=True)]
    others = others_of([*latest, *here])[: len(states)]
    return [
        Carried(*known, recent, rest, state.color_ratio)
        for state, known, recent, rest in zip(states, anchored, latest, others, strict=True)
    ]


def _one_step_on(half: SoftMask | None, motion: Motion) -> SoftMask | None:
    """A mask of the frame before on the present one, both ``(h / 2, w / 2)``."""
    return None if half is None or motion.step is None else remap(half, *motion.step).astype(np.uint8)
