"""Ways to follow objects through a sequence: streamer's own, and the two that it has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.data.frame import Frame
from streamer.data.mask import box_of
from streamer.data.prompt import Prompt
from streamer.models.protocols import RememberingSegmenter, Segmenter
from streamer.motion.motion import Motion
from streamer.pipeline import Pipeline
from streamer.scheduling.late_workers import LateWorkers
from streamer.tracking.compositing import on_frame
from streamer.tracking.memory_tracker import MemoryTracker
from streamer.tracking.parameters import TrackingParameters
from streamer.tracking.protocol import Tracker

Mask = NDArray[np.bool_]


class Method(Protocol):
    """Gives a mask for every object on every frame.

    Attributes:
        keyframes: On how many frames the encoder has run.
        scores: How sure it is of each object's last mask, 0 to 1, by id; empty where it does not say.
    """

    keyframes: int
    scores: dict[int, float]

    def process(self, frame: Frame, prompts: Sequence[Prompt]) -> dict[int, Mask]:
        """Masks on the next frame, by object id.

        Args:
            prompts: What is said about this very frame. Objects it names need not be in the answer.
        """
        ...


class Ours:
    """The pipeline as it runs elsewhere."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.keyframes, self.scores = 0, dict[int, float]()
        self._first = True

    def process(self, frame: Frame, prompts: Sequence[Prompt]) -> dict[int, Mask]:
        if self._first:
            self._say(prompts)
        result = self._pipeline.process(frame)
        if not self._first:
            self._say(prompts)
        self._first = False
        self.keyframes += result.reason_of("masks") is not None
        self.scores = {track.id: track.score for track in result.tracks}
        return {track.id: track.mask for track in result.tracks}

    def _say(self, prompts: Sequence[Prompt]) -> None:
        for prompt in prompts:
            self._pipeline.prompt(prompt)


class Late(Ours):
    """The pipeline as it runs live, where SAM's answers come some frames late, but the same way every time."""

    def __init__(self, pipeline: Pipeline, workers: LateWorkers) -> None:
        super().__init__(pipeline)
        self._workers = workers

    def process(self, frame: Frame, prompts: Sequence[Prompt]) -> dict[int, Mask]:
        self._workers.step()
        return super().process(frame, prompts)


class FlowOnly:
    """The first mask carried by flow alone: never refined, never looked at again."""

    def __init__(self, segmenter: Segmenter, tracker: Tracker[Any], motion: Motion) -> None:
        self._segmenter, self._tracker, self._motion = segmenter, tracker, motion
        self.keyframes, self.scores = 0, dict[int, float]()

    def process(self, frame: Frame, prompts: Sequence[Prompt]) -> dict[int, Mask]:
        self.keyframes += any(prompt.mask is None for prompt in prompts)
        self._motion.advance(frame.index, frame.image_rgb, frame.time_s)
        self._tracker.propagate(self._motion)
        if self._motion.scene_cut:
            self._tracker.start_scene(keep_found=True)
        masks = {one.object_id: one.soft_mask for one in self._tracker.masks(self._motion)}
        for object_id, mask in first_masks(self._segmenter, frame, prompts).items():
            self._tracker.add_mask(Prompt(mask=mask, object_id=object_id), self._motion)
        return {object_id: on_frame(soft_mask, self._motion.grid)[0] for object_id, soft_mask in masks.items()}


def unrefined(segmenter: RememberingSegmenter) -> Tracker[Any]:
    """A tracker whose masks are carried by the flow as they are."""
    return MemoryTracker(segmenter, TrackingParameters(refinement=False))


class EveryFrame:
    """SAM on every frame, asked with the previous mask, its box and its middle; without flow."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter, self.keyframes, self.scores = segmenter, 0, dict[int, float]()
        self._masks: dict[int, Mask] = {}
        self._asked: dict[int, Mask] = {}

    def process(self, frame: Frame, prompts: Sequence[Prompt]) -> dict[int, Mask]:
        if self._asked:
            self.keyframes += 1
            self._look(frame)
        first = first_masks(self._segmenter, frame, prompts)
        self._masks |= first
        self._asked |= first
        return dict(self._masks)

    def _look(self, frame: Frame) -> None:
        embedding = self._segmenter.encode(frame.image_rgb)
        prompts = [
            Prompt(box=box_of(mask), mask_input=self._segmenter.mask_input(mask.astype(np.float32), frame.size))
            for mask in self._asked.values()
        ]
        logits, _ = self._segmenter.decode(embedding, prompts).best()
        for object_id, one in zip(self._asked, self._segmenter.upscale(logits, frame.size), strict=True):
            self._masks[object_id] = one > 0
            if self._masks[object_id].any():
                self._asked[object_id] = self._masks[object_id]


def first_masks(segmenter: Segmenter, frame: Frame, prompts: Sequence[Prompt]) -> dict[int, Mask]:
    """What was said about a frame, as masks: the given ones, or SAM's answers to clicks and boxes."""
    masks = {prompt.object_id: prompt.mask for prompt in prompts if prompt.mask is not None}
    asked = [prompt for prompt in prompts if prompt.mask is None]
    if asked:
        logits, _ = segmenter.decode(segmenter.encode(frame.image_rgb), asked).best()
        for prompt, one in zip(asked, segmenter.upscale(logits, frame.size), strict=True):
            masks[prompt.object_id] = one > 0
    return {object_id: mask for object_id, mask in masks.items() if object_id is not None}
