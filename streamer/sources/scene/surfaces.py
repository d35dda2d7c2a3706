"""Textured faces and cards, and what all surfaces of the scene share: light and the choice of texture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.sources.scene.canvas import Box, Canvas, plane_values
from streamer.sources.scene.geometry import Matrix, shift

NEAR_M = 0.15
FULL = 200
"""Shades are kept as bytes of which this one means unchanged, to leave room for brighter."""
CORNERS = np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1.0]])
"""The corners of the unit square, homogeneous columns."""
SAMPLE = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
Texture = NDArray[np.uint8]


@dataclass(frozen=True)
class Light:
    """Light as the camera sees it: unit ``direction`` towards it, and how bright shade and full light are."""

    direction: Matrix
    ambient: float
    diffuse: float

    def on(self, normal: Matrix) -> float:
        """Brightness of a plane with the unit ``normal``: wrapped cosine, so that shade is never flat black."""
        return self.ambient + self.diffuse * max(0.0, 0.35 + 0.65 * float(normal @ self.direction))


def pyramid(texture: Texture) -> list[Texture]:
    """The texture and its halves, down to 8 pixels, so that far surfaces do not flicker."""
    levels = [texture]
    while levels[-1].shape[0] >= 16 and levels[-1].shape[1] >= 16:
        levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    return levels


def texels_per_pixel(texture_from_image: Matrix, x: Matrix | float, y: Matrix | float) -> Matrix:
    """How many texture pixels one picture pixel at each (x, y) covers along a side (geometric mean)."""
    a, b, c = texture_from_image[2]
    area = abs(cv2.determinant(texture_from_image)) / np.maximum(np.abs(a * x + b * y + c) ** 3, 1e-12)
    return np.sqrt(area)


def level_for(fineness: float, count: int) -> int:
    """Which of ``count`` halving levels has about one texel per pixel where the first one has ``fineness``."""
    return min(max(int(math.log2(max(fineness, 1e-6))), 0), count - 1)


def from_unit_square(texture: Texture) -> Matrix:
    """3x3: the unit square to pixels of ``texture``, whose centres lie on whole numbers."""
    height, width = texture.shape[:2]
    return np.array([[width, 0, -0.5], [0, height, -0.5], [0, 0, 1.0]])


@dataclass(frozen=True)
class Patch:
    """A textured parallelogram: the face of a box, or a flat card with a cut-out shape.

    Attributes:
        frame: 3x3 in the body's metres; columns are the side along the texture's x, along its y, and the corner.
        normal: Unit outward normal in the body; the back is not drawn.
        textures: ``pyramid`` of an RGBA texture; alpha below one half is cut out.
        two_sided: Whether the back is drawn as well.
    """

    frame: Matrix
    normal: Matrix
    textures: list[Texture]
    two_sided: bool = False

    def grown(self, grow: Matrix) -> Patch:
        """The same, larger by the 4x4 scaling ``grow``."""
        return replace(self, frame=grow[:3, :3] @ self.frame)

    def draw(self, canvas: Canvas, pose: Matrix, light: Light, body: int, object_id: int) -> None:
        """Draw it with ``pose``, camera from body."""
        normal = pose[:3, :3] @ self.normal
        distance = normal @ (pose[:3, :3] @ self.frame[:, 2] + pose[:3, 3])
        if distance > 0 and not self.two_sided:
            return
        frame = pose[:3, :3] @ self.frame
        frame[:, 2] += pose[:3, 3]
        corners = frame @ CORNERS
        if corners[2].min() < NEAR_M or abs(distance) < 1e-6 or (box := canvas.lens.box(corners)) is None:
            return
        colours = self._sample(canvas, frame, box)
        mask = cv2.compare(cv2.extractChannel(colours, 3), 127.5, cv2.CMP_GT)
        cv2.convertScaleAbs(colours, dst=colours, alpha=light.on(normal if distance < 0 else -normal))
        inverse_depth = plane_values(box, normal @ canvas.lens.inverse / distance)
        canvas.put(box, colours, inverse_depth, mask, body, object_id)

    def _sample(self, canvas: Canvas, frame: Matrix, box: Box) -> Texture:
        x0, y0, x1, y1 = box
        unit_from_image = cv2.invert(canvas.lens.matrix @ frame)[1]
        side = self.textures[0].shape[0]
        footprint = side * float(texels_per_pixel(unit_from_image, (x0 + x1) / 2, (y0 + y1) / 2))
        texture = self.textures[level_for(1.3 * footprint, len(self.textures))]
        warp = from_unit_square(texture) @ unit_from_image @ shift(x0, y0)
        return cv2.warpPerspective(texture, warp, (x1 - x0, y1 - y0), flags=SAMPLE)
