"""What all surfaces of the scene share: light and the choice of texture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.synthetic.geometry import Matrix

NEAR_M = 0.15
FULL = 200
"""Shades are kept as bytes of which this one means unchanged, to leave room for brighter."""
CORNERS = np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1.0]])
"""The corners of the unit square, homogeneous columns."""
SAMPLE = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
Texture = NDArray[np.uint8]
S = TypeVar("S")


@dataclass(frozen=True)
class Light:
    """Light as the camera sees it: unit ``direction`` towards it, and how bright shade and full light are."""

    direction: Matrix
    ambient: float
    diffuse: float

    def on(self, normals: Matrix) -> Matrix:
        """Brightness of planes with unit ``normals`` ``(N, 3)``: wrapped cosine, so that shade is never flat black."""
        return self.ambient + self.diffuse * np.maximum(0.0, 0.35 + 0.65 * (normals @ self.direction))


@dataclass(frozen=True)
class Part(Generic[S]):
    """A surface of a scene, the index of the rigid body it belongs to, and the object that is."""

    surface: S
    body: int
    object_id: int


def pyramid(texture: Texture) -> list[Texture]:
    """The texture and its halves, down to 8 pixels, so that far surfaces do not flicker."""
    levels = [texture]
    while levels[-1].shape[0] >= 16 and levels[-1].shape[1] >= 16:
        levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return levels


def texels_per_pixel(texture_from_image: Matrix, x: Matrix, y: Matrix) -> Matrix:
    """How many texture pixels one picture pixel at (x, y) covers along a side (geometric mean).

    ``texture_from_image`` is 3x3 for all places or ``(N, 3, 3)``, one for each.
    """
    a, b, c = np.moveaxis(texture_from_image[..., 2, :], -1, 0)
    area = np.abs(np.linalg.det(texture_from_image)) / np.maximum(np.abs(a * x + b * y + c) ** 3, 1e-12)
    return np.sqrt(area)


def level_for(fineness: float, count: int) -> int:
    """Which of ``count`` halving levels has about one texel per pixel where the first one has ``fineness``."""
    return min(max(int(math.log2(max(fineness, 1e-6))), 0), count - 1)


def from_unit_square(texture: Texture) -> Matrix:
    """3x3: the unit square to pixels of ``texture``, whose centers lie on whole numbers."""
    height, width = texture.shape[:2]
    return np.array([[width, 0, -0.5], [0, height, -0.5], [0, 0, 1.0]])
