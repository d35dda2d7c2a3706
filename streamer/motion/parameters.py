"""What can be set about motion: the section ``flow`` of a config."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from streamer.data.parameters import Parameters

FlowPreset = Literal["ultrafast", "fast", "medium"]


class FlowParameters(Parameters):
    """How flow is found, and on which levels.

    Attributes:
        preset: Quality of the dense flow.
        max_side_px: Long side of the level on which it is found [px]; 640 instead of 424 is worth three points of IoU.
        grid_side_px: Long side of the level on which masks and depth are carried [px]; finer is worth nothing to masks
            that are refined on their way.
        cut_error: Mean absolute difference [gray levels] between a frame and the one before it, warped onto it, above
            which the two are taken for different scenes (if their histograms differ as well).
    """

    preset: FlowPreset = "ultrafast"
    max_side_px: int = Field(default=640, ge=64)
    grid_side_px: int = Field(default=424, ge=64)
    cut_error: float = Field(default=22.0, ge=0)

    def at_least(self, side_px: int) -> FlowParameters:
        """The same on levels of at least this long side."""
        wanted = {name: max(getattr(self, name), side_px) for name in ("max_side_px", "grid_side_px")}
        return self.model_copy(update=wanted)
