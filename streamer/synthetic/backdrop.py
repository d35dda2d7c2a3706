"""What stands still around everything: the planes of a room, or open ground under a painted sky."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.synthetic.canvas import Box, Canvas
from streamer.synthetic.geometry import Matrix
from streamer.synthetic.surfaces import CORNERS, FULL, NEAR_M, Texture, from_unit_square, level_for, texels_per_pixel
from streamer.synthetic.textures import Colors, Rng, mix, noise, opaque

Pixels = NDArray[np.integer[Any]]
BAND_PX = 32
GROUND_PX, GROUND_M = 320, 2.5


@dataclass(frozen=True)
class Level:
    """One resolution of a plane.

    Attributes:
        texture: RGBA.
        from_unit: 3x3, the plane's unit square to the texture's pixels.
        part: How much of the unit square's sides the texture covers, around the middle; inf where all that is seen.
    """

    texture: Texture
    from_unit: Matrix
    part: float = np.inf

    @classmethod
    def whole(cls, texture: Texture) -> Level:
        return cls(texture, from_unit_square(texture))


@dataclass(frozen=True)
class Plane:
    """A rectangle of a convex surrounding; among several, the nearest one along the ray is seen.

    Attributes:
        frame: 3x3 in world metres; columns are the sides of the rectangle and its corner.
        levels: Textures from fine to coarse, each half as fine as the one before.
    """

    frame: Matrix
    levels: list[Level]

    @cached_property
    def _normal(self) -> Matrix:
        return np.cross(self.frame[:, 0], self.frame[:, 1])

    def draw(self, canvas: Canvas, camera: Matrix) -> None:
        """Draw it with ``camera``, camera from world."""
        frame = camera[:3, :3] @ self.frame
        frame[:, 2] += camera[:3, 3]
        corners = _before_camera(frame @ CORNERS)
        if corners is None or (box := canvas.lens.box(corners)) is None:
            return
        normal = camera[:3, :3] @ self._normal
        slope = normal @ canvas.lens.inverse / (normal @ frame[:, 2])
        unit_from_image = np.linalg.inv(canvas.lens.matrix @ frame)
        by_rows = abs(slope[1]) > abs(slope[0])
        for band, level in self._bands(box, unit_from_image, by_rows):
            canvas.lay(band, level.texture, level.from_unit @ unit_from_image, slope)
        canvas.bare_rows = min(canvas.bare_rows, box[1])

    def _bands(self, box: Box, unit_from_image: Matrix, by_rows: bool) -> list[tuple[Box, Level]]:
        """Cut ``box`` into bands of about one depth, each with the texture that is just fine enough there."""
        x0, y0, x1, y1 = box
        first, last = (y0, y1) if by_rows else (x0, x1)
        starts = np.arange(first, last, BAND_PX)
        ends = np.minimum(starts + BAND_PX, last)
        corners, centers = _places(box, starts, ends, by_rows)
        fineness = 1.5 * texels_per_pixel(self.levels[0].from_unit @ unit_from_image, *centers)
        reach = 2 * _reach(corners, unit_from_image)
        bands: list[tuple[Box, Level]] = []
        each = (values.tolist() for values in (starts, ends, fineness, reach))
        for start, end, fine, part in zip(*each, strict=True):
            first_level = level_for(fine, len(self.levels))
            level = next((lv for lv in self.levels[first_level:] if part <= lv.part), self.levels[-1])
            if bands and bands[-1][1] is level:
                start = bands.pop()[0][1 if by_rows else 0]
            bands.append(((x0, start, x1, end) if by_rows else (start, y0, end, y1), level))
        return bands


def _places(box: Box, starts: Pixels, ends: Pixels, by_rows: bool) -> tuple[Matrix, Matrix]:
    """The corners ``(3, 4, N)``, homogeneous, and the centers ``(2, N)`` of the bands of a box [px]."""
    x0, y0, x1, y1 = box
    low, high = (x0, x1) if by_rows else (y0, y1)
    across = np.full_like(starts, low), np.full_like(starts, high)
    aside, ahead = (across[0], across[1], across[0], across[1]), (starts, starts, ends, ends)
    middles = np.full(len(starts), (low + high) / 2), (starts + ends) / 2
    order = slice(None) if by_rows else slice(None, None, -1)
    return np.array([*(aside, ahead)[order], np.ones((4, len(starts)))]), np.array(middles[order])


def _reach(corners: Matrix, unit_from_image: Matrix) -> Matrix:
    """How far the farthest corner of each band lies from the middle of the plane's unit square, along a side."""
    x, y, depth = np.tensordot(unit_from_image, corners, 1)
    return np.maximum(np.abs(x / depth - 0.5), np.abs(y / depth - 0.5)).max(axis=0)


