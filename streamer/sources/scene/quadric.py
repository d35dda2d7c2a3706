"""Ellipsoids, cylinders and cones, drawn exactly, pixel by pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.sources.scene.canvas import Box, Canvas
from streamer.sources.scene.geometry import Matrix
from streamer.sources.scene.surfaces import FULL, NEAR_M, Light, Texture, level_for

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

    def draw(self, canvas: Canvas, pose: Matrix, light: Light, body: int, object_id: int) -> None:
        """Draw it with the rigid ``pose``, camera from body.

        With w = 1/depth, the point seen through pixel p is D/w + O in the unit shape, D linear in p; so the surface is
        a quadratic equation in w whose discriminant is a quadratic form in p: a few passes over the box.
        """
        camera_from_unit = pose @ self.pose
        if (box := self._box(canvas, camera_from_unit)) is None:
            return
        unit_from_camera = cv2.invert(camera_from_unit)[1]
        x0, y0, x1, y1 = box
        middle = (x0 + x1) // 2, (y0 + y1) // 2
        unit_from_pixel = unit_from_camera @ canvas.lens.rays(*middle)
        form = unit_from_pixel.T @ self.matrix @ unit_from_pixel
        if form[3, 3] <= 0:
            return
        unit_from_pixel[3] = unit_from_camera[:, :3] @ light.direction @ self.matrix @ unit_from_pixel
        local: Box = (x0 - middle[0], y0 - middle[1], x1 - middle[0], y1 - middle[1])
        values = _form_values(local, form, unit_from_pixel)
        mask = cv2.compare(values[0], 0.0, cv2.CMP_GT)
        inverse_depth = np.sqrt(np.maximum(values[0], 0, out=values[0]), out=values[0])
        inverse_depth -= values[1]
        np.maximum(inverse_depth, np.float32(1e-4), out=inverse_depth)
        points = values[2:]
        points /= inverse_depth
        points += unit_from_pixel[:, 3].astype(np.float32).reshape(4, 1, 1)
        if self.taper is not None:
            cv2.bitwise_and(mask, cv2.inRange(points[1], -1.0, 1.0), dst=mask)
        shade = self._shade(points, light)
        canvas.put(box, self._colours(points, shade), inverse_depth, mask, body, object_id)

    def _box(self, canvas: Canvas, camera_from_unit: Matrix) -> Box | None:
        if self.taper is not None:
            points = camera_from_unit[:3] @ self.rims
            return canvas.lens.box(points) if points[2].min() > NEAR_M else None
        x, y, z, depth = camera_from_unit[2].tolist()
        if depth - math.hypot(x, y, z) < NEAR_M:
            return None
        projection = canvas.lens.matrix @ camera_from_unit[:3]
        dual = projection @ SPHERE @ projection.T
        centre = dual[:2, 2] / dual[2, 2]
        reach = np.sqrt(np.maximum(centre * centre - dual.diagonal()[:2] / dual[2, 2], 0))
        return canvas.lens.clip(centre - reach, centre + reach)

    def _colours(self, points: NDArray[np.float32], shade: Texture) -> Texture:
        fineness = self.textures[0].shape[1] / (1.6 * max(shade.shape))
        texture = self.textures[level_for(fineness, len(self.textures))]
        height, width = texture.shape[0], texture.shape[1] - 1
        map_x = cv2.phase(points[0], points[2])
        map_x *= np.float32(width / (2 * np.pi))
        map_y = points[1] * np.float32(-height / 2)
        map_y += np.float32((height - 1) / 2)
        colours = cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return cv2.multiply(colours, cv2.merge([shade] * 4), dst=colours, scale=1 / FULL)

    def _shade(self, points: NDArray[np.float32], light: Light) -> Texture:
        """Brightness of every pixel, ``FULL`` is one, from the wrapped cosine of the gradient to the light.

        The gradient is as long as the unit shape's normal under ``metric``, the squared stretch along each axis.
        """
        cosine, metric = points[3], self.metric
        if self.taper is not None:
            slope = (self.taper - 1) / 2
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


def _form_values(box: Box, form: Matrix, unit_from_pixel: Matrix) -> NDArray[np.float32]:
    """What `Quadric.draw` needs on the pixels of ``box``, ``(6, h, w)``: the discriminant, b/c and D.

    ``form`` is 4x4 with a = p' form p in its upper left, b = p' form in its last column, and c in its corner.
    """
    linear = form[3, :3] / form[3, 3]
    (xx, xy, xc), (_, yy, yc), (_, _, cc) = (linear[:, None] * linear - form[:3, :3] / form[3, 3]).tolist()
    by_powers = np.zeros((6, 3, 3), np.float32)
    by_powers[0] = (cc, 2 * xc, xx), (2 * yc, 2 * xy, 0), (yy, 0, 0)
    by_powers[1, 0, 1], by_powers[1, 1, 0], by_powers[1, 0, 0] = linear
    by_powers[2:, 0, 1], by_powers[2:, 1, 0], by_powers[2:, 0, 0] = unit_from_pixel[:, :3].T
    return np.matmul(_powers(box[1], box[3]), by_powers @ _powers(box[0], box[2]).T)


def _powers(start: int, end: int) -> NDArray[np.float32]:
    """The columns 1, x, x^2 for x from ``start`` to ``end``."""
    powers = np.ones((end - start, 3), np.float32)
    powers[:, 1] = np.arange(start, end)
    np.square(powers[:, 1], out=powers[:, 2])
    return powers
