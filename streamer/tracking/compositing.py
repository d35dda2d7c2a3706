"""Interim names until the tracker is rebuilt."""

from streamer.tracking.enlarging import on_frame
from streamer.tracking.fading import Fading as FadeIn
from streamer.tracking.refine import INSIDE

__all__ = ["INSIDE", "FadeIn", "on_frame"]
