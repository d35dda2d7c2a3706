"""Which camera took the frames: the one that was given, else what comes nearest to knowing it."""

from __future__ import annotations

from collections.abc import Callable

from streamer.data.camera_model import CameraModel, Provenance
from streamer.errors import ConfigError
from streamer.geometry.intrinsics import read_intrinsics
from streamer.geometry.parameters import CameraParameters

_ASPECT_TOLERANCE = 0.01
"""Frames scaled by an encoder to even sides differ by less; cropped ones (4:3 to 16:9) by a third."""


def _unknown() -> float | None:
    return None


class KnownCamera:
    """Asked for the camera of frames of a size.

    A file of intrinsics is believed first, then a field of view, then the source's own word, then what a model sees
    in the picture; without all of these an ordinary lens is assumed.

    Args:
        parameters: What a person says of it.
        own: What the source knows of its own camera.
        estimated_fov_deg: Asked for the horizontal field of view that a model estimates [degrees]; None while unknown.

    Raises:
        ConfigError: The file of intrinsics cannot be read.
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


def _fitted(camera: CameraModel, size: tuple[int, int]) -> CameraModel:
    """The camera at the size of the frames, which may be scaled but not cut."""
    stretch = (size[0] * camera.height) / (size[1] * camera.width)
    if abs(stretch - 1) > _ASPECT_TOLERANCE:
        raise ConfigError(
            f"The intrinsics are those of frames of {camera.width}x{camera.height}, but these are {size[0]}x{size[1]} "
            "and of another shape: give those of this camera in this mode."
        )
    return camera.resized(size)
