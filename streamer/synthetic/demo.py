"""The scene of the demo: a walk in the open, arranged by hand."""

from __future__ import annotations

import numpy as np

from streamer.synthetic.backdrop import Plane, open_ground
from streamer.synthetic.geometry import Matrix, view
from streamer.synthetic.layout import OUTDOOR, Placed, World, in_lanes, pacing, spinning
from streamer.synthetic.solids import Thing
from streamer.synthetic.textures import color, tile
from streamer.synthetic.things import KINDS

FIELD_OF_VIEW = float(np.radians(62))


def demo(objects: int) -> World:
    """Someone strolls, a dog runs through the view and comes back, a ball hops behind a tree; then random things."""
    rng = np.random.default_rng(11)
    arranged = [
        Placed(_made("person", 4), pacing(-0.2, 5.1, 1.7, 0.35, 10.0, 2.4)),
        Placed(_made("animal", 6), pacing(0.0, 4.0, 3.9, 0.2, -9.0, 2.2)),
        Placed(_made("ball", 1), pacing(0.6, 6.9, 2.0, 0.2, 8.0, 0.5)),
        Placed(_made("tree", 6), spinning(1.2, 6.0, 0.4, 0.0)),
    ][:objects]
    others = [KINDS[str(kind)](rng) for kind in rng.choice(OUTDOOR, max(0, objects - len(arranged)))]
    sun = np.array([-0.55, 0.8, -0.6])
    return World(
        planes=_meadow(rng),
        placed=arranged + in_lanes(rng, others, (7.6, 10.0), 30.0, FIELD_OF_VIEW),
        camera=_stroll,
        field_of_view=FIELD_OF_VIEW,
        sun=sun / np.linalg.norm(sun),
        ambient=0.6,
        diffuse=0.48,
        shadow=0.55,
        tint=np.array([1.03, 1.0, 0.95], np.float32),
        vignette=0.16,
    )


def _made(kind: str, variant: int) -> Thing:
    return KINDS[kind](np.random.default_rng([11, 2, variant]))


def _meadow(rng: np.random.Generator) -> list[Plane]:
    grass = np.stack([color(0.24, 0.62, 0.42), color(0.2, 0.5, 0.66), color(0.15, 0.5, 0.7)])
    sky = np.stack([color(0.58, 0.55, 0.9), color(0.12, 0.1, 0.97), color(0.1, 0.03, 1.0)])
    return open_ground(rng, tile(rng, 512, "grass", grass), sky, color(0.42, 0.55, 0.32)[None])


def _stroll(t: float) -> Matrix:
    position = (0.35 * np.sin(0.5 * t), 1.5 + 0.012 * np.sin(6 * t), -0.3 + 0.3 * np.sin(0.4 * t))
    return view(position, 0.07 * float(np.sin(0.45 * t)), -0.1 + 0.01 * float(np.sin(0.7 * t)))
