"""The objects that go somewhere: people, animals, robots and cars, facing +z."""

from __future__ import annotations

import numpy as np

from streamer.synthetic.geometry import Matrix, rotation, scaling, translation
from streamer.synthetic.solids import Body, Movement, Surface, Thing, around, box, ellipsoid, plain, tube
from streamer.synthetic.surfaces import pyramid
from streamer.synthetic.textures import Rng, color, palette, tile


def _swing(pivot: tuple[float, float, float], reach: float, pace: float, phase: float) -> Movement:
    return lambda t: translation(*pivot) @ rotation("x", reach * np.sin(pace * t + phase))


def person(rng: Rng) -> Thing:
    scale, girth, pace = rng.uniform(0.8, 1.1), rng.uniform(0.85, 1.25), rng.uniform(4, 6.5)
    skin = around(plain(rng, color(rng.uniform(0.04, 0.08), rng.uniform(0.25, 0.6), rng.uniform(0.4, 0.95))))
    hair = around(plain(rng, color(rng.uniform(0.03, 0.12), rng.uniform(0.2, 0.7), rng.uniform(0.12, 0.6))))
    shirt = around(tile(rng, 128, str(rng.choice(["plaster", "stripes", "plaid", "dots", "checks", "blotches"]))))
    legs = around(tile(rng, 64, "plaster", palette(rng, rng.choice([0.6, 0.08, rng.random()]), (0.1, 0.6)) * 0.65))
    shoes = around(plain(rng, color(rng.random(), 0.4, 0.3)))
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
    colors = palette(rng, rng.uniform(0.03, 0.13), (0.1, 0.6))
    colors[2] = colors[0] * rng.uniform(0.3, 0.7)
    coat = around(tile(rng, 128, str(rng.choice(["plaster", "blotches", "stripes"])), colors))
    dark = around(plain(rng, colors[1] * 0.6))
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
    wag: Movement = lambda t: translation(0, y + 0.05, -long) @ rotation("z", 0.4 * np.sin(7 * t)) @ rotation("x", -0.6)  # noqa: E731
    bodies.append(Body(tail, wag))
    return Thing("animal", [_grown(body, grow) for body in bodies], (y + 0.38) * size, (long + 0.2) * size, True)


def _grown(body: Body, grow: Matrix) -> Body:
    """The body with its motion, larger all over."""
    shrink = np.linalg.inv(grow)
    return Body([surface.grown(grow) for surface in body.surfaces], lambda t: grow @ body.motion(t) @ shrink)


def robot(rng: Rng) -> Thing:
    colors = palette(rng)
    panel, dark = (
        pyramid(tile(rng, 128, str(rng.choice(["plaster", "checks", "stripes", "terrazzo"])), colors)),
        around(plain(rng, colors[2] * 0.5)),
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
    glass, tyre = pyramid(plain(rng, color(0.57, 0.3, 0.45))), around(plain(rng, color(0.6, 0.1, 0.18)))
    parts = box((0, 0.3, 0), (0.6, 0.28, 1.3), paint) + box((0, 0.53, -0.1), (0.52, 0.22, 0.66), glass, (0, 2))
    parts += box((0, 0.66, -0.1), (0.54, 0.05, 0.7), paint)
    parts += [ellipsoid(x * 0.29, 0.15, z * 0.42, 0.06, 0.15, 0.15, tyre) for x in (-1, 1) for z in (-1, 1)]
    return Thing("car", [_grown(Body(parts), scaling(size, size, size))], 0.7 * size, 0.72 * size, True)
