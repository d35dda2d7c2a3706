"""Builders of the scene's objects: bodies made of patches and quadrics, standing on the ground and facing +z."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from streamer.sources.scene.geometry import Matrix, rotation, scaling, translation
from streamer.sources.scene.quadric import Quadric
from streamer.sources.scene.surfaces import Patch, Texture, pyramid
from streamer.sources.scene.textures import Rng, colour, opaque, palette, tile

Motion = Callable[[float], Matrix]
Surface = Patch | Quadric


@dataclass(frozen=True)
class Body:
    """A rigid body: its surfaces, and its pose on the thing at time t [s]."""

    surfaces: list[Surface]
    motion: Motion = lambda _: np.eye(4)


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
    centre: tuple[float, float, float],
    size: tuple[float, float, float],
    textures: list[Texture],
    axes: tuple[int, ...] = (0, 1, 2),
) -> list[Surface]:
    """Faces around ``centre``, those across ``axes`` only; ``size`` is width, height, depth [m]."""
    faces: list[Surface] = []
    half = np.array(size) / 2
    for axis, across, up in [((0, 2, 1), (1, 0, 2), (2, 0, 1))[axis] for axis in axes]:
        for sign in (-1.0, 1.0):
            normal, frame = np.zeros(3), np.zeros((3, 3))
            normal[axis] = sign
            frame[across, 0], frame[up, 1] = 2 * half[across], -2 * half[up]
            frame[:, 2] = centre + sign * half * (np.arange(3) == axis)
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


def crate(rng: Rng) -> Thing:
    size = tuple(rng.uniform(0.4, 0.8, 3))
    textures = pyramid(tile(rng, 256))
    return Thing(
        "crate", [Body(box((0, size[1] / 2, 0), size, textures))], size[1], float(np.hypot(size[0], size[2])) / 2
    )


def ball(rng: Rng) -> Thing:
    r = rng.uniform(0.2, 0.4)
    texture = around(tile(rng, 256, str(rng.choice(["stripes", "checks", "dots", "blotches", "marble", "plaid"]))))
    spin, hop, pace = rng.uniform(2, 5), rng.choice([0.0, rng.uniform(0.3, 0.8)]), rng.uniform(2.5, 4)
    motion: Motion = lambda t: translation(0, r, 0) @ rotation("x", spin * t)  # noqa: E731
    lift = lambda t: float(hop * abs(np.sin(pace * t)))  # noqa: E731
    return Thing("ball", [Body([ellipsoid(0, 0, 0, r, r, r, texture)], motion)], 2 * r, r, True, lift)


def drum(rng: Rng) -> Thing:
    r, h = rng.uniform(0.18, 0.38), rng.uniform(0.5, 1.1)
    taper = rng.choice([1.0, rng.uniform(0.6, 0.95)])
    return Thing("drum", [Body(tube(0, h, r, r * taper, around(tile(rng, 256))))], h, r)


def lamp(rng: Rng) -> Thing:
    h, r = rng.uniform(1.2, 1.9), rng.uniform(0.16, 0.28)
    metal, shade = (
        around(plain(rng, colour(rng.random(), 0.2, 0.35))),
        around(tile(rng, 128, colours=palette(rng, None, (0.1, 0.5)))),
    )
    parts = (
        tube(0, 0.05, 0.2, 0.2, metal) + tube(0.05, h, 0.022, 0.022, metal)[:1] + tube(h - 0.35, h, r, r * 0.65, shade)
    )
    return Thing("lamp", [Body(parts)], h, 0.25)


def pole(rng: Rng) -> Thing:
    h, r = rng.uniform(1.2, 2.4), rng.uniform(0.02, 0.06)
    stripes = around(cv2.rotate(tile(rng, 128, "stripes"), cv2.ROTATE_90_CLOCKWISE))
    parts = [*tube(0, h, r, r, stripes)[:1], ellipsoid(0, h, 0, 2 * r, 2 * r, 2 * r, around(tile(rng, 64, "plaster")))]
    return Thing("pole", [Body(parts)], h, 0.12)


def plant(rng: Rng) -> Thing:
    pot, h = rng.uniform(0.16, 0.26), rng.uniform(0.25, 0.4)
    green = around(tile(rng, 256, "leaves", palette(rng, rng.uniform(0.2, 0.42), (0.4, 0.8))))
    parts: list[Surface] = tube(
        0, h, pot * 0.75, pot, around(tile(rng, 128, colours=palette(rng, rng.uniform(0, 0.1))))
    )
    top = h
    for r in np.linspace(1, 0.6, rng.integers(1, 4)) * rng.uniform(0.28, 0.45):
        parts.append(
            ellipsoid(
                rng.uniform(-0.05, 0.05),
                top + r * 0.8,
                rng.uniform(-0.05, 0.05),
                r,
                r * rng.uniform(0.8, 1.2),
                r,
                green,
            )
        )
        top += r * 1.1
    return Thing("plant", [Body(parts)], top + 0.2, 0.42)


def tree(rng: Rng) -> Thing:
    trunk = around(tile(rng, 128, "planks", palette(rng, rng.uniform(0.05, 0.1), (0.3, 0.5)) * 0.6))
    green = around(tile(rng, 256, "leaves", palette(rng, rng.uniform(0.18, 0.4), (0.45, 0.8)) * 0.8))
    h = rng.uniform(0.5, 0.8)
    parts = tube(0, h, 0.09, 0.07, trunk)[:1]
    for i, r in enumerate((0.5, 0.4, 0.28)):
        parts += tube(h - 0.1 + i * 0.42, h + 0.55 + i * 0.42, r, r * 0.03, green)
    return Thing("tree", [Body(parts)], h + 1.4, 0.5)


def chair(rng: Rng) -> Thing:
    wood = pyramid(tile(rng, 128, "planks", palette(rng, rng.uniform(0.04, 0.12))))
    seat = pyramid(tile(rng, 128))
    s, h = 0.42, rng.uniform(0.42, 0.5)
    parts = box((0, h, 0), (s, 0.06, s), seat) + box((0, h + 0.42, -s / 2 + 0.02), (s, 0.32, 0.04), seat)
    for x in (-1, 1):
        for z in (-1, 1):
            top = h + 0.3 if z < 0 else h
            parts += box((x * (s / 2 - 0.03), top / 2, z * (s / 2 - 0.03)), (0.045, top, 0.045), wood, (0, 2))
    return Thing("chair", [Body(parts)], h + 0.58, 0.34)


def _swing(pivot: tuple[float, float, float], reach: float, pace: float, phase: float) -> Motion:
    return lambda t: translation(*pivot) @ rotation("x", reach * np.sin(pace * t + phase))


def person(rng: Rng) -> Thing:
    scale, girth, pace = rng.uniform(0.8, 1.1), rng.uniform(0.85, 1.25), rng.uniform(4, 6.5)
    skin = around(plain(rng, colour(rng.uniform(0.04, 0.08), rng.uniform(0.25, 0.6), rng.uniform(0.4, 0.95))))
    hair = around(plain(rng, colour(rng.uniform(0.03, 0.12), rng.uniform(0.2, 0.7), rng.uniform(0.12, 0.6))))
    shirt = around(tile(rng, 128, str(rng.choice(["plaster", "stripes", "plaid", "dots", "checks", "blotches"]))))
    legs = around(tile(rng, 64, "plaster", palette(rng, rng.choice([0.6, 0.08, rng.random()]), (0.1, 0.6)) * 0.65))
    shoes = around(plain(rng, colour(rng.random(), 0.4, 0.3)))
    g, grow = girth, scaling(scale, scale, scale)
    trunk: list[Surface] = [
        ellipsoid(0, 1.18, 0, 0.2 * g, 0.34, 0.13 * g, shirt),
        ellipsoid(0, 0.9, 0, 0.165 * g, 0.14, 0.12 * g, legs),
        *tube(1.42, 1.56, 0.05, 0.05, skin)[:1],
        ellipsoid(0, 1.64, 0.01, 0.095, 0.125, 0.105, skin),
        ellipsoid(0, 1.69, -0.025, 0.102, 0.1, 0.105, hair),
    ]
    bodies = [Body(trunk)]
    for side, phase in ((-1, 0.0), (1, np.pi)):
        leg: list[Surface] = [
            ellipsoid(0, -0.4, 0, 0.075 * g, 0.46, 0.085, legs),
            ellipsoid(0, -0.83, 0.05, 0.055, 0.045, 0.12, shoes),
        ]
        arm: list[Surface] = [
            ellipsoid(0, -0.2, 0, 0.056 * g, 0.25, 0.06, shirt),
            ellipsoid(0, -0.45, 0.02, 0.045, 0.16, 0.045, skin),
        ]
        bodies.append(Body(leg, _swing((side * 0.085 * g, 0.88, 0), 0.5, pace, phase)))
        bodies.append(Body(arm, _swing((side * 0.22 * g, 1.4, 0), 0.45, pace, phase + np.pi)))
    return Thing("person", [_grown(body, grow) for body in bodies], 1.8 * scale, 0.35, True)


def animal(rng: Rng) -> Thing:
    size, pace, long = rng.uniform(0.8, 1.4), rng.uniform(5, 9), rng.uniform(0.26, 0.4)
    colours = palette(rng, rng.uniform(0.03, 0.13), (0.1, 0.6))
    colours[2] = colours[0] * rng.uniform(0.3, 0.7)
    coat = around(tile(rng, 128, str(rng.choice(["plaster", "blotches", "stripes"])), colours))
    dark = around(plain(rng, colours[1] * 0.6))
    leg_length = rng.uniform(0.22, 0.36)
    y = leg_length + 0.1
    trunk: list[Surface] = [
        ellipsoid(0, y, 0, 0.13, 0.14, long, coat),
        ellipsoid(0, y + 0.13, long * 0.85, 0.075, 0.13, 0.09, coat),
        ellipsoid(0, y + 0.25, long + 0.05, 0.09, 0.09, 0.11, coat),
        ellipsoid(0, y + 0.22, long + 0.16, 0.05, 0.045, 0.08, dark),
        ellipsoid(-0.07, y + 0.32, long, 0.025, 0.07, 0.035, dark),
        ellipsoid(0.07, y + 0.32, long, 0.025, 0.07, 0.035, dark),
    ]
    grow = scaling(size, size, size)
    bodies = [Body(trunk)]
    for i, (x, z) in enumerate(((-0.08, 0.7), (0.08, 0.7), (-0.08, -0.7), (0.08, -0.7))):
        leg: list[Surface] = [ellipsoid(0, -leg_length / 2, 0, 0.045, leg_length / 2 + 0.03, 0.05, coat)]
        bodies.append(Body(leg, _swing((x, leg_length + 0.02, z * long), 0.5, pace, np.pi * (i in (1, 2)))))
    tail: list[Surface] = [ellipsoid(0, 0.14, -0.03, 0.025, 0.17, 0.03, dark)]
    wag: Motion = lambda t: translation(0, y + 0.05, -long) @ rotation("z", 0.4 * np.sin(7 * t)) @ rotation("x", -0.6)  # noqa: E731
    bodies.append(Body(tail, wag))
    return Thing("animal", [_grown(body, grow) for body in bodies], (y + 0.38) * size, (long + 0.2) * size, True)


def _grown(body: Body, grow: Matrix) -> Body:
    return Body(body.surfaces, lambda t: grow @ body.motion(t))


def robot(rng: Rng) -> Thing:
    colours = palette(rng)
    panel, dark = (
        pyramid(tile(rng, 128, str(rng.choice(["plaster", "checks", "stripes", "terrazzo"])), colours)),
        around(plain(rng, colours[2] * 0.5)),
    )
    w, h, d = rng.uniform(0.4, 0.6), rng.uniform(0.35, 0.55), rng.uniform(0.4, 0.6)
    parts = box((0, 0.16 + h / 2, 0), (w, h, d), panel)
    parts += box((0, 0.26 + h + 0.13, 0.02), (w * 0.6, 0.26, d * 0.5), pyramid(tile(rng, 64, "plaster", palette(rng))))
    parts += tube(0.14 + h, 0.28 + h, 0.06, 0.06, dark)[:1] + tube(0.5 + h, 0.75 + h, 0.012, 0.012, dark)[:1]
    parts.append(ellipsoid(0, 0.76 + h, 0, 0.035, 0.035, 0.035, dark))
    parts += [ellipsoid(x * w / 2, 0.15, z * d * 0.33, 0.05, 0.15, 0.15, dark) for x in (-1, 1) for z in (-1, 1)]
    return Thing("robot", [Body(parts)], 0.8 + h, 0.42, True)


def car(rng: Rng) -> Thing:
    size = rng.uniform(0.7, 1.1)
    paint = pyramid(tile(rng, 128, str(rng.choice(["plaster", "stripes", "marble"])), palette(rng, None, (0.5, 0.9))))
    glass, tyre = pyramid(plain(rng, colour(0.57, 0.3, 0.45))), around(plain(rng, colour(0.6, 0.1, 0.18)))
    parts = box((0, 0.3, 0), (0.6, 0.28, 1.3), paint) + box((0, 0.53, -0.1), (0.52, 0.22, 0.66), glass, (0, 2))
    parts += box((0, 0.66, -0.1), (0.54, 0.05, 0.7), paint)
    parts += [ellipsoid(x * 0.29, 0.15, z * 0.42, 0.06, 0.15, 0.15, tyre) for x in (-1, 1) for z in (-1, 1)]
    return Thing("car", [_grown(Body(parts), scaling(size, size, size))], 0.7 * size, 0.72 * size, True)


def balloon(rng: Rng) -> Thing:
    r, h = rng.uniform(0.2, 0.32), rng.uniform(0.9, 1.3)
    skin = around(
        tile(rng, 128, str(rng.choice(["plaster", "stripes", "dots", "checks"])), palette(rng, None, (0.6, 0.9)))
    )
    parts = [
        *tube(0, h, 0.009, 0.009, around(plain(rng, colour(0.1, 0.1, 0.5))))[:1],
        ellipsoid(0, h + r, 0, r, r * 1.2, r, skin),
    ]
    sway, pace = rng.uniform(0.05, 0.2), rng.uniform(1, 2)
    motion: Motion = lambda t: rotation("z", sway * np.sin(pace * t)) @ rotation("x", sway * np.cos(0.7 * pace * t))  # noqa: E731
    return Thing("balloon", [Body(parts, motion)], h + 2 * r, r, False, lambda t: 0.3 + 0.15 * float(np.sin(pace * t)))


def _outline(rng: Rng) -> np.ndarray:
    """A cut-out shape as a closed curve in the unit square: star, flower, fish or a rounded blob."""
    angle = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    kind = rng.integers(0, 4)
    if kind == 0:
        reach = np.interp((angle / (2 * np.pi) * 5) % 1, [0, 0.5, 1], [1, rng.uniform(0.4, 0.6), 1])
    elif kind == 1:
        reach = 0.72 + 0.28 * np.cos(rng.integers(4, 8) * angle)
    elif kind == 2:
        body = np.stack([0.65 * np.cos(angle) + 0.25, 0.42 * np.sin(angle)], 1)
        return np.vstack([body[:115], [[-0.95, 0.45], [-0.75, 0], [-0.95, -0.45]], body[125:]]) * [1, 1]
    else:
        reach = np.full_like(angle, 0.7)
        for lobes in range(1, 6):
            reach += rng.uniform(-0.12, 0.12) * np.cos(lobes * angle + rng.uniform(0, 6))
    return reach[:, None] * np.stack([np.sin(angle), -np.cos(angle)], 1) / reach.max()


def card(rng: Rng) -> Thing:
    size, lift = rng.uniform(0.5, 1.0), rng.uniform(0.0, 0.5)
    texture = tile(rng, 256)
    alpha = np.zeros((256, 256), np.uint8)
    cv2.fillPoly(alpha, [np.round(_outline(rng) * 122 * 16 + 127.5 * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    texture[..., 3] = alpha
    frame = np.array([[size, 0, -size / 2], [0, -size, size + lift], [0, 0, 0]])
    post = tube(0, lift + size / 2, 0.015, 0.015, around(plain(rng, colour(0.1, 0.3, 0.4))), z=-0.03)[:1]
    faces: list[Surface] = [Patch(frame, np.array([0, 0, 1.0]), pyramid(texture), True), *post]
    return Thing("card", [Body(faces)], size + lift, size / 2)


KINDS: dict[str, Callable[[Rng], Thing]] = {
    maker.__name__: maker
    for maker in (crate, ball, drum, lamp, pole, plant, tree, chair, person, animal, robot, car, balloon, card)
}


def shadow_texture() -> Texture:
    """Light left on the ground by a round thing: RGBA factors, 255 untouched."""
    rows, columns = np.indices((64, 64)) / 31.5 - 1
    distance = np.hypot(rows, columns)
    factor = 255 * (1 - np.clip(1.0 - distance, 0, 1) ** 1.2).astype(np.float32)
    return opaque(np.repeat(factor[..., None], 3, axis=2))
