"""The blocks that the scene's objects are built from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from streamer.synthetic.geometry import Matrix, scaling, translation
from streamer.synthetic.patch import Patch
from streamer.synthetic.quadric import Quadric
from streamer.synthetic.surfaces import Texture, pyramid
from streamer.synthetic.textures import Rng, tile

Movement = Callable[[float], Matrix]
Surface = Patch | Quadric


@dataclass(frozen=True)
class Body:
    """A rigid body: its surfaces, and its pose on the thing at time t [s]."""

    surfaces: list[Surface]
    motion: Movement = lambda _: np.eye(4)


@dataclass(frozen=True)
class Thing:
    """An object of the scene.

    Attributes:
        kind: Its entry in ``KINDS``.
        bodies: Rigid bodies that it is made of.
        height: [m].
        radius: Reach on the ground, for its lane and its shadow [m].
        walks: Whether it turns to where it goes; else it keeps turning on the spot.
        lift: Height of its middle above the ground at time t, for what hops or floats [m].
    """

    kind: str
    bodies: list[Body]
    height: float
    radius: float
    walks: bool = False
    lift: Callable[[float], float] = lambda _: 0.0


def around(texture: Texture) -> list[Texture]:
    """A pyramid for quadrics: the first column again after the last."""
    return [np.ascontiguousarray(np.hstack([level, level[:, :1]])) for level in pyramid(texture)]


def plain(rng: Rng, rgb: np.ndarray) -> Texture:
    """A nearly uniform texture."""
    return tile(rng, 64, "plaster", np.stack([rgb, rgb * 0.82, rgb]).astype(np.float32))


def ellipsoid(x: float, y: float, z: float, rx: float, ry: float, rz: float, textures: list[Texture]) -> Quadric:
    return Quadric(translation(x, y, z) @ scaling(rx, ry, rz), textures)


def box(
    center: tuple[float, float, float],
    size: tuple[float, float, float],
    textures: list[Texture],
    axes: tuple[int, ...] = (0, 1, 2),
) -> list[Surface]:
    """Faces around ``center``, those across ``axes`` only; ``size`` is width, height, depth [m]."""
    faces: list[Surface] = []
    half = np.array(size) / 2
    for axis, across, up in [((0, 2, 1), (1, 0, 2), (2, 0, 1))[axis] for axis in axes]:
        for sign in (-1.0, 1.0):
            normal, frame = np.zeros(3), np.zeros((3, 3))
            normal[axis] = sign
            frame[across, 0], frame[up, 1] = 2 * half[across], -2 * half[up]
            frame[:, 2] = center + sign * half * (np.arange(3) == axis)
            frame[across, 2] -= half[across]
            frame[up, 2] += half[up]
            faces.append(Patch(frame, normal, textures))
    return faces


def tube(
    y0: float, y1: float, r0: float, r1: float, textures: list[Texture], x: float = 0, z: float = 0
) -> list[Surface]:
    """A cylinder or cut cone from y0 to y1 with lids."""
    pose = translation(x, (y0 + y1) / 2, z) @ scaling(r0, (y1 - y0) / 2, r0)
    disc = textures[0][:, : textures[0].shape[0]].copy()
    rows, columns = np.indices(disc.shape[:2]) * 2.0 / (disc.shape[0] - 1) - 1
    disc[..., 3] = np.where(np.hypot(rows, columns) <= 1, 255, 0)
    lids: list[Surface] = []
    for y, r, sign in ((y0, r0, -1.0), (y1, r1, 1.0)):
        if r > 0.02:
            frame = np.array([[2 * r, 0, x - r], [0, 0, y], [0, 2 * r, z - r]])
            lids.append(Patch(frame, np.array([0, sign, 0]), pyramid(disc)))
    return [Quadric(pose, textures, r1 / r0), *lids]


def shadow_texture() -> Texture:
    """Light left on the ground by a round thing: ``(64, 64)`` uint8, 255 untouched."""
    rows, columns = np.indices((64, 64)) / 31.5 - 1
    distance = np.hypot(rows, columns)
    return (255 * (1 - np.clip(1.0 - distance, 0, 1) ** 1.2).astype(np.float32)).astype(np.uint8)
