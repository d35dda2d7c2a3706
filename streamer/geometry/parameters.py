"""What can be said about the camera: the section ``camera`` of a config."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from streamer.data.parameters import Parameters


class CameraParameters(Parameters):
    """How pixels become rays.

    Attributes:
        intrinsics: ROS ``camera_info`` YAML, OpenCV YAML or XML, COLMAP ``cameras.txt``, or a 3x3 matrix as text.
        fov_deg: Horizontal field of view, where there is no such file [degrees].
        height_m: Of the camera above flat ground: relative depth becomes meters by it [m].
        pitch_deg: How far the camera looks down, which has to be known with its height [degrees].
        poses: Where it was: a TUM trajectory, or a folder of 7-Scenes' ``*.pose.txt``.
    """

    intrinsics: Path | None = None
    fov_deg: float | None = Field(default=None, gt=1, lt=179)
    height_m: float | None = Field(default=None, gt=0)
    pitch_deg: float | None = Field(default=None, gt=-90, lt=90)
    poses: Path | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.height_m is None) != (self.pitch_deg is None):
            raise ValueError("height_m and pitch_deg make meters together only: give both (0 degrees is level)")
        return self
