"""Pipelines with fake models, and workers whose calls end when a test says so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from typing import Any

import numpy as np

from streamer.data.frame import Frame
from streamer.models.protocols import DepthEstimator, Segmenter
from streamer.motion.motion import Motion
from streamer.motion.parameters import FlowParameters
from streamer.pipeline import Pipeline
from streamer.scheduling.workers import Done, InlineWorkers, LaneState, Workers
from streamer.stages.depth import DepthStage
from streamer.stages.masks import ClicksStage, MasksStage
from streamer.stages.parameters import ScheduleParameters
from streamer.stages.protocol import Stage
from streamer.tracking.parameters import TrackingParameters
from streamer.tracking.protocol import Tracker
from streamer.tracking.registry import build_tracker
from tests.fake_models import moving_scene
from tests.tracking.fakes import bundled_refiner


def build_pipeline(
    segmenter: Segmenter | None = None,
    depth_estimator: DepthEstimator | None = None,
    workers: Workers | None = None,
    keyframe_interval: int = 5,
    depth_interval: int = 4,
    min_keyframe_gap: int = 3,
    max_objects: int = 5,
    tracker: Tracker[Any] | None = None,
    more: Collection[Stage] = (),
) -> Pipeline:
    """A pipeline as the engine puts it together, for frames of at most 320 pixels.

    Args:
        tracker: Instead of the one that asks the segmenter.
        more: Further stages.
    """
    schedule = ScheduleParameters(
        keyframe_interval=keyframe_interval, depth_interval=depth_interval, min_keyframe_gap=min_keyframe_gap
    )
    if tracker is None and segmenter is not None:
        tracker = build_tracker(segmenter, TrackingParameters(), bundled_refiner())
    depth = None if depth_estimator is None else DepthStage(depth_estimator.estimate, schedule, depth_estimator.unit)
    masks = None if tracker is None else MasksStage(tracker, schedule, max_objects, depth)
    clicks = None if tracker is None else ClicksStage(tracker)
    stages = [stage for stage in (masks, clicks, depth, *more) if stage is not None]
    return Pipeline(stages, workers or InlineWorkers(), Motion(FlowParameters(max_side_px=320)), masks)


def frame(index: int, speed_px: float = 3.0) -> Frame:
    """Frame ``index`` of the moving scene."""
    return Frame(index, index / 30, moving_scene(index, speed_px=speed_px)[0], 0.0)


def another_scene(index: int) -> Frame:
    """A frame that has nothing in common with the moving scene, and always looks the same."""
    image = np.random.default_rng(0).integers(0, 40, (240, 320, 3), dtype=np.uint8)
    return Frame(index, index / 30, image, 0.0)


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    return (mask & truth).sum() / (mask | truth).sum()


class Gate:
    """Workers whose calls end when the test says so, in the order it says.

    Args:
        in_turns: Lanes of which only one is taken at a time.
    """

    def __init__(self, in_turns: Collection[str] = ()) -> None:
        self.in_turns: Collection[str] = frozenset(in_turns)
        self.inner = InlineWorkers()
        self.waiting: dict[str, tuple[Hashable, Callable[[], Any]]] = {}

    def submit(self, lane: str, key: Hashable, call: Callable[[], Any]) -> Hashable | None:
        replaced = self.waiting.pop(lane, (None, None))[0]
        self.waiting[lane] = key, call
        return replaced

    def ready(self, lane: str) -> bool:
        return not any(name in self.waiting for name in (self.in_turns if lane in self.in_turns else {lane}))

    def state(self, lane: str) -> LaneState:
        return "busy" if lane in self.waiting else "idle"

    def release(self, lane: str) -> None:
        key, call = self.waiting.pop(lane)
        self.inner.submit(lane, key, call)

    def finished(self) -> list[Done]:
        return self.inner.finished()

    def close(self, timeout_s: float = 0.5) -> None:
        self.waiting.clear()
