"""What can be said about the camera: the section ``camera`` of a config."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from streamer.data.parameters import Parameters


class CameraParameters(Parameters):
    """How pixels become rays.

    Attributes:
        intrinsics: ROS ``camera_info`` YAML, OpenCV YAML or XML, COLMAP ``cameras.txt``, or a 3x3 matrix as text.
        fov_deg: Horizontal field of view, where there is no such file [degrees].
    """

    intrinsics: Path | None = None
    fov_deg: float | None = Field(default=None, gt=1, lt=179)
