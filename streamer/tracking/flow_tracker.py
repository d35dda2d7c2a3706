"""Follows objects with SAM on keyframes and optical flow in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streamer.data.prompt import Prompt
from streamer.data.reason import Reason
from streamer.data.track import State
from streamer.models.image_call import MAX_BATCH, ImageCall
from streamer.models.protocols import Embedding, Found, Segmenter
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.motion.pyramid import sparse
from streamer.tracking.candidates import MaskCandidate, ask
from streamer.tracking.compositing import separated
from streamer.tracking.distractors import Distractors, update_color_ratios
from streamer.tracking.history import History
from streamer.tracking.parameters import (
    COLOR_INTERVAL,
    GUESS_SCORE,
    PROMISING,
    SAME_SPOT,
    VANISHED_PX,
    VANISHED_SHARE,
    TrackingParameters,
)
from streamer.tracking.prompting import points_for, requests_about_anchor, requests_about_present
from streamer.tracking.propagation import Propagation
from streamer.tracking.protocol import TrackedMask
from streamer.tracking.redetection import find_by_color, gallery_to_seek, is_still_there
from streamer.tracking.soft_masks import INSIDE, SoftMask, area_of, same_place
from streamer.tracking.track_state import TrackState
from streamer.tracking.update import Updater


@dataclass(frozen=True, slots=True, eq=False)
class KeyframeResult:
    """What a call brings back.

    Attributes:
        candidates: One for each object that SAM was asked about.
        found: Objects that nobody asked about.
        embedding: Of the keyframe, for the clicks to come; None from a call that used an older one.
        timings_ms: Time spent on "encode" and "decode", or on a "click" [ms].
    """

    candidates: Sequence[MaskCandidate]
    found: Sequence[Found] = ()
    embedding: Embedding | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)


class FlowTracker:
    """Follows objects: carries and refines their masks, asks SAM about them, and decides what to believe.

    Args:
        segmenter: Used by one thread at a time.
        parameters: How objects are followed.

    Attributes:
        image_call: Encodes images.
        trouble: Why a keyframe should come early; None where all is well.
    """

    def __init__(self, segmenter: Segmenter, parameters: TrackingParameters | None = None) -> None:
        self._segmenter, self._parameters = segmenter, parameters or TrackingParameters()
        self._propagation = Propagation(self._parameters.refinement)
        self._updater = Updater(self._propagation, self._parameters.update, self._parameters.redetection)
        self._states: dict[int, TrackState] = {}
        self._history = History()
        self._embedding: tuple[Embedding, Anchor] | None = None
        self._last_id = 0
        self._index = -1
        self.image_call: ImageCall[Embedding] = ImageCall(self._encode, MAX_BATCH)
        self.trouble: Reason | None = None

    def __len__(self) -> int:
        return len(self._states)

    @property
    def unanswered(self) -> bool:
        """Whether a person has said something that no keyframe has been asked about."""
        return any(state.unanswered for state in self._states.values())

    @property
    def mask_age(self) -> int | None:
        """Frames since the oldest keyframe that a mask goes back to; None without masks."""
        masked = [each for each in self._states.values() if each.soft_mask is not None and each.state is not State.LOST]
        return max((self._index - state.seen_index for state in masked), default=None)

    def add_points_or_box(self, prompt: Prompt, motion: Motion) -> int:
        """Take in clicks and a box about the present frame. Returns the object's id."""
        return self._add(prompt).id

    def add_mask(self, prompt: Prompt, motion: Motion) -> int:
        """Take in the true mask of an object on the present frame. Returns the object's id."""
        assert prompt.mask is not None
        state, anchor = self._add(prompt), motion.open()
        soft_mask = motion.grid.shrink(prompt.mask.astype(np.uint8) * 255)
        state.be_given(soft_mask, anchor, self._updater.colors_of(soft_mask, anchor))
        update_color_ratios(self._states.values())
        return state.id

    def remove_object(self, object_id: int) -> None:
        """Follow an object no longer. An unknown id does nothing."""
        state = self._states.pop(object_id, None)
        if state is not None:
            self._history.add_removal(state, self._index)

    def undo(self) -> None:
        """Take back the last click, box, mask or removal; an object of which nothing is left goes away."""
        restored = self._history.take_removal()
        if restored is not None:
            state, index = restored
            state.restore(self._parameters.update.quality_after(self._index - index))
            self._states[state.id] = state
            update_color_ratios(self._states.values())
            return
        object_id = self._history.take_prompt()
        if object_id is None:
            return
        state = self._states[object_id]
        if len(state.prompts) > 1:
            state.take_back_prompt()
        else:
            del self._states[object_id]

    def start_scene(self, keep_found: bool) -> None:
        """The scene has changed: nothing that was carried means anything any more. See :class:`Tracker`."""
        for state in (*self._states.values(), *self._history.removed):
            state.start_scene()
        self._embedding = None
        if not keep_found:
            self._states = {object_id: state for object_id, state in self._states.items() if state.prompts}
            self._history.forget_found()

    def propagate(self, motion: Motion) -> None:
        """Move on to the present frame: points are followed, masks carried and refined."""
        self._index = motion.index
        states = self._states.values()
        self._follow_points((*states, *self._history.removed), motion)
        for state in states:
            self._carry(state, motion)
        if self._parameters.redetection.by_color and motion.index % COLOR_INTERVAL == 0:
            for state in states:
                self._look_by_color(state, motion)
        self._propagation.settle(states, motion)
        self.trouble = next(filter(None, (self._trouble_with(state, motion) for state in states)), None)

    def keyframe(self, image_rgb: NDArray[np.uint8], motion: Motion, find: int) -> Callable[[], KeyframeResult]:
        """What is to be computed about the present frame, in whatever thread there is time for it. See `Tracker`."""
        states, parameters = self._states.values(), self._parameters
        for state in states:
            self._propagation.bring([state], motion)
            self._choose_points(state, motion)
        requests = requests_about_present(states, motion, parameters)
        for state in states:
            state.be_asked_about()
        segmenter, image_call, on_grid, grid = self._segmenter, self.image_call, motion.present.image_rgb, motion.grid

        def look() -> KeyframeResult:
            start_s = time.perf_counter()
            embedding = image_call(image_rgb)
            encoded_s = time.perf_counter()
            found = segmenter.find(embedding, find) if find else []
            candidates = ask(segmenter, embedding, requests, on_grid, grid, parameters)
            timings_ms = {"encode": (encoded_s - start_s) * 1000, "decode": _since_ms(encoded_s)}
            return KeyframeResult(candidates, found, embedding, timings_ms)

        return look

    def corrections(self) -> tuple[Callable[[], KeyframeResult], Anchor] | None:
        """What has been said since the last keyframe or call of this, as asked of the last embedding. See `Tracker`."""
        if self._embedding is None:
            return None
        segmenter, parameters, (embedding, anchor) = self._segmenter, self._parameters, self._embedding
        states = self._states.values()
        requests = requests_about_anchor(states, anchor, parameters.prompting.negatives)
        for state in states:
            state.be_corrected()
        if not requests:
            return None

        def answer() -> KeyframeResult:
            start_s = time.perf_counter()
            candidates = ask(segmenter, embedding, requests, anchor.pyramid.image_rgb, anchor.grid, parameters)
            return KeyframeResult(candidates, timings_ms={"click": _since_ms(start_s)})

        return answer, anchor

    def adopt(self, answer: KeyframeResult, anchor: Anchor) -> Collection[int]:
        """Believe what a call brought back, or not; what is believed hangs on the anchor. See :class:`Tracker`.

        Returns:
            Ids of the objects whose masks may have changed without a person having asked for it.
        """
        if answer.embedding is not None:
            self._embedding = answer.embedding, anchor
            for known in self._states.values():
                known.be_seen_anew()
        for found in answer.found:
            self._add_found(found, anchor)
        for candidate in answer.candidates:
            state = self._states.get(candidate.request.object_id)
            if state is not None:
                self._updater.adopt(state, candidate, anchor, self._states.values())
        update_color_ratios(self._states.values())
        requests = (candidate.request for candidate in answer.candidates)
        return {request.object_id for request in requests if not request.from_user}

    def masks(self, motion: Motion, inverse_depth: NDArray[np.float32] | None = None) -> list[TrackedMask]:
        """Every object on the present frame by ascending id; no pixel belongs to two. See :class:`Tracker`."""
        states = sorted(self._states.values(), key=lambda state: state.id)
        self._propagation.bring((state for state in states if state.state is not State.LOST), motion)
        shown = [_shown(state, motion) for state in states]
        soft_masks = separated(shown, [state.score for state in states], inverse_depth)
        return [
            TrackedMask(
                state.id,
                soft_mask,
                0.0 if state.state is State.LOST else state.score,
                state.state,
                state.point_coords,
                state.point_labels,
                state.seen_at_s,
            )
            for state, soft_mask in zip(states, soft_masks, strict=True)
        ]

    def _encode(self, images_rgb: Sequence[NDArray[np.uint8]]) -> Sequence[Embedding]:
        if len(images_rgb) == 1:
            return [self._segmenter.encode(images_rgb[0])]
        return self._segmenter.encode_batch(images_rgb)

    def _add(self, prompt: Prompt) -> TrackState:
        object_id = prompt.object_id if prompt.object_id is not None else self._last_id + 1
        self._last_id = max(self._last_id, object_id)
        state = self._states.setdefault(object_id, TrackState(object_id))
        state.add_prompt(prompt)
        self._history.add_prompt(object_id)
        return state

    def _add_found(self, found: Found, anchor: Anchor) -> None:
        self._last_id += 1
        state = self._states[self._last_id] = TrackState(self._last_id)
        self._updater.believe(state, anchor.grid.shrink(found.mask.astype(np.uint8) * 255), found.score, anchor)
        update_color_ratios(self._states.values())

    def _follow_points(self, states: Sequence[TrackState], motion: Motion) -> None:
        if not states:
            return
        parts = [np.concatenate([state.point_coords, state.points]) for state in states]
        moved_to, good = motion.follow(np.concatenate(parts))
        ends = np.cumsum([len(part) for part in parts])
        for state, end, part in zip(states, ends, parts, strict=True):
            state.follow_points(moved_to[end - len(part) : end], good[end - len(part) : end])

    def _choose_points(self, state: TrackState, motion: Motion) -> None:
        points = points_for(state, motion, self._parameters.prompting.positives)
        if points is not None:
            state.choose_points(points)

    def _carry(self, state: TrackState, motion: Motion) -> None:
        """Bring an object's mask to the present frame; where nothing is left of it, it is lost."""
        state.advance()
        self._propagation.bring([state], motion)
        if state.present is None:
            return
        state.move(state.present, self._parameters.update.quality_after(1))
        if len(state.points) == 0:
            self._choose_points(state, motion)
        if area_of(state.present) < max(VANISHED_PX, VANISHED_SHARE * state.area):
            state.lose()
        elif state.redetection:
            bins = self._propagation.image_of(motion.present).bins
            if is_still_there(state, bins, motion.index, self._parameters.redetection):
                anchor = motion.open()
                state.confirm(state.present, anchor, self._updater.colors_of(state.present, anchor))

    def _look_by_color(self, state: TrackState, motion: Motion) -> None:
        """Look for an object that is astray where its colors are, and guess that it is there."""
        bins = self._propagation.image_of(motion.present).bins
        gallery = gallery_to_seek(state, bins, self._parameters.redetection)
        if not gallery:
            return
        spot, is_it = find_by_color(state, gallery, bins, Distractors.of(state, self._states.values(), motion.grid))
        if spot is None or not is_it:
            state.notice(spot)
            return
        is_here = state.present is None or same_place(spot.soft_mask, state.present, SAME_SPOT)
        state.guess_at(spot, motion.open(), GUESS_SCORE, is_elsewhere=not is_here)

    def _trouble_with(self, state: TrackState, motion: Motion) -> Reason | None:
        if state.redetection >= PROMISING:
            return Reason.FOUND_AGAIN
        if state.present is None or state.anchor is None or state.rejections:
            return None
        mask = state.present > INSIDE
        there = state.anchor.trust(motion.present)[sparse(mask)]
        trust = float(there.mean()) if len(there) else 0.0
        growth = np.count_nonzero(mask) / max(state.area, 1)
        return self._parameters.keyframe_triggers.reason(state.points_lost, growth, trust)


def _shown(state: TrackState, motion: Motion) -> SoftMask:
    """``(h, w)`` uint8, empty where the object is lost."""
    if state.state is State.LOST or state.present is None:
        return np.zeros(motion.grid.shape, np.uint8)
    return state.present


def _since_ms(start_s: float) -> float:
    return (time.perf_counter() - start_s) * 1000
