"""Where everything is: a world drawn from a seed, with the paths of its objects and of its camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from streamer.synthetic.backdrop import Plane, open_ground, room
from streamer.synthetic.geometry import Matrix, rotation, translation, view
from streamer.synthetic.solids import Movement, Thing
from streamer.synthetic.textures import Colors, Rng, color, palette, tile
from streamer.synthetic.things import KINDS

STYLES = ("indoor", "outdoor")
OUTDOOR = ("crate", "ball", "drum", "pole", "plant", "tree", "person", "animal", "robot", "car", "balloon", "card")
INDOOR = ("crate", "ball", "drum", "lamp", "pole", "plant", "chair", "person", "animal", "robot", "balloon", "card")
WALKERS = ("person", "animal", "robot")


@dataclass(frozen=True)
class Placed:
    """A thing with its path: world from thing, on the ground, at time t [s]."""

    thing: Thing
    path: Movement

    def pose(self, t: float) -> Matrix:
        return self.path(t) @ translation(0, self.thing.lift(t), 0)


@dataclass(frozen=True)
class World:
    """Everything that can be seen, for any time.

    Attributes:
        planes: What stands still around everything.
        placed: The objects; the first has id 1.
        camera: Camera from world at time t [s].
        field_of_view: Horizontal [rad].
        sun: Unit vector towards the light, in the world.
        ambient, diffuse: Brightness of shade, and what full light adds.
        shadow: How dark the shadows are, from 0 to 1.
        tint: Color of the light, RGB factors around 1.
        vignette: How much darker the corners of the picture are, from 0 to 1.
    """

    planes: list[Plane]
    placed: list[Placed]
    camera: Movement
    field_of_view: float
    sun: Matrix
    ambient: float
    diffuse: float
    shadow: float
    tint: Colors
    vignette: float


def build(seed: int, objects: int, style: str | None, twins: bool = False) -> World:
    """The world of ``seed``, indoors or outdoors as ``style`` says, or as the seed does where it is None.

    With ``twins`` its objects all look the same and walk to and fro in front of each other.
    """
    rng = np.random.default_rng([seed, 20])
    style = style or STYLES[int(rng.integers(0, 2))]
    field_of_view = float(np.radians(rng.uniform(50, 72)))
    half_width, depth = rng.uniform(4.2, 6.5), rng.uniform(6.0, 9.5)
    planes = outdoors(rng) if style == "outdoor" else indoors(rng, half_width, depth)
    names = list(rng.permutation(list(OUTDOOR if style == "outdoor" else INDOOR)))
    things = [KINDS[names[i % len(names)]](rng) for i in range(objects)]
    if twins:
        things = [KINDS[str(rng.choice(WALKERS))](rng)] * objects
    far = depth - 0.9 if style == "indoor" else rng.uniform(5.5, 9.0)
    edge = half_width - 0.8 if style == "indoor" else 30.0
    sun = np.array([rng.uniform(-0.8, 0.8), rng.uniform(0.6, 1.2), rng.uniform(-0.8, 0.1)])
    ambient = rng.uniform(0.45, 0.65)
    return World(
        planes,
        in_lanes(rng, things, (3.0, far), edge, field_of_view, all_stroll=twins),
        _camera(rng, style),
        field_of_view,
        sun / np.linalg.norm(sun),
        ambient,
        rng.uniform(0.95, 1.12) - ambient,
        rng.uniform(0.3, 0.6),
        np.array([1, 1, 1], np.float32) + rng.uniform(-0.06, 0.06, 3).astype(np.float32),
        rng.uniform(0.05, 0.3),
    )


def indoors(rng: Rng, half_width: float, depth: float) -> list[Plane]:
    """A room of random size, floor and walls."""
    floor_kind = str(rng.choice(["planks", "planks", "checks", "terrazzo", "plaster", "marble", "plaid", "blotches"]))
    hue = float(rng.uniform(0.03, 0.12)) if floor_kind == "planks" else None
    floor = tile(rng, 256, floor_kind, palette(rng, hue, (0.1, 0.55)) * rng.uniform(0.6, 1.0))
    wall_kind = str(rng.choice(["plaster", "plaster", "stripes", "bricks", "planks", "dots", "marble", "plaid"]))
    tones = palette(rng, None, (0.05, 0.4))
    if wall_kind not in ("bricks", "planks"):
        tones[1:] = 0.8 * tones[0] + 0.2 * tones[1:]
    return room(rng, half_width, depth, rng.uniform(2.6, 3.4), floor, tile(rng, 256, wall_kind, tones))


def outdoors(rng: Rng) -> list[Plane]:
    """Open ground of a random kind, under a sky of day or evening."""
    kind = str(rng.choice(["grass", "grass", "leaves", "terrazzo", "bricks", "plaster", "checks"]))
    hue = float(rng.uniform(0.16, 0.36)) if kind in ("grass", "leaves") else float(rng.uniform(0.03, 0.14))
    colors = palette(rng, hue, (0.2, 0.6)) * rng.uniform(0.6, 0.9)
    if kind in ("bricks", "checks", "leaves"):
        colors[1:] = 0.6 * colors[0] + 0.4 * colors[1:]
    evening = rng.random() < 0.3
    horizon = color(rng.uniform(0.04, 0.1), 0.4, 0.95) if evening else color(rng.uniform(0.52, 0.6), 0.15, 0.95)
    sky = np.stack(
        [color(rng.uniform(0.55, 0.62), rng.uniform(0.3, 0.65), rng.uniform(0.65, 0.95)), horizon, np.full(3, 248)]
    )
    hills = palette(rng, rng.uniform(0.2, 0.62), (0.2, 0.5)) * 0.5
    return open_ground(rng, tile(rng, 512, kind, colors), sky.astype(np.float32), hills)


def in_lanes(
    rng: Rng,
    things: list[Thing],
    reach: tuple[float, float],
    edge: float,
    field_of_view: float,
    all_stroll: bool = False,
) -> list[Placed]:
    """Every thing in a lane of its own between the depths ``reach`` [m], so that they pass without touching.

    With ``all_stroll`` they go to and fro within the view.
    """
    lanes = np.geomspace(*reach, len(things)) if len(things) > 1 else np.array([reach[0] + 0.5])
    gaps = np.gradient(lanes) if len(things) > 1 else np.array([2.0])
    order = rng.permutation(len(things))
    placed: list[Placed] = []
    for rank, thing in enumerate(things):
        z = float(lanes[order[rank]])
        seen = z * np.tan(field_of_view / 2)
        sway = max(0.0, gaps[order[rank]] / 2 - thing.radius)
        placed.append(Placed(thing, _path(rng, thing, z, seen, sway, edge, all_stroll)))
    return placed


def _path(rng: Rng, thing: Thing, z: float, seen: float, sway: float, edge: float, strolls: bool) -> Movement:
    """Still, or to and fro over part of the view, or right through it and back; ``seen`` is its half width at z."""
    choice = rng.choice(["stay", "stroll", "cross"], p=[0.15, 0.5, 0.35] if thing.walks else [0.5, 0.35, 0.15])
    choice = "stroll" if strolls else choice
    phase, turn = rng.uniform(0, 2 * np.pi), rng.choice([-1, 1])
    if choice == "stay":
        return spinning(
            rng.uniform(-0.7, 0.7) * seen, z, rng.uniform(0, 6), turn * rng.choice([0.0, rng.uniform(0.2, 1.0)])
        )
    reach = rng.uniform(0.3, 0.8) * seen if choice == "stroll" else rng.uniform(1.2, 1.6) * seen + thing.radius
    reach = min(reach, edge)
    period = 2 * np.pi * reach / rng.uniform(0.7, 1.8)
    middle = rng.uniform(-0.3, 0.3) * seen if choice == "stroll" else 0.0
    if thing.walks:
        return pacing(middle, z, reach, sway, turn * period, phase)
    spin = turn * rng.uniform(0.0, 0.9)
    return lambda t: spinning(middle + reach * float(np.sin(2 * np.pi * t / period + phase)), z, phase, spin)(t)


def spinning(x: float, z: float, angle: float, speed: float) -> Movement:
    """Standing at (x, z), turning at ``speed`` [rad/s]."""
    return lambda t: translation(x, 0, z) @ rotation("y", angle + speed * t)


def pacing(x: float, z: float, reach: float, sway: float, period: float, phase: float) -> Movement:
    """On a flat ellipse around (x, z), facing ahead; a negative period [s] goes the other way round."""

    def motion(t: float) -> Matrix:
        angle = 2 * np.pi * t / period + phase
        heading = np.arctan2(
            -np.sin(angle) * reach * np.sign(period), max(sway, 0.12) * np.cos(angle) * np.sign(period)
        )
        return translation(x + reach * np.cos(angle), 0, z + sway * np.sin(angle)) @ rotation("y", heading)

    return motion


def _waves(rng: Rng, reach: float) -> Callable[[float], float]:
    """A smooth aimless motion between about -reach and reach."""
    speeds, phases = rng.uniform(0.3, 1.1, 2), rng.uniform(0, 2 * np.pi, 2)
    return lambda t: float(
        reach * (0.65 * np.sin(speeds[0] * t + phases[0]) + 0.35 * np.sin(2 * speeds[1] * t + phases[1]))
    )


def _camera(rng: Rng, style: str) -> Movement:
    """A camera that pans, tilts, drifts and bobs, as if held by someone who walks a little."""
    height = rng.uniform(0.9, 2.1) if style == "indoor" else rng.uniform(1.0, 2.4)
    calm = rng.uniform(0.1, 1.0)
    aside, ahead, pan, tilt = (_waves(rng, reach * calm) for reach in (0.6, 0.5, 0.2, 0.04))
    bob, pace, pitch = rng.uniform(0, 0.02), rng.uniform(5, 9), -0.06 - 0.1 * (height - 1.0) + rng.uniform(-0.04, 0.04)
    return lambda t: view(
        (aside(t), height + bob * float(np.sin(pace * t)), ahead(t) - 0.3), pan(t), float(pitch) + tilt(t)
    )
