"""Trackers by the name of their method."""

from __future__ import annotations

from typing import Any

from streamer.models.protocols import Segmenter
from streamer.tracking.interim import FlowTracker
from streamer.tracking.parameters import TrackingParameters
from streamer.tracking.protocol import Tracker

TRACKERS: dict[str, Any] = {"flow": FlowTracker}


def build_tracker(segmenter: Segmenter, parameters: TrackingParameters) -> Tracker[Any]:
    """A tracker that starts from nothing."""
    return TRACKERS["flow"](segmenter, parameters)
