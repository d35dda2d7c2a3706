"""The surfaces that the scene is made of: textured planes and quadrics, drawn exactly, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass, field

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


def texels_per_pixel(texture_from_image: Matrix, x: float, y: float) -> float:
    """How many texture pixels one picture pixel at (x, y) covers along a side (geometric mean)."""
    a, b, c = (float(value) for value in texture_from_image[2])
    depth = a * x + b * y + c
    area = abs(cv2.determinant(texture_from_image)) / max(abs(depth) ** 3, 1e-12)
    return float(np.sqrt(area))


def to_unit_square(texture: Texture) -> Matrix:
    """3x3: pixel centres of ``texture`` to the unit square."""
    height, width = texture.shape[:2]
    return np.array([[1 / width, 0, 0.5 / width], [0, 1 / height, 0.5 / height], [0, 0, 1.0]])


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
        colours, threshold = self._sample(canvas, frame, box, light.on(normal if distance < 0 else -normal))
        mask = cv2.compare(cv2.extractChannel(colours, 3), threshold, cv2.CMP_GE)
        inverse_depth = plane_values(box, normal @ canvas.lens.inverse / distance)
        canvas.put(box, colours, inverse_depth, mask, body, object_id)

    def _sample(self, canvas: Canvas, frame: Matrix, box: Box, shade: float) -> tuple[Texture, float]:
        x0, y0, x1, y1 = box
        unit_from_image = np.linalg.inv(canvas.lens.matrix @ frame)
        side = self.textures[0].shape[0]
        footprint = side * texels_per_pixel(unit_from_image, (x0 + x1) / 2, (y0 + y1) / 2)
        level = int(np.clip(np.log2(max(footprint, 1e-6)) + 0.3, 0, len(self.textures) - 1))
        texture = cv2.convertScaleAbs(self.textures[level], alpha=shade)
        warp = np.linalg.inv(to_unit_square(texture)) @ unit_from_image @ shift(x0, y0)
        return cv2.warpPerspective(texture, warp, (x1 - x0, y1 - y0), flags=SAMPLE), max(1.0, 127.5 * min(shade, 1.0))


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

    def __post_init__(self) -> None:
        matrix = np.diag([1.0, 1.0, 1.0, -1.0])
        if self.taper is not None:
            middle, slope = (1 + self.taper) / 2, (self.taper - 1) / 2
            matrix[1:, 1:] = [[-(slope**2), 0, -middle * slope], [0, 1, 0], [-middle * slope, 0, -(middle**2)]]
        object.__setattr__(self, "matrix", matrix)

    def draw(self, canvas: Canvas, pose: Matrix, light: Light, body: int, object_id: int) -> None:
        """Draw it with ``pose``, camera from body.

        With w = 1/depth, the point seen through pixel p is D/w + O in the unit shape, D linear in p; so the surface is
        a quadratic equation in w whose discriminant is a quadratic form in p: a few passes over the box.
        """
        camera_from_unit = pose @ self.pose
        if (box := self._box(canvas, camera_from_unit)) is None:
            return
        unit_from_camera = np.linalg.inv(camera_from_unit)
        x0, y0, x1, y1 = box
        middle = (x0 + x1) // 2, (y0 + y1) // 2
        rays = np.hstack([unit_from_camera[:, :3] @ canvas.lens.inverse @ shift(*middle), unit_from_camera[:, 3:]])
        form = rays.T @ self.matrix @ rays
        constant, linear = form[3, 3], form[:3, 3]
        if constant <= 0:
            return
        towards = np.append(unit_from_camera[:3, :3] @ light.direction, 0) @ self.matrix
        points_from_pixel = np.vstack([rays[:3], towards @ rays])
        linears = np.vstack([linear / constant, points_from_pixel[:, :3]])
        local: Box = (x0 - middle[0], y0 - middle[1], x1 - middle[0], y1 - middle[1])
        discriminant = (np.outer(linear, linear) - constant * form[:3, :3]) / constant**2
        values = _form_values(local, discriminant, linears)
        mask = cv2.compare(values[0], 0.0, cv2.CMP_GT)
        inverse_depth = np.sqrt(np.maximum(values[0], 0, out=values[0]), out=values[0])
        inverse_depth -= values[1]
        np.maximum(inverse_depth, np.float32(1e-4), out=inverse_depth)
        points = values[2:]
        points /= inverse_depth
        points += points_from_pixel[:, 3, None, None].astype(np.float32)
        if self.taper is not None:
            cv2.bitwise_and(mask, cv2.inRange(points[1], -1.0, 1.0), dst=mask)
        shade = self._shade(points, unit_from_camera, light)
        canvas.put(box, self._colours(points, shade), inverse_depth, mask, body, object_id)

    def _box(self, canvas: Canvas, camera_from_unit: Matrix) -> Box | None:
        if self.taper is None:
            return _ellipsoid_box(canvas, camera_from_unit)
        angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        ring = np.stack([np.cos(angles), np.full(20, -1.0), np.sin(angles), np.ones(20)]) * [[1.02], [1], [1.02], [1]]
        upper = ring * [[self.taper], [-1], [self.taper], [1]]
        points = (camera_from_unit @ np.hstack([ring, upper]))[:3]
        return canvas.lens.box(points) if points[2].min() > NEAR_M else None

    def _colours(self, points: NDArray[np.float32], shade: Texture) -> Texture:
        fineness = np.log2(max(self.textures[0].shape[1] / (1.6 * max(shade.shape)), 1e-6))
        texture = self.textures[int(np.clip(fineness, 0, len(self.textures) - 1))]
        height, width = texture.shape[0], texture.shape[1] - 1
        map_x = cv2.phase(points[0], points[2])
        map_x *= np.float32(width / (2 * np.pi))
        map_y = points[1] * np.float32(-height / 2)
        map_y += np.float32((height - 1) / 2)
        colours = cv2.remap(texture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return cv2.multiply(colours, cv2.merge([shade] * 4), dst=colours, scale=1 / FULL)

    def _shade(self, points: NDArray[np.float32], unit_from_camera: Matrix, light: Light) -> Texture:
        """Brightness of every pixel, ``FULL`` is one, from the wrapped cosine of the gradient to the light."""
        cosine, metric = points[3], np.sum(unit_from_camera[:3, :3] ** 2, axis=1)
        if self.taper is not None:
            slope = (self.taper - 1) / 2
            cosine /= np.sqrt(metric[0] + metric[1] * slope**2) * (points[1] * np.float32(slope) + (slope + 1))
        elif np.ptp(metric) < 1e-3 * metric[0]:
            cosine /= np.float32(np.sqrt(metric[0]))
        else:
            cosine /= np.sqrt(metric.astype(np.float32) @ np.square(points[:3]).reshape(3, -1)).reshape(cosine.shape)
        np.maximum(cosine, np.float32(-0.35 / 0.65), out=cosine)
        base, gain = light.ambient + 0.35 * light.diffuse, 0.65 * light.diffuse
        return cv2.convertScaleAbs(cosine, alpha=FULL * gain, beta=FULL * base)


def _form_values(box: Box, form: Matrix, linears: Matrix) -> NDArray[np.float32]:
    """The quadratic form p' F p, then every linear form l p, on the pixels p = (x, y, 1) of ``box``: (1 + N, h, w)."""
    x0, y0, x1, y1 = box
    x, y = np.arange(x0, x1, dtype=np.float64), np.arange(y0, y1, dtype=np.float64)
    rows = np.zeros((1 + len(linears), 3, len(x)), np.float32)
    columns = np.ones((len(y), 3), np.float32)
    rows[0, 0] = (form[0, 0] * x + 2 * form[0, 2]) * x + form[2, 2]
    rows[0, 1] = 2 * (form[0, 1] * x + form[1, 2])
    rows[0, 2] = form[1, 1]
    rows[1:, 0] = linears[:, :1] * x + linears[:, 2:]
    rows[1:, 1] = linears[:, 1:2]
    columns[:, 1], columns[:, 2] = y, y * y
    return np.matmul(columns, rows)


def _ellipsoid_box(canvas: Canvas, camera_from_unit: Matrix) -> Box | None:
    """The box of the picture of the unit sphere, from the dual of its outline."""
    if camera_from_unit[2, 3] - np.linalg.norm(camera_from_unit[2, :3]) < NEAR_M:
        return None
    projection = canvas.lens.matrix @ camera_from_unit[:3]
    dual = projection @ np.diag([1.0, 1.0, 1.0, -1.0]) @ projection.T
    centre = dual[:2, 2] / dual[2, 2]
    reach = np.sqrt(np.maximum(centre**2 - np.diag(dual)[:2] / dual[2, 2], 0))
    return canvas.lens.clip(centre - reach, centre + reach)
