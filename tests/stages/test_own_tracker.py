"""A second tracker, written here, plays a whole run: nothing but its protocol is known outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.data.prompt import Prompt
from streamer.data.reason import Reason
from streamer.data.result import Result
from streamer.data.track import State
from streamer.models.image_call import ImageCall
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.tracking.protocol import TrackedMask, Tracker
from tests.fake_models import RedDepth, moving_scene
from tests.pipelines import Gate, another_scene, build_pipeline, frame, iou

BALL, BOX, RED, BLUE = (60, 80), (250, 150), 0, 2
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Channels:
    """What it sees: where red and blue are, by channel."""

    masks: Mapping[int, Mask]
    channels: Mapping[int, int] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=lambda: {"threshold": 1.0})


class ThresholdTracker:
    """Follows what is red or blue: an object is one of the two channels."""

    trouble = None

    def __init__(self) -> None:
        self.image_call = ImageCall(lambda images: [_thresholded(image) for image in images])
        self.unanswered = False
        self._channels: dict[int, int] = {}
        self._order: list[tuple[int, int | None]] = []
        self._seen: tuple[Mapping[int, Mask], Anchor] | None = None
        self._shown: dict[int, tuple[Mask, Anchor]] = {}
        self._last_id = 0

    @property
    def mask_age(self) -> int | None:
        return max((anchor.age for _, anchor in self._shown.values()), default=None)

    def __len__(self) -> int:
        return len(self._channels)

    def add_points_or_box(self, prompt: Prompt, motion: Motion, undoable: bool = True) -> int:
        x, y = prompt.point_coords[0]
        return self._add(prompt, int(motion.present.image_rgb[_row(motion, y), _column(motion, x)].argmax()))

    def add_mask(self, prompt: Prompt, motion: Motion, undoable: bool = True) -> int:
        assert prompt.mask is not None
        y, x = np.argwhere(prompt.mask).mean(axis=0)
        return self._add(prompt, int(motion.present.image_rgb[_row(motion, y), _column(motion, x)].argmax()))

    def remove_object(self, object_id: int, undoable: bool = True) -> None:
        channel = self._channels.pop(object_id, None)
        self._shown.pop(object_id, None)
        if channel is not None:
            self._order.append((object_id, channel))

    def undo(self) -> None:
        if not self._order:
            return
        object_id, removed = self._order.pop()
        if removed is None:
            self._channels.pop(object_id, None)
            self._shown.pop(object_id, None)
        else:
            self._channels[object_id] = removed
            self.unanswered = True

    def start_scene(self, keep_found: bool) -> None:
        self._seen = None
        self._shown.clear()

    def propagate(self, motion: Motion) -> None:
        """Masks are carried when they are asked for."""

    def keyframe(self, image_rgb: NDArray[np.uint8], motion: Motion, find: int) -> Callable[[], Channels]:
        self.unanswered = False
        if find:
            self._channels = {channel + 1: channel for channel in (RED, BLUE)[:find]}
        asked = dict(self._channels)
        return lambda: Channels(self.image_call(image_rgb), asked)

    def corrections(self) -> tuple[Callable[[], Channels], Anchor] | None:
        if self._seen is None:
            return None
        (masks, anchor), asked = self._seen, dict(self._channels)
        return lambda: Channels(masks, asked), anchor

    def adopt(self, answer: Channels, anchor: Anchor) -> None:
        self._seen = answer.masks, anchor
        for object_id, channel in answer.channels.items():
            if object_id in self._channels:
                self._shown[object_id] = answer.masks[channel], anchor

    def masks(self, motion: Motion, inverse_depth: NDArray[np.float32] | None = None) -> list[TrackedMask]:
        return [self._mask(object_id, motion) for object_id in sorted(self._channels)]

    def _mask(self, object_id: int, motion: Motion) -> TrackedMask:
        width, height = motion.grid.size
        if object_id not in self._shown:
            return TrackedMask(object_id, np.zeros((height, width), np.uint8), 0.0, State.LOST)
        mask, anchor = self._shown[object_id]
        return TrackedMask(object_id, anchor.carry(anchor.grid.shrink(mask * np.uint8(255))), 1.0, State.TRACKED)

    def _add(self, prompt: Prompt, channel: int) -> int:
        object_id = prompt.object_id or self._last_id + 1
        self._last_id = max(self._last_id, object_id)
        self._channels[object_id] = channel
        self._order.append((object_id, None))
        self.unanswered = True
        return object_id


def _thresholded(image_rgb: NDArray[np.uint8]) -> dict[int, Mask]:
    return {channel: image_rgb[..., channel] > 180 for channel in (RED, BLUE)}


def _row(motion: Motion, y: float) -> int:
    return int(y * motion.present.image_rgb.shape[0] / motion.grid.frame_size[1])


def _column(motion: Motion, x: float) -> int:
    return int(x * motion.present.image_rgb.shape[1] / motion.grid.frame_size[0])


def ids(result: Result) -> list[int]:
    return [track.id for track in result.tracks]


def test_it_plays_a_whole_run() -> None:
    tracker: Tracker[Channels] = ThresholdTracker()
    pipeline = build_pipeline(depth_estimator=RedDepth(), tracker=tracker)
    pipeline.prompt(Prompt([BALL]))
    for index in range(12):
        result = pipeline.process(frame(index))
        assert result.reason_of("masks") == {0: "prompt", 5: "interval", 10: "interval"}.get(index)
        assert result.age_of("masks") == index % 5
        assert iou(result.tracks[0].mask, moving_scene(index)[1] == 1) > 0.75
        assert result.tracks[0].depth is not None
    held = pipeline.refresh()
    assert held is not None
    assert "threshold" in held.model_timings_ms


def test_clicks_masks_removal_and_undo_reach_it() -> None:
    pipeline = build_pipeline(tracker=ThresholdTracker())
    pipeline.prompt(Prompt([BALL]))
    assert ids(pipeline.process(frame(0))) == [1]
    assert pipeline.prompt(Prompt(mask=moving_scene(0)[1] == 2)) == 2
    held = pipeline.refresh()
    assert held is not None
    assert iou(held.tracks[1].mask, moving_scene(0)[1] == 2) > 0.8, "it is answered at once"
    pipeline.remove(1)
    assert ids(pipeline.process(frame(1))) == [2]
    pipeline.undo()
    back = pipeline.process(frame(2))
    assert ids(back) == [1, 2]
    assert iou(back.tracks[0].mask, moving_scene(2)[1] == 1) > 0.75
    pipeline.undo()
    assert ids(pipeline.process(frame(3))) == [1]


def test_late_answers_land_where_the_object_is_now_and_those_about_what_was_removed_do_not() -> None:
    gate = Gate()
    pipeline = build_pipeline(tracker=ThresholdTracker(), workers=gate)
    pipeline.prompt(Prompt([BALL]))
    for index in range(6):
        assert pipeline.process(frame(index)).tracks[0].state is State.LOST
    gate.release("masks")
    result = pipeline.process(frame(6))
    assert result.age_of("masks") == 6
    now, then = (iou(result.tracks[0].mask, moving_scene(index)[1] == 1) for index in (6, 0))
    assert now > max(0.7, then), "it is carried by flow alone"
    pipeline.remove(1)
    gate.release("masks")
    assert ids(pipeline.process(frame(7))) == []


def test_after_a_scene_cut_nothing_of_before_is_shown_or_adopted() -> None:
    gate = Gate()
    pipeline = build_pipeline(tracker=ThresholdTracker(), workers=gate)
    pipeline.prompt(Prompt([BALL]))
    pipeline.process(frame(0))
    cut = pipeline.process(another_scene(1))
    assert cut.tracks[0].state is State.LOST
    gate.release("masks")
    assert pipeline.process(another_scene(2)).tracks[0].state is State.LOST


@pytest.mark.parametrize("most", [1, 2])
def test_it_is_asked_to_look_for_objects(most: int) -> None:
    pipeline = build_pipeline(tracker=ThresholdTracker(), max_objects=most)
    pipeline.discover()
    result = pipeline.process(frame(0))
    assert result.reason_of("masks") is Reason.DISCOVER
    assert len(result.tracks) == most
