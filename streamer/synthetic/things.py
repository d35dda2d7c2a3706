"""The objects that stand, roll or float, and the list of all kinds."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from streamer.synthetic.figures import animal, car, person, robot
from streamer.synthetic.geometry import rotation, translation
from streamer.synthetic.patch import Patch
from streamer.synthetic.solids import Body, Movement, Surface, Thing, around, box, ellipsoid, plain, tube
from streamer.synthetic.surfaces import pyramid
from streamer.synthetic.textures import Rng, color, palette, tile


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
    motion: Movement = lambda t: translation(0, r, 0) @ rotation("x", spin * t)  # noqa: E731
    lift = lambda t: float(hop * abs(np.sin(pace * t)))  # noqa: E731
    return Thing("ball", [Body([ellipsoid(0, 0, 0, r, r, r, texture)], motion)], 2 * r, r, True, lift)


def drum(rng: Rng) -> Thing:
    r, h = rng.uniform(0.18, 0.38), rng.uniform(0.5, 1.1)
    taper = rng.choice([1.0, rng.uniform(0.6, 0.95)])
    return Thing("drum", [Body(tube(0, h, r, r * taper, around(tile(rng, 256))))], h, r)


def lamp(rng: Rng) -> Thing:
    h, r = rng.uniform(1.2, 1.9), rng.uniform(0.16, 0.28)
    metal, shade = (
        around(plain(rng, color(rng.random(), 0.2, 0.35))),
        around(tile(rng, 128, colors=palette(rng, None, (0.1, 0.5)))),
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
    parts: list[Surface] = tube(0, h, pot * 0.75, pot, around(tile(rng, 128, colors=palette(rng, rng.uniform(0, 0.1)))))
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


def balloon(rng: Rng) -> Thing:
    r, h = rng.uniform(0.2, 0.32), rng.uniform(0.9, 1.3)
    skin = around(
        tile(rng, 128, str(rng.choice(["plaster", "stripes", "dots", "checks"])), palette(rng, None, (0.6, 0.9)))
    )
    parts = [
        *tube(0, h, 0.009, 0.009, around(plain(rng, color(0.1, 0.1, 0.5))))[:1],
        ellipsoid(0, h + r, 0, r, r * 1.2, r, skin),
    ]
    sway, pace = rng.uniform(0.05, 0.2), rng.uniform(1, 2)
    motion: Movement = lambda t: rotation("z", sway * np.sin(pace * t)) @ rotation("x", sway * np.cos(0.7 * pace * t))  # noqa: E731
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
    post = tube(0, lift + size / 2, 0.015, 0.015, around(plain(rng, color(0.1, 0.3, 0.4))), z=-0.03)[:1]
    faces: list[Surface] = [Patch(frame, np.array([0, 0, 1.0]), pyramid(texture), True), *post]
    return Thing("card", [Body(faces)], size + lift, size / 2)


KINDS: dict[str, Callable[[Rng], Thing]] = {
    maker.__name__: maker
    for maker in (crate, ball, drum, lamp, pole, plant, tree, chair, person, animal, robot, car, balloon, card)
}
