"""Which camera took the frames, and where from: the one that was given, else what comes nearest to knowing it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streamer.data.camera_model import CameraModel, Provenance
from streamer.data.frame import Frame
from streamer.errors import ConfigError
from streamer.geometry.intrinsics import read_intrinsics
from streamer.geometry.parameters import CameraParameters
from streamer.geometry.poses import read_poses

_ASPECT_TOLERANCE = 0.01
"""Frames scaled by an encoder to even sides differ by less; cropped ones (4:3 to 16:9) by a third."""


def _unknown() -> float | None:
    return None


class KnownCamera:
    """Asked for the camera of frames of a size, and for its pose on one of them.

    A file of intrinsics is believed first, then a field of view, then the source's own word, then what a model sees
    in the picture; without all of these an ordinary lens is assumed.

    Args:
        parameters: What a person says of it.
        own: What the source knows of its own camera.
        estimated_fov_deg: Asked for the horizontal field of view that a model estimates [degrees]; None while unknown.

    Raises:
        ConfigError: The file of intrinsics, or the poses, cannot be read.
    """

    def __init__(
        self,
        parameters: CameraParameters | None = None,
        own: CameraModel | None = None,
        estimated_fov_deg: Callable[[], float | None] = _unknown,
    ) -> None:
        parameters = parameters or CameraParameters()
        self._fov_deg, self._own, self._estimated_fov_deg = parameters.fov_deg, own, estimated_fov_deg
        self._read = None if parameters.intrinsics is None else read_intrinsics(parameters.intrinsics)
        self._poses = None if parameters.poses is None else read_poses(parameters.poses)

    def at(self, size: tuple[int, int]) -> CameraModel:
        """The camera of frames of this (width, height) [px].

        Raises:
            ConfigError: The intrinsics are those of frames of another shape.
        """
        if self._read is not None:
            return _fitted(self._read(size), size)
        if self._fov_deg is not None:
            return CameraModel.from_fov(size, self._fov_deg)
        if self._own is not None:
            return _fitted(self._own, size)
        estimated = self._estimated_fov_deg()
        if estimated is not None:
            return CameraModel.from_fov(size, estimated, Provenance.ESTIMATED)
        return CameraModel.assumed(size)

    def pose_at(self, frame: Frame) -> NDArray[np.float64] | None:
        """``(4, 4)`` world from camera on this frame [m]; None where it is not known."""
        return None if self._poses is None else self._poses.at(frame)


def _fitted(camera: CameraModel, size: tuple[int, int]) -> CameraModel:
    """The camera at the size of the frames, which may be scaled but not cut."""
    stretch = (size[0] * camera.height) / (size[1] * camera.width)
    if abs(stretch - 1) > _ASPECT_TOLERANCE:
        raise ConfigError(
            f"The intrinsics are those of frames of {camera.width}x{camera.height}, but these are {size[0]}x{size[1]} "
            "and of another shape: give those of this camera in this mode."
        )
    return camera.resized(size)
