"""Follows objects with a learnt memory on keyframes and optical flow in between.

On a keyframe a space-time memory (STCN, Cheng et al., NeurIPS 2021) says where each object is and whether it is there
at all. What a person says is answered by SAM, and its answers become memory at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from streamer.data.prompt import FOREGROUND, MaskLevel, Prompt
from streamer.data.reason import Reason
from streamer.data.track import State
from streamer.models.image_call import MAX_BATCH, ImageCall
from streamer.models.protocols import Embedding, Refiner, RememberingSegmenter
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.tracking.clicks import ClickAnswer, ClickRequest
from streamer.tracking.compositing import separated
from streamer.tracking.history import History
from streamer.tracking.keyframes import Answers, Discovery, Questions, Recall, look, look_again
from streamer.tracking.memory_bank import MemoryBank
from streamer.tracking.parameters import HEAD_START, VANISHED_PX, VANISHED_SHARE, TrackingParameters
from streamer.tracking.propagation import Propagation
from streamer.tracking.protocol import TrackedMask
from streamer.tracking.soft_masks import SoftMask, area_of, coherence, without_scraps
from streamer.tracking.track_state import TrackState


class MemoryTracker:
    """Follows objects: carries and refines their masks, and recalls them on keyframes.

    Args:
        segmenter: Used by one thread at a time.
        parameters: How objects are followed.
        refiner: Mends carried masks; None leaves them as the flow carries them.

    Attributes:
        image_call: Encodes images.
        trouble: Why a keyframe should come early; None where all is well.
    """

    def __init__(
        self,
        segmenter: RememberingSegmenter,
        parameters: TrackingParameters | None = None,
        refiner: Refiner | None = None,
    ) -> None:
        self._segmenter, self._parameters = segmenter, parameters or TrackingParameters()
        self._propagation = Propagation(self._parameters, refiner)
        self._bank = MemoryBank(self._parameters.memory)
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

    # A person speaks.

    def add_points_or_box(self, prompt: Prompt, motion: Motion, undoable: bool = True) -> int:
        """Take in clicks and a box about the present frame. Returns the object's id."""
        return self._add(prompt, undoable).id

    def add_mask(self, prompt: Prompt, motion: Motion, undoable: bool = True) -> int:
        """Take in the true mask of an object on the present frame. Returns the object's id."""
        assert prompt.mask is not None
        state, anchor = self._add(prompt, undoable), motion.open()
        soft_mask = motion.grid.shrink(prompt.mask.astype(np.uint8) * 255)
        state.be_given(soft_mask, anchor, self._propagation.colors_of(soft_mask, anchor))
        self._propagation.compare_colors(self._states.values())
        return state.id

    def remove_object(self, object_id: int, undoable: bool = True) -> None:
        """Follow an object no longer. An unknown id does nothing."""
        state = self._states.pop(object_id, None)
        if state is None:
            return
        if undoable:
            self._history.add_removal(state, self._index)
        else:
            self._history.forget_prompts(object_id)
            self._bank.forget_object(object_id)

    def undo(self) -> None:
        """Take back a person's last click, box, mask or removal; an object of which nothing is left goes away."""
        restored = self._history.take_removal()
        if restored is not None:
            state, index = restored
            state.restore(self._parameters.quality_after(self._index - index))
            if state.id not in self._bank:  # its number was another object's meanwhile
                state.be_shown_again()
            self._states[state.id] = state
            self._propagation.compare_colors(self._states.values())
            return
        object_id = self._history.take_prompt()
        if object_id is None:
            return
        state = self._states[object_id]
        if len(state.prompts) > 1:
            state.take_back_prompt()
        else:
            del self._states[object_id]
            self._bank.forget_object(object_id)

    # The frames go on.

    def start_scene(self, keep_found: bool) -> None:
        """The scene has changed: nothing that was carried means anything any more. See :class:`Tracker`."""
        for state in (*self._states.values(), *self._history.removed):
            state.start_scene()
        self._embedding = None
        if not keep_found:
            self._states = {object_id: state for object_id, state in self._states.items() if state.prompts}
            self._history.forget_found()

    def propagate(self, motion: Motion) -> None:
        """Move on to the present frame: clicks are followed, masks carried and refined."""
        self._index = motion.index
        states = self._states.values()
        self._propagation.follow_points((*states, *self._history.removed), motion)
        for state in states:
            state.advance()
        self._propagation.bring(states, motion)
        for state in states:
            self._lose_if_vanished(state)
        self._propagation.settle(states, motion)
        self.trouble = next(filter(None, (self._trouble_with(state) for state in states)), None)

    def keyframe(self, image_rgb: NDArray[np.uint8], motion: Motion, find: int) -> Callable[[], Answers]:
        """What is to be computed about the present frame, in whatever thread there is time for it. See `Tracker`."""
        states = self._states.values()
        self._propagation.bring(states, motion)
        spoken_of = [state for state in states if state.unanswered]
        said, level = [state for state in spoken_of if not state.is_exact], self._parameters.mask_level
        known = [state for state in states if not state.unanswered and state.id in self._bank]
        sought = self._whose_turn_it_is(known)
        asked = Questions(
            motion.present.image_rgb,
            motion.grid,
            clicks=_known(_request(state, _said(state), state.present, level) for state in said),
            given={each.id: each.present for each in spoken_of if each.is_exact and each.present is not None},
            sought=[state.id for state in known if state in sought],
            waiting=[state.id for state in known if state not in sought],
            carried={state.id: state.present for state in states if state.present is not None},
            memories=self._bank.memories,
            versions={state.id: state.version for state in states},
            find=find,
        )
        for state in states:
            state.be_asked_about()
        for state in sought:
            state.be_sought(motion.index)
        encode = partial(self.image_call, image_rgb)
        return partial(look, self._segmenter, encode, asked, self._parameters.passes)

    def corrections(self) -> tuple[Callable[[], Answers], Anchor] | None:
        """What has been said since the last keyframe or call of this, as asked of the last embedding. See `Tracker`."""
        if self._embedding is None:
            return None
        embedding, anchor = self._embedding
        said = [state for state in self._states.values() if max(state.asked, state.corrected) < state.version]
        clicks = _known(self._request_about(state, anchor) for state in said if not state.is_exact)
        for state in said:
            state.be_corrected()
        if not clicks:
            return None
        versions = {state.id: state.version for state in said}
        asked = Questions(anchor.pyramid.image_rgb, anchor.grid, clicks, versions=versions)
        return partial(look_again, self._segmenter, embedding, asked, self._parameters.passes), anchor

    def adopt(self, answer: Answers, anchor: Anchor) -> None:
        """Believe what a call brought back; it hangs on the anchor, and so does what is remembered of it.

        What a person has spoken about since is not touched.
        """
        if answer.embedding is not None:
            self._embedding = answer.embedding, anchor
            for state in self._states.values():
                state.be_seen_anew()
        values = dict(answer.memory.values)
        known = {each: values.pop(each) for each in list(values) if self._is_current(each, answer)}
        numbers = [self._add_found(one, anchor) for one in answer.found]
        known |= {number: values[-1 - at] for at, number in enumerate(numbers)}
        spoken_of = {one.request.object_id: one for one in answer.clicked} | dict.fromkeys(answer.given)
        spoken_of = {each: one for each, one in spoken_of.items() if self._is_current(each, answer)}
        for object_id, clicked in spoken_of.items():
            self._bank.forget_recent(object_id)
            if clicked is not None:
                self._take_answer(self._states[object_id], clicked, anchor)
        for object_id, recall in answer.recalled.items():
            if self._is_current(object_id, answer):
                self._take_recall(self._states[object_id], recall, anchor)
        self._bank.keep_only([*self._states, *(state.id for state in self._history.removed)])
        self._bank.add(anchor.index, replace(answer.memory, values=known), {*spoken_of, *numbers})
        self._propagation.compare_colors(self._states.values())

    def masks(self, motion: Motion, inverse_depth: NDArray[np.float32] | None = None) -> list[TrackedMask]:
        """Every object on the present frame by ascending id; no pixel belongs to two. See :class:`Tracker`."""
        states = sorted(self._states.values(), key=lambda state: state.id)
        self._propagation.bring([state for state in states if state.state is not State.LOST], motion)
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

    def _whose_turn_it_is(self, states: Sequence[TrackState]) -> set[TrackState]:
        """Those of the objects that the memory is asked about now: each costs what one costs."""

        def waits_since(state: TrackState) -> int:
            return state.sought_index - (HEAD_START if self._trouble_with(state) else 0)

        most = self._parameters.memory.at_once
        return set(states if len(states) <= most else sorted(states, key=waits_since)[:most])

    def _request_about(self, state: TrackState, anchor: Anchor) -> ClickRequest | None:
        base = state.seen_mask if state.seen_index == anchor.index else None
        return _request(state, _said(state).moved(anchor.points_to_anchor), base, self._parameters.mask_level)

    def _encode(self, images_rgb: Sequence[NDArray[np.uint8]]) -> Sequence[Embedding]:
        if len(images_rgb) == 1:
            return [self._segmenter.encode(images_rgb[0])]
        return self._segmenter.encode_batch(images_rgb)

    def _add(self, prompt: Prompt, undoable: bool) -> TrackState:
        object_id = prompt.object_id if prompt.object_id is not None else self._last_id + 1
        self._last_id = max(self._last_id, object_id)
        state = self._states.get(object_id)
        if state is None:
            state = self._states[object_id] = TrackState(object_id)
            self._bank.forget_object(object_id)
        state.add_prompt(prompt)
        if undoable:
            self._history.add_prompt(object_id)
        return state

    def _add_found(self, found: Discovery, anchor: Anchor) -> int:
        self._last_id += 1
        state = self._states[self._last_id] = TrackState(self._last_id)
        self._believe(state, found.soft_mask, found.score, anchor)
        return state.id

    def _is_current(self, object_id: int, answer: Answers) -> bool:
        """Whether nobody has spoken about the object since that was asked."""
        state = self._states.get(object_id)
        return state is not None and state.version == answer.versions.get(object_id)

    def _take_answer(self, state: TrackState, answer: ClickAnswer, anchor: Anchor) -> None:
        self._believe(state, answer.soft_mask, answer.predicted_iou, anchor, from_user=True)
        state.take_answer()

    def _take_recall(self, state: TrackState, recall: Recall, anchor: Anchor) -> None:
        if not recall.is_present:
            state.lose()
            return
        soft_mask = without_scraps(recall.soft_mask, state.scrap)
        # In pieces it is rarely one thing still; what was in pieces when a person said so may stay so.
        whole = min(1.0, coherence(soft_mask) / state.coherence)
        self._believe(state, soft_mask, recall.presence * recall.predicted_iou * whole, anchor)

    def _believe(
        self, state: TrackState, soft_mask: SoftMask, score: float, anchor: Anchor, from_user: bool = False
    ) -> None:
        state.believe(soft_mask, score, anchor, self._propagation.colors_of(soft_mask, anchor), from_user)

    def _lose_if_vanished(self, state: TrackState) -> None:
        """Where nothing is left of its mask, the object is lost."""
        if state.present is None:
            return
        if area_of(state.present) < max(VANISHED_PX, VANISHED_SHARE * state.area):
            state.lose()

    def _trouble_with(self, state: TrackState) -> Reason | None:
        if state.present is None or state.anchor is None:
            return None
        growth = area_of(state.present) / max(state.area, 1)
        return self._parameters.keyframe_triggers.reason(growth, state.expected_iou)


def _said(state: TrackState) -> Prompt:
    return Prompt(state.point_coords, state.point_labels, state.box)


def _request(state: TrackState, said: Prompt, base: SoftMask | None, level: MaskLevel) -> ClickRequest | None:
    """What to ask SAM; None where there is nothing to ask with, or where what is to be corrected is not known there."""
    if not state.is_redrawn:
        return None if base is None else ClickRequest(state.id, said, base=base, fresh=state.fresh)
    if said.box is None and not (said.point_labels == FOREGROUND).any():
        return None
    return ClickRequest(state.id, said, state.level or level)


def _known(requests: Iterable[ClickRequest | None]) -> list[ClickRequest]:
    return [request for request in requests if request is not None]


def _shown(state: TrackState, motion: Motion) -> SoftMask:
    """``(h, w)`` uint8, empty where the object is lost."""
    if state.state is State.LOST or state.present is None:
        return np.zeros(motion.grid.shape, np.uint8)
    return state.present