def _before_camera(corners: Matrix) -> Matrix | None:
    """The rectangle ``(3, 4)`` cut to what lies before the camera; None where nothing does."""
    if corners[2].min() >= NEAR_M:
        return corners
    if corners[2].max() < NEAR_M:
        return None
    kept: list[NDArray[np.float64]] = []
    for start, end in zip(corners.T, corners.T[[1, 2, 3, 0]], strict=True):
        if start[2] >= NEAR_M:
            kept.append(start)
        if (start[2] >= NEAR_M) != (end[2] >= NEAR_M):
            kept.append(start + (end - start) * (NEAR_M - start[2]) / (end[2] - start[2]))
    return np.array(kept).T


def _halves(texture: Texture, count: int = 5) -> list[Level]:
    levels = [Level.whole(texture)]
    for _ in range(count - 1):
        texture = cv2.resize(texture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        levels.append(Level.whole(texture))
    return levels


def _wall_frames(x0: float, x1: float, z0: float, z1: float, height: float) -> list[Matrix]:
    """Four walls, texture x to the right as seen from inside, texture y downwards; then the width of each."""
    corners = [(x0, z1), (x1, z1), (x1, z0), (x0, z0)]
    frames: list[Matrix] = []
    for (ax, az), (bx, bz) in zip(corners, corners[1:] + corners[:1], strict=True):
        frames.append(np.array([[bx - ax, 0, ax], [0, -height, height], [bz - az, 0, az]], np.float64))
    return frames


def room(rng: Rng, half_width: float, depth: float, height: float, floor: Texture, wall: Texture) -> list[Plane]:
    """A closed room around the camera: x from -half_width to half_width, z from -3 to depth, y up to height [m]."""
    floor_frame = np.array([[2 * half_width, 0, -half_width], [0, 0, 0], [0, -(depth + 3), depth]])
    ceiling_frame = floor_frame + np.array([[0, 0, 0], [0, 0, height], [0, 0, 0]])
    paint = opaque(np.full((64, 64, 3), 225, np.float32) + rng.uniform(-12, 8, 3).astype(np.float32))
    planes = [
        Plane(floor_frame, _halves(_laid(floor, 2 * half_width, depth + 3, rng.uniform(1.6, 2.6), 0.35))),
        Plane(ceiling_frame, _halves(_laid(paint, 2 * half_width, depth + 3, 2.0, 0.5, px_per_m=30), 2)),
    ]
    board = rng.uniform(0.55, 0.8) if rng.random() < 0.6 else None
    scale = rng.uniform(1.2, 2.4)
    for frame in _wall_frames(-half_width, half_width, -3.0, depth, height):
        width = float(np.linalg.norm(frame[:, 0]))
        planes.append(Plane(frame, _halves(_laid(wall, width, height, scale, 0.45, board=board))))
    return planes


def _laid(
    texture: Texture,
    width: float,
    height: float,
    scale: float,
    corner_shade: float,
    px_per_m: int = 110,
    board: float | None = None,
) -> Texture:
    """Cover a rectangle [m] with ``texture`` every ``scale`` metres, darker at its edges, with a skirting board."""
    side = max(16, round(scale * px_per_m))
    one = cv2.resize(texture, (side, side), interpolation=cv2.INTER_AREA)
    columns, rows = round(width * px_per_m), round(height * px_per_m)
    whole = np.tile(one, (rows // side + 1, columns // side + 1, 1))[:rows, :columns]
    if board is not None:
        high = round(0.12 * px_per_m)
        whole[-high:] = (whole.mean(axis=(0, 1)) * board).astype(np.uint8)
        whole[-high - 2 : -high] = (whole.mean(axis=(0, 1)) * 1.15).clip(0, 255).astype(np.uint8)
    x, y = (np.arange(columns) + 0.5) / px_per_m, (np.arange(rows) + 0.5) / px_per_m
    near_x, near_y = np.minimum(x, width - x), np.minimum(y, height - y)
    shade_x, shade_y = (1 - corner_shade * np.exp(-near / 0.5) for near in (near_x, near_y))
    factor = (np.outer(shade_y, shade_x) * 255).astype(np.uint8)
    return cv2.multiply(whole, cv2.merge([factor] * 4), scale=1 / 255)


def open_ground(rng: Rng, ground: Texture, sky: Colors, hills: Colors, reach: float = 70.0) -> list[Plane]:
    """Ground of 2 x ``reach`` metres that fades into the haze, inside four walls painted with hills and sky."""
    haze = sky[1]
    frame = np.array([[2 * reach, 0, -reach], [0, 0, 0], [0, -2 * reach, reach]])
    planes = [Plane(frame, _ground_levels(rng, ground, haze, reach))]
    clouds = noise(rng, 1024, 4, 6, 0.6)
    ridges = [noise(rng, 1024, cells, 5, 0.45)[0] for cells in (4, 8)]
    for side, wall in enumerate(_wall_frames(-reach, reach, -reach, reach, reach)):
        planes.append(Plane(wall, _halves(_sky_wall(side, reach, clouds, ridges, sky, hills), 2)))
    return planes


def _ground_levels(rng: Rng, ground: Texture, haze: Colors, reach: float) -> list[Level]:
    """Nested squares around the origin, each twice as wide and half as fine, with tones that vary over metres."""
    tones = noise(rng, 512, 24, 4, 0.6)
    one, extent, levels = cv2.resize(ground, (GROUND_PX, GROUND_PX), interpolation=cv2.INTER_AREA), 6.0, []
    while True:
        extent = min(extent, reach)
        px_per_m = one.shape[0] / GROUND_M
        side, offset = round(2 * extent * px_per_m), round((reach - extent) * px_per_m) % one.shape[0]
        copies = side // one.shape[0] + 2
        whole = np.tile(one, (copies, copies, 1))[offset : offset + side, offset : offset + side]
        texture = _hazy(whole, tones, haze, extent, reach)
        part = extent / reach
        levels.append(Level(texture, _part_of(texture, part), part if part < 1 else np.inf))
        if extent >= reach:
            return levels
        one, extent = cv2.resize(one, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), extent * 2


def _hazy(whole: Texture, tones: NDArray[np.float32], haze: Colors, extent: float, reach: float) -> Texture:
    """The ground from -extent to extent [m], its tones varied over metres, fading into the haze with distance."""
    side = max(64, whole.shape[0] // 4)
    place = ((np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1) * np.float32(extent)
    map_x, map_y = np.meshgrid(place, place)
    near = 1 - 0.75 * np.sqrt(np.clip((cv2.magnitude(map_x, map_y) - 6) / (reach - 6), 0, 1))
    scale = len(tones) / (2 * reach)
    tone = cv2.remap(tones, (map_x + reach) * scale, (map_y + reach) * scale, cv2.INTER_LINEAR)
    kept, veil = (0.75 + 0.4 * tone) * near, np.dstack([(1 - near) * color for color in (*haze, 255)])
    kept, veil = (cv2.resize(cv2.convertScaleAbs(v, alpha=a), whole.shape[1::-1]) for v, a in ((kept, FULL), (veil, 1)))
    return cv2.add(cv2.multiply(whole, cv2.merge([kept] * 4), scale=1 / FULL), veil)


def _part_of(texture: Texture, part: float) -> Matrix:
    """3x3: the unit square to the pixels of a texture that covers only the middle ``part`` of it."""
    pixels = texture.shape[0] / part
    corner = -pixels * (1 - part) / 2 - 0.5
    return np.array([[pixels, 0, corner], [0, pixels, corner], [0, 0, 1.0]])


def _sky_wall(
    side: int,
    reach: float,
    clouds: NDArray[np.float32],
    ridges: list[NDArray[np.float32]],
    sky: Colors,
    hills: Colors,
) -> Texture:
    """Sky, clouds and two ridges as seen from the origin, painted on one wall of the surrounding."""
    columns, rows = 1000, 360
    across = (np.arange(columns, dtype=np.float32) + 0.5) / columns * 2 - 1
    azimuth = (np.arctan(across) / (np.pi / 2) + 0.5 + side) / 4
    up = ((rows - np.arange(rows, dtype=np.float32) - 0.5) / rows)[:, None]
    elevation = np.arctan(up * np.cos(np.arctan(across))[None])
    image = mix(sky[1], sky[0], np.clip(elevation / 0.5, 0, 1).astype(np.float32) ** 0.6)
    turns = np.broadcast_to(azimuth * 1024 * 2 % 1024, elevation.shape).astype(np.float32)
    heights = (np.log(elevation + 0.15) * 300 % 1024).astype(np.float32)
    cover = cv2.remap(clouds, turns, heights, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    image = mix(image, sky[2], np.clip((cover - 0.5) * 2.2, 0, 0.9) * np.clip(elevation * 8, 0, 1).astype(np.float32))
    for ridge, (base, swing, blend) in zip(ridges, ((0.05, 0.1, 0.5), (0.015, 0.05, 0.22)), strict=True):
        top = base + swing * np.interp(azimuth * 1024, np.arange(1025), np.append(ridge, ridge[0]))
        covered = np.clip((top[None] - elevation) * 500, 0, 1).astype(np.float32)
        mist = np.clip(blend + 0.3 * (1 - elevation / np.maximum(top, 1e-3)), 0, 1).astype(np.float32)
        image = mix(image, mix(hills[0], sky[1], mist), covered)
    return opaque(image)
