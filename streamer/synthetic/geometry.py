"""Rigid motions and the pinhole camera of the rendered scene.

The world is left-handed: x right, y up, z ahead, metres; the ground is y = 0. The camera has x right, y down, z ahead.
Pixel centers lie on whole numbers. All matrices are float64 and act on column vectors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.floating[Any]]
_STILL = np.eye(4)


def translation(x: float, y: float, z: float) -> Matrix:
    """The 4x4 matrix that moves by (x, y, z) [m]."""
    matrix = _STILL.copy()
    matrix[:3, 3] = x, y, z
    return matrix


def scaling(x: float, y: float, z: float) -> Matrix:
    """The 4x4 matrix that stretches along the axes."""
    return np.diag([x, y, z, 1.0])


def rotation(axis: str, angle: float) -> Matrix:
    """The 4x4 matrix that turns by ``angle`` [rad] about "x", "y" or "z"; about y, ahead turns to the right."""
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = _STILL.copy()
    matrix[i, i] = matrix[j, j] = math.cos(angle)
    matrix[j, i] = math.sin(angle)
    matrix[i, j] = -matrix[j, i]
    return matrix


def view(position: tuple[float, float, float], yaw: float, pitch: float) -> Matrix:
    """Camera from world, 4x4: a camera without roll at ``position``, turned right by ``yaw`` and up by ``pitch``."""
    ahead = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
    right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
    matrix = _STILL.copy()
    matrix[:3, :3] = right, -np.cross(ahead, right), ahead
    matrix[:3, 3] = -matrix[:3, :3] @ np.array(position)
    return matrix


@dataclass(frozen=True)
class Lens:
    """A pinhole camera: the picture's size (width, height) and the focal length, both in pixels."""

    size: tuple[int, int]
    focal_px: float

    @cached_property
    def matrix(self) -> Matrix:
        """3x3, camera metres to homogeneous pixels."""
        width, height = self.size
        return np.array([[self.focal_px, 0, (width - 1) / 2], [0, self.focal_px, (height - 1) / 2], [0, 0, 1.0]])

    @cached_property
    def inverse(self) -> Matrix:
        """3x3, homogeneous pixels to camera rays of depth 1."""
        return np.linalg.inv(self.matrix)

    def rays(self, x: float, y: float) -> Matrix:
        """4x4: pixels counted from (x, y), with a last row for the camera's place, to rays of depth 1."""
        matrix = self._rays.copy()
        matrix[0, 2] += x / self.focal_px
        matrix[1, 2] += y / self.focal_px
        return matrix

    @cached_property
    def _rays(self) -> Matrix:
        matrix = _STILL.copy()
        matrix[:3, :3] = self.inverse
        return matrix

    def box(self, points: Matrix) -> tuple[int, int, int, int] | None:
        """The pixels x0, y0, x1, y1 (exclusive) that hold camera points ``(3, N)``; None outside the picture."""
        return self.boxes(points[None])[0]

    def boxes(self, points: Matrix) -> list[tuple[int, int, int, int] | None]:
        """:meth:`box` of each of ``(B, 3, N)`` camera points."""
        places = (self.matrix @ points)[:, :2] / points[:, 2:]
        bounds = zip(places.min(axis=2).tolist(), places.max(axis=2).tolist(), strict=True)
        return [self.clip(low, high) for low, high in bounds]

    def clip(self, low: tuple[float, float], high: tuple[float, float]) -> tuple[int, int, int, int] | None:
        """Whole pixels around the corners ``low`` and ``high``, cut to the picture; None outside it."""
        width, height = self.size
        (left, top), (right, bottom) = low, high
        x0, y0 = int(max(left, 0)), int(max(top, 0))
        x1, y1 = math.ceil(min(right, width - 1)) + 1, math.ceil(min(bottom, height - 1)) + 1
        return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def shift(x: float, y: float) -> Matrix:
    """3x3: pixels of a region whose corner is (x, y) to pixels of the picture."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])
