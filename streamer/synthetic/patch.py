"""Textured faces and cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from streamer.synthetic.canvas import Box, Canvas, plane_values
from streamer.synthetic.geometry import Matrix, shift
from streamer.synthetic.surfaces import (
    CORNERS,
    NEAR_M,
    SAMPLE,
    Light,
    Part,
    Texture,
    from_unit_square,
    level_for,
    texels_per_pixel,
)


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


class Patches:
    """All patches of a scene. Which are seen, and how, is found for all of them in one go."""

    def __init__(self, parts: Sequence[Part[Patch]]) -> None:
        self._parts = parts
        self._bodies = [part.body for part in parts]
        self._frames = np.array([part.surface.frame for part in parts]).reshape(-1, 3, 3)
        self._normals = np.array([part.surface.normal for part in parts]).reshape(-1, 3, 1)
        self._are_two_sided = np.array([part.surface.two_sided for part in parts], bool)

    def draw(self, canvas: Canvas, poses: Sequence[Matrix], light: Light) -> None:
        """Draw them, with the rigid poses, camera from body, of all bodies."""
        pose = np.array([poses[body] for body in self._bodies]).reshape(-1, 4, 4)
        frames = pose[:, :3, :3] @ self._frames
        frames[:, :, 2] += pose[:, :3, 3]
        normals = (pose[:, :3, :3] @ self._normals)[:, :, 0]
        distances = np.vecdot(normals, frames[:, :, 2])
        corners = frames @ CORNERS
        is_shown = (corners[:, 2].min(axis=1) >= NEAR_M) & (np.abs(distances) > 1e-6)
        is_shown &= (distances < 0) | self._are_two_sided
        shown = np.flatnonzero(is_shown)
        boxes = canvas.lens.boxes(corners[shown])
        seen = shown[[box is not None for box in boxes]]
        if not len(seen):
            return
        in_view = [box for box in boxes if box is not None]
        unit_from_image = np.linalg.inv(canvas.lens.matrix @ frames[seen])
        facing, distance = normals[seen], distances[seen, None]
        brightness = light.on(facing * -np.sign(distance))
        slopes = facing @ canvas.lens.inverse / distance
        footprints = texels_per_pixel(unit_from_image, *_centers(in_view))
        each = (in_view, unit_from_image, footprints.tolist(), brightness.tolist(), slopes)
        for index, *how in zip(seen.tolist(), *each, strict=True):
            _draw(canvas, self._parts[index], *how)


def _centers(boxes: list[Box]) -> Matrix:
    """The x and y of the middles of boxes: ``(2, N)``."""
    corners = np.array(boxes)
    return (corners[:, :2] + corners[:, 2:]).T / 2


def _draw(
    canvas: Canvas,
    part: Part[Patch],
    box: Box,
    unit_from_image: Matrix,
    footprint: float,
    brightness: float,
    slope: Matrix,
) -> None:
    """Draw one patch; ``footprint`` is how much of its unit square's side a pixel covers, ``slope`` 1/depth by x, y."""
    x0, y0, x1, y1 = box
    textures = part.surface.textures
    texture = textures[level_for(1.3 * footprint * textures[0].shape[0], len(textures))]
    warp = from_unit_square(texture) @ unit_from_image @ shift(x0, y0)
    colors = cv2.warpPerspective(texture, warp, (x1 - x0, y1 - y0), flags=SAMPLE)
    # Not cv2.compare: it takes a mask of four pixels for a scalar.
    _, mask = cv2.threshold(cv2.extractChannel(colors, 3), 127, 255, cv2.THRESH_BINARY)
    cv2.convertScaleAbs(colors, dst=colors, alpha=brightness)
    canvas.put(box, colors, plane_values(box, slope), mask, part.body, part.object_id)
