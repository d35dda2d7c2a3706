"""Follows objects with a learnt memory on keyframes and optical flow in between.

On a keyframe a space-time memory (STCN, Cheng et al., NeurIPS 2021) says where each object is and whether it is there
at all; SAM answers what a person says, and its answers become memory at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from streamer.data.prompt import Prompt
from streamer.data.reason import Reason
from streamer.data.track import State
from streamer.models.image_call import MAX_BATCH, ImageCall
from streamer.models.protocols import Embedding, Found, Memory, Recalled
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.motion.pyramid import halve, sparse
from streamer.tracking.appearance import Colors
from streamer.tracking.candidates import MaskCandidate, ask, soft
from streamer.tracking.compositing import separated
from streamer.tracking.distractors import update_color_ratios
from streamer.tracking.history import History
from streamer.tracking.memory_bank import MemoryBank
from streamer.tracking.parameters import CERTAIN_SCORE, VANISHED_PX, VANISHED_SHARE, TrackingParameters
from streamer.tracking.prompting import requests_about_anchor, requests_about_present
from streamer.tracking.propagation import Propagation
from streamer.tracking.protocol import TrackedMask
from streamer.tracking.soft_masks import INSIDE, SoftMask, area_of, without_scraps
from streamer.tracking.track_state import TrackState


@dataclass(frozen=True, slots=True, eq=False)
class Recall:
    """What the memory said about one object.

    Attributes:
        soft_mask: ``(h, w)`` uint8 on the grid of the keyframe.
        presence: Probability that it is there.
        predicted_iou: To be expected if it is.
        version: How often the person had spoken about it when this was asked.
    """

    soft_mask: SoftMask
    presence: float
    predicted_iou: float
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class MemoryAnswer:
    """What a call brings back.

    Attributes:
        recalled: What the memory said, by object.
        candidates: SAM's answers to what a person said.
        found: Objects that nobody asked about, by the negative number under which they are remembered.
        given: Version of the objects whose mask a person gave, by object.
        memory: What to keep of the frame.
        embedding: Of the keyframe, for the clicks to come; None from a call that used an older one.
        timings_ms: Time spent on "encode" and "decode", or on a "click" [ms].
    """

    memory: Memory
    recalled: Mapping[int, Recall] = field(default_factory=dict)
    candidates: Sequence[MaskCandidate] = ()
    found: Mapping[int, Found] = field(default_factory=dict)
    given: Mapping[int, int] = field(default_factory=dict)
    embedding: Embedding | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)


class MemoryTracker:
    def __init__(self, segmenter, parameters: TrackingParameters | None = None) -> None:
        self._segmenter, self._parameters = segmenter, parameters or TrackingParameters()
        self._memory = segmenter.memory
        self._propagation = Propagation(self._parameters.refinement)
        self._bank = MemoryBank()
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
        return any(state.unanswered for state in self._states.values())

    @property
    def mask_age(self) -> int | None:
        masked = [each for each in self._states.values() if each.soft_mask is not None and each.state is not State.LOST]
        return max((self._index - state.seen_index for state in masked), default=None)

    def add_points_or_box(self, prompt: Prompt, motion: Motion) -> int:
        return self._add(prompt).id

    def add_mask(self, prompt: Prompt, motion: Motion) -> int:
        assert prompt.mask is not None
        state, anchor = self._add(prompt), motion.open()
        soft_mask = motion.grid.shrink(prompt.mask.astype(np.uint8) * 255)
        state.be_given(soft_mask, anchor, self._colors_of(soft_mask, anchor))
        state.asked = state.version - 1
        update_color_ratios(self._states.values())
        return state.id

    def remove_object(self, object_id: int) -> None:
        state = self._states.pop(object_id, None)
        if state is not None:
            self._history.add_removal(state, self._index)

    def undo(self) -> None:
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
            self._bank.forget_object(object_id)

    def start_scene(self, keep_found: bool) -> None:
        for state in (*self._states.values(), *self._history.removed):
            state.start_scene()
        self._embedding = None
        if not keep_found:
            self._states = {object_id: state for object_id, state in self._states.items() if state.prompts}
            self._history.forget_found()

    def propagate(self, motion: Motion) -> None:
        self._index = motion.index
        states = self._states.values()
        for state in (*states, *self._history.removed):
            state.follow_points(*motion.follow(state.point_coords))
        for state in states:
            self._carry(state, motion)
        self._propagation.settle(states, motion)
        self.trouble = next(filter(None, (self._trouble_with(state, motion) for state in states)), None)

    def keyframe(self, image_rgb: NDArray[np.uint8], motion: Motion, find: int) -> Callable[[], MemoryAnswer]:
        states, grid, on_grid = self._states.values(), motion.grid, motion.present.image_rgb
        self._propagation.bring(states, motion)
        given = {state.id: state for state in states if state.unanswered and state.is_exact}
        said = [state for state in states if state.unanswered and not state.is_exact]
        requests = [r for r in requests_about_present(states, motion, self._parameters) if r.from_user and r.object_id not in given]
        versions = {state.id: state.version for state in states}
        carried = {state.id: state.present for state in states if state.present is not None}
        asked = {request.object_id for request in requests}
        recalled_ids = [state.id for state in states if state.id not in asked | set(given) and state.id in self._bank]
        for state in states:
            state.be_asked_about()
        memories, segmenter, image_call, memory = self._bank.memories, self._segmenter, self.image_call, self._memory
        given_masks = {each: carried[each] for each in given if each in carried}

        def look() -> MemoryAnswer:
            start_s = time.perf_counter()
            embedding = image_call(image_rgb)
            encoded_s = time.perf_counter()
            found = {-1 - at: one for at, one in enumerate(segmenter.find(embedding, find))} if find else {}
            candidates = ask(segmenter, embedding, requests, on_grid, grid, self._parameters)
            recalled = self._recall(embedding, memories, recalled_ids, carried, versions, grid.size)
            masks = dict(given_masks)
            masks |= {one.request.object_id: one.soft_mask for one in candidates}
            masks |= {each: grid.shrink(one.mask.astype(np.uint8) * 255) for each, one in found.items()}
            masks |= {each: one.soft_mask for each, one in recalled.items() if one.presence > 0.5}
            kept = memory.remember(embedding, masks)
            timings_ms = {"encode": (encoded_s - start_s) * 1000, "decode": _since_ms(encoded_s)}
            return MemoryAnswer(kept, recalled, candidates, found, {each: versions[each] for each in given_masks}, embedding, timings_ms)

        return look

    def _recall(self, embedding, memories, ids, carried, versions, size) -> dict[int, Recall]:
        if not ids:
            return {}
        recalled = self._memory.recall(embedding, memories, ids, {each: carried[each] for each in ids if each in carried})
        large = self._segmenter.upscale(recalled.logits, size)
        return {
            each: Recall(soft(logits), float(presence), float(iou), versions[each])
            for each, logits, presence, iou in zip(ids, large, recalled.presence, recalled.predicted_iou, strict=True)
        }

    def corrections(self) -> tuple[Callable[[], MemoryAnswer], Anchor] | None:
        if self._embedding is None:
            return None
        segmenter, parameters, memory, (embedding, anchor) = self._segmenter, self._parameters, self._memory, self._embedding
        states = [state for state in self._states.values() if not state.is_exact]
        requests = requests_about_anchor(states, anchor, parameters.prompting.negatives)
        for state in states:
            state.be_corrected()
        if not requests:
            return None

        def answer() -> MemoryAnswer:
            start_s = time.perf_counter()
            candidates = ask(segmenter, embedding, requests, anchor.pyramid.image_rgb, anchor.grid, parameters)
            kept = memory.remember(embedding, {one.request.object_id: one.soft_mask for one in candidates})
            return MemoryAnswer(kept, candidates=candidates, timings_ms={"click": _since_ms(start_s)})

        return answer, anchor

    def adopt(self, answer: MemoryAnswer, anchor: Anchor) -> Collection[int]:
        if answer.embedding is not None:
            self._embedding = answer.embedding, anchor
        values, given = {}, set()
        for slot, found in answer.found.items():
            state = self._add_found(found, anchor)
            values[state.id] = answer.memory.values[slot]
            given.add(state.id)
        for candidate in answer.candidates:
            state = self._states.get(candidate.request.object_id)
            if state is not None and state.version == candidate.request.version:
                self._believe(state, candidate.soft_mask, candidate.predicted_iou, anchor, from_user=True)
                state.take_answer()
                self._bank.forget_recent(state.id)
                values[state.id] = answer.memory.values[state.id]
                given.add(state.id)
        for object_id, version in answer.given.items():
            state = self._states.get(object_id)
            if state is not None and state.version == version:
                self._bank.forget_recent(object_id)
                values[object_id] = answer.memory.values[object_id]
                given.add(object_id)
        for object_id, recall in answer.recalled.items():
            state = self._states.get(object_id)
            if state is None or state.version != recall.version:
                continue
            if recall.presence <= 0.5 or area_of(recall.soft_mask) == 0:
                state.lose()
                continue
            soft_mask = without_scraps(self._propagation.sharpened(state, recall.soft_mask, anchor), state.scrap)
            self._believe(state, soft_mask, recall.presence * recall.predicted_iou, anchor)
            values[object_id] = answer.memory.values[object_id]
        self._bank.add(anchor.index, replace(answer.memory, values=values), given)
        update_color_ratios(self._states.values())
        return set(answer.recalled)

    def masks(self, motion: Motion, inverse_depth: NDArray[np.float32] | None = None) -> list[TrackedMask]:
        states = sorted(self._states.values(), key=lambda state: state.id)
        self._propagation.bring((state for state in states if state.state is not State.LOST), motion)
        shown = [_shown(state, motion) for state in states]
        soft_masks = separated(shown, [state.score for state in states], inverse_depth)
        return [
            TrackedMask(
                state.id, soft_mask, 0.0 if state.state is State.LOST else state.score, state.state, state.point_coords, state.point_labels,
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

    def _add_found(self, found: Found, anchor: Anchor) -> TrackState:
        self._last_id += 1
        state = self._states[self._last_id] = TrackState(self._last_id)
        self._believe(state, anchor.grid.shrink(found.mask.astype(np.uint8) * 255), found.score, anchor)
        return state

    def _believe(self, state, soft_mask, score, anchor, from_user=False) -> None:
        certain = from_user or score >= CERTAIN_SCORE
        score *= self._parameters.update.quality_after(anchor.age)
        state.believe(soft_mask, score, anchor, self._colors_of(soft_mask, anchor), from_user, certain)

    def _colors_of(self, soft_mask: SoftMask, anchor: Anchor) -> Colors | None:
        return Colors.of(self._propagation.image_of(anchor.pyramid).bins, halve(soft_mask))

    def _carry(self, state: TrackState, motion: Motion) -> None:
        state.advance()
        self._propagation.bring([state], motion)
        if state.present is None:
            return
        state.move(state.present, self._parameters.update.quality_after(1))
        if area_of(state.present) < max(VANISHED_PX, VANISHED_SHARE * state.area):
            state.lose()

    def _trouble_with(self, state: TrackState, motion: Motion) -> Reason | None:
        if state.present is None or state.anchor is None:
            return None
        mask = state.present > INSIDE
        there = state.anchor.trust(motion.present)[sparse(mask)]
        trust = float(there.mean()) if len(there) else 0.0
        growth = np.count_nonzero(mask) / max(state.area, 1)
        return self._parameters.keyframe_triggers.reason(state.points_lost, growth, trust)


def _shown(state: TrackState, motion: Motion) -> SoftMask:
    if state.state is State.LOST or state.present is None:
        return np.zeros(motion.grid.shape, np.uint8)
    return state.present


def _since_ms(start_s: float) -> float:
    return (time.perf_counter() - start_s) * 1000
