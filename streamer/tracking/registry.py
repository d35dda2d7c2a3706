"""Trackers by the name of their method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamer.models.protocols import Refiner, RememberingSegmenter
from streamer.tracking.memory_tracker import MemoryTracker
from streamer.tracking.parameters import TrackingParameters
from streamer.tracking.protocol import Tracker

TRACKERS: dict[str, Callable[[RememberingSegmenter, TrackingParameters, Refiner | None], Tracker[Any]]] = dict.fromkeys(
    ("memory", "sam2", "edgetam", "sam3"), MemoryTracker
)


def build_tracker(
    segmenter: RememberingSegmenter, parameters: TrackingParameters, refiner: Refiner | None = None
) -> Tracker[Any]:
    """A tracker of the parameters' method that starts from nothing."""
    return TRACKERS[parameters.method](segmenter, parameters, refiner)
