"""Ellipsoids, cylinders and cones, drawn exactly, pixel by pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.synthetic.canvas import Box, Canvas
from streamer.synthetic.geometry import Lens, Matrix
from streamer.synthetic.surfaces import FULL, NEAR_M, Light, Part, Texture, level_for

SPHERE = np.diag([1.0, 1.0, 1.0, -1.0])
DARKEST = np.float32(-0.35 / 0.65)
"""Cosine at which the wrapped light reaches zero."""


@dataclass(frozen=True)
class Quadric:
    """An ellipsoid, or the side of a cylinder or cut cone, that ``pose`` makes of the unit shape.

    The unit shape is the sphere of radius 1, or for ``taper`` not None the side of a cone of radius 1 at y = -1 and
    ``taper`` at y = 1. The texture runs once around y, and from y = 1 at its top to y = -1.

    Attributes:
        pose: 4x4, body from unit shape, scale included.
        textures: ``pyramid`` of an RGBA texture that repeats along x.
        taper: Upper radius over lower radius; None for an ellipsoid.
    """

    pose: Matrix
    textures: list[Texture]
    taper: float | None = None
    matrix: Matrix = field(init=False)
    rims: Matrix = field(init=False)
    metric: list[float] = field(init=False)

    def __post_init__(self) -> None:
        matrix, taper = SPHERE, self.taper or 0.0
        if self.taper is not None:
            middle, slope = (1 + taper) / 2, (taper - 1) / 2
            matrix = np.diag([1.0, -(slope**2), 1.0, -(middle**2)])
            matrix[1, 3] = matrix[3, 1] = -middle * slope
        around = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        rims = [[1.02 * r * np.cos(a), y, 1.02 * r * np.sin(a), 1] for r, y in ((1, -1), (taper, 1)) for a in around]
        object.__setattr__(self, "matrix", matrix)
        stretch = np.linalg.inv(self.pose)[:3, :3]
        object.__setattr__(self, "metric", [float(row @ row) for row in stretch])
        object.__setattr__(self, "rims", np.array(rims).T)

    def grown(self, grow: Matrix) -> Quadric:
        """The same, larger by the 4x4 scaling ``grow``."""
        return Quadric(grow @ self.pose, self.textures, self.taper)


class Quadrics:
    """All quadrics of a scene. What is to be known of each in a frame is found for all of them in one go.

    With w = 1/depth, the point seen through pixel p is D/w + O in the unit shape, D linear in p; so the surface is a
    quadratic equation in w whose discriminant is a quadratic form in p: a few passes over the box around it.
    """

    def __init__(self, parts: Sequence[Part[Quadric]]) -> None:
        self._parts = parts
        self._bodies = [part.body for part in parts]
        self._poses = np.array([part.surface.pose for part in parts]).reshape(-1, 4, 4)
        self._matrices = np.array([part.surface.matrix for part in parts]).reshape(-1, 4, 4)
        self._rims = np.array([part.surface.rims for part in parts]).reshape(-1, 4, 40)
        self._are_round = np.array([part.surface.taper is None for part in parts], bool)

    def draw(self, canvas: Canvas, poses: Sequence[Matrix], light: Light) -> None:
        """Draw them, with the rigid poses, camera from body, of all bodies."""
        camera_from_unit = np.array([poses[body] for body in self._bodies]).reshape(-1, 4, 4) @ self._poses
        low, high = self._bounds(canvas.lens, camera_from_unit)
        clipped = [canvas.lens.clip(*bound) for bound in zip(low.tolist(), high.tolist(), strict=True)]
        seen = [index for index, box in enumerate(clipped) if box is not None]
        if not seen:
            return
        boxes = [box for box in clipped if box is not None]
        unit_from_camera = np.linalg.inv(camera_from_unit[seen])
        middles = [((x0 + x1) // 2, (y0 + y1) // 2) for x0, y0, x1, y1 in boxes]
        unit_from_pixel = unit_from_camera @ np.array([canvas.lens.rays(*middle) for middle in middles])
        across = self._matrices[seen] @ unit_from_pixel
        form = unit_from_pixel.transpose(0, 2, 1) @ across
        unit_from_pixel[:, 3] = ((unit_from_camera[:, :, :3] @ light.direction)[:, None] @ across)[:, 0]
        linear = form[:, 3, :3] / form[:, 3, 3, None]
        discriminant = linear[:, :, None] * linear[:, None] - form[:, :3, :3] / form[:, 3, 3, None, None]
        lines = np.concatenate([linear[:, None], unit_from_pixel[:, :, :3]], axis=1).astype(np.float32)
        places = unit_from_pixel[:, :, 3, None, None].astype(np.float32)
        for i, index in enumerate(seen):
            if form[i, 3, 3] > 0:
                values = _values(boxes[i], middles[i], discriminant[i].tolist(), lines[i])
                _draw(canvas, self._parts[index], boxes[i], values, places[i], light)

    @np.errstate(divide="ignore", invalid="ignore")  # of those that are too near
    def _bounds(self, lens: Lens, camera_from_unit: Matrix) -> tuple[Matrix, Matrix]:
        """The corners (x, y) [px] around each, twice ``(N, 2)``; what is too near lies beside the picture."""
        projection = lens.matrix @ camera_from_unit[:, :3]
        dual = projection @ SPHERE @ projection.transpose(0, 2, 1)
        center = dual[:, :2, 2] / dual[:, 2, 2, None]
        squares = np.stack([dual[:, 0, 0], dual[:, 1, 1]], axis=1) / dual[:, 2, 2, None]
        reach = np.sqrt(np.maximum(center * center - squares, 0))
        nearest = camera_from_unit[:, 2, 3] - np.linalg.norm(camera_from_unit[:, 2, :3], axis=1)
        rims = projection @ self._rims
        places = rims[:, :2] / rims[:, 2:]
        is_round = self._are_round[:, None]
        low = np.where(is_round, center - reach, places.min(axis=2))
        high = np.where(is_round, center + reach, places.max(axis=2))
        near = np.where(self._are_round, nearest, rims[:, 2].min(axis=1)) < NEAR_M
        low[near] = high[near] = -1.0
        return low, high


def _values(
    box: Box, middle: tuple[int, int], discriminant: list[list[float]], lines: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The discriminant, b/c and D on the pixels of ``box``: ``(6, h, w)``.

    ``discriminant`` is 3x3, ``lines`` ``(5, 3)``: factors of x, y, counted from ``middle``, and 1.
    """
    x0, y0, x1, y1 = box
    x = np.arange(x0 - middle[0], x1 - middle[0], dtype=np.float32)
    y = np.arange(y0 - middle[1], y1 - middle[1], dtype=np.float32)[:, None]
    (xx, xy, xc), (_, yy, yc), (_, _, cc) = discriminant
    values = np.empty((6, y1 - y0, x1 - x0), np.float32)
    np.multiply(y, (2 * xy) * x + (2 * yc), out=values[0])
    values[0] += (xx * x + 2 * xc) * x + cc
    values[0] += (yy * y) * y
    by_x, by_y, constant = lines.T[:, :, None]
    np.add(by_y[..., None] * y, (by_x * x + constant)[:, None], out=values[1:])
    return values


def _draw(
    canvas: Canvas, part: Part[Quadric], box: Box, values: NDArray[np.float32], place: NDArray[np.float32], light: Light
) -> None:
    """Draw one quadric from its `_values`; ``place`` is O, ``(4, 1, 1)``."""
    quadric = part.surface
    mask = (values[0] > 0).view(np.uint8) * np.uint8(255)  # not cv2.compare: it takes four pixels for a scalar
    inverse_depth = np.sqrt(np.maximum(values[0], 0, out=values[0]), out=values[0])
    inverse_depth -= values[1]
    np.maximum(inverse_depth, np.float32(1e-4), out=inverse_depth)
    points = values[2:]
    points /= inverse_depth
    points += place
    if quadric.taper is not None:
        cv2.bitwise_and(mask, cv2.inRange(points[1], -1.0, 1.0), dst=mask)
    colors = _colors(quadric, points, _shade(quadric, points, light))
    canvas.put(box, colors, inverse_depth, mask, part.body, part.object_id)


def _colors(quadric: Quadric, points: NDArray[np.float32], shade: Texture) -> Texture:
    fineness = quadric.textures[0].shape[1] / (1.6 * max(shade.shape))
    texture = quadric.textures[level_for(fineness, len(quadric.textures))]
    height, width = texture.shape[0], texture.shape[1] - 1
    map_x = cv2.phase(points[0], points[2])
    map_x *= np.float32(width / (2 * np.pi))
    map_y = points[1] * np.float32(-height / 2)
    map_y += np.float32((height - 1) / 2)
    colors = cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.multiply(colors, cv2.cvtColor(shade, cv2.COLOR_GRAY2RGBA), dst=colors, scale=1 / FULL)


def _shade(quadric: Quadric, points: NDArray[np.float32], light: Light) -> Texture:
    """Brightness of every pixel, ``FULL`` is one, from the wrapped cosine of the gradient to the light.

    The gradient is as long as the unit shape's normal under ``metric``, the squared stretch along each axis.
    """
    cosine, metric = points[3], quadric.metric
    if quadric.taper is not None:
        slope = (quadric.taper - 1) / 2
        radius = points[1] * np.float32(slope)
        radius += np.float32(slope + 1)
        np.maximum(radius, np.float32(1e-6), out=radius)  # the tip of a cone has none
        cosine /= radius * np.float32(math.sqrt(metric[0] + metric[1] * slope**2))
    elif max(metric) < 1.001 * min(metric):
        cosine *= np.float32(1 / math.sqrt(metric[0]))
    else:
        squares = np.square(points[:3]).reshape(3, -1)
        cosine /= np.sqrt(np.array(metric, np.float32) @ squares).reshape(cosine.shape)
    np.maximum(cosine, DARKEST, out=cosine)
    base, gain = light.ambient + 0.35 * light.diffuse, 0.65 * light.diffuse
    return cv2.convertScaleAbs(cosine, alpha=FULL * gain, beta=FULL * base)
