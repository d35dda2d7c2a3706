"""Procedural textures: small seamless tiles from a random generator and a palette."""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator
Colors = NDArray[np.float32]
FloatImage = NDArray[np.float32]


def color(hue: float, saturation: float, value: float) -> Colors:
    """RGB from 0 to 255 of a hue (turns), a saturation and a value from 0 to 1."""
    return np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value), np.float32) * 255


def palette(rng: Rng, hue: float | None = None, saturation: tuple[float, float] = (0.25, 0.75)) -> Colors:
    """Three colors that go together, ``(3, 3)``: a main one, a shade of it, and an accent."""
    hue = float(rng.random()) if hue is None else hue
    accent = hue + rng.choice([0.06, -0.06, 0.12, 0.5, 0.42])
    low, high = saturation
    main = color(hue, rng.uniform(low, high), rng.uniform(0.55, 0.95))
    shade = main * rng.uniform(0.55, 0.85) if rng.random() < 0.6 else main + (255 - main) * rng.uniform(0.3, 0.7)
    return np.stack([main, shade, color(accent, rng.uniform(low, high), rng.uniform(0.5, 0.95))])


def noise(rng: Rng, size: int, cells: int = 4, octaves: int = 5, gain: float = 0.55) -> NDArray[np.float32]:
    """Seamless noise from 0 to 1, ``(size, size)``, of ``octaves`` grids that start with ``cells`` cells."""
    total = np.zeros((size, size), np.float32)
    weight = 1.0
    while octaves > 0 and cells <= size // 2:
        grid = np.pad(rng.random((cells, cells), np.float32), 3, mode="wrap")
        scale = size // cells
        fine = cv2.resize(grid, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)[3 * scale :, 3 * scale :]
        fine = cv2.resize(fine[: cells * scale, : cells * scale], (size, size))
        total += weight * fine
        weight, cells, octaves = weight * gain, cells * 2, octaves - 1
    low, high = np.percentile(total, [1, 99])
    return np.clip((total - low) / max(high - low, 1e-6), 0, 1)


def mix(first: Colors, second: Colors, weight: NDArray[np.float32]) -> FloatImage:
    """``first`` where ``weight`` is 0 and ``second`` where it is 1; colors or pictures."""
    return first + (second - first) * weight[..., None]


def _grid(size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    ramp = (np.arange(size, dtype=np.float32) + 0.5) / size
    return np.meshgrid(ramp, ramp)


def plaster(rng: Rng, size: int, colors: Colors) -> FloatImage:
    return mix(colors[0], 0.5 * colors[0] + 0.5 * colors[1], noise(rng, size, 2, 7, 0.75))


def marble(rng: Rng, size: int, colors: Colors) -> FloatImage:
    x, y = _grid(size)
    waves = np.sin(2 * np.pi * (x * rng.integers(1, 4) + y * rng.integers(1, 4) + 1.6 * noise(rng, size, 3)))
    return mix(mix(colors[0], colors[1], 0.5 + 0.5 * waves), colors[2], 0.3 * noise(rng, size, 8))


def stripes(rng: Rng, size: int, colors: Colors) -> FloatImage:
    x, y = _grid(size)
    along = rng.integers(2, 9) * x + (rng.integers(-3, 4) * y if rng.random() < 0.4 else 0)
    wave = np.clip(0.5 + rng.uniform(1, 6) * np.sin(2 * np.pi * along), 0, 1)
    return mix(colors[0], colors[rng.integers(1, 3)], wave.astype(np.float32))


def checks(rng: Rng, size: int, colors: Colors) -> FloatImage:
    x, y = _grid(size)
    count = 2 * rng.integers(1, 5)
    return mix(colors[0], colors[1], ((np.floor(x * count) + np.floor(y * count)) % 2).astype(np.float32))


def plaid(rng: Rng, size: int, colors: Colors) -> FloatImage:
    x, y = _grid(size)
    count = rng.integers(2, 5)
    bars = [(np.sin(2 * np.pi * count * c) > rng.uniform(-0.2, 0.5)).astype(np.float32) for c in (x, y)]
    thin = (np.abs(np.sin(np.pi * count * (x + 0.1))) < 0.12) | (np.abs(np.sin(np.pi * count * (y + 0.1))) < 0.12)
    return mix(mix(colors[0], colors[1], 0.5 * (bars[0] + bars[1])), colors[2], 0.7 * thin.astype(np.float32))


def bricks(rng: Rng, size: int, colors: Colors) -> FloatImage:
    rows = int(rng.choice([4, 6, 8, 12]))
    columns = max(2, rows // int(rng.choice([2, 2, 3])))
    x, y = _grid(size)
    row = np.floor(y * rows).astype(int)
    shifted = (x + 0.5 * (row % 2) / columns) % 1
    tone = rng.random((rows, columns), np.float32)[row, np.floor(shifted * columns).astype(int) % columns]
    joint = (np.abs((y * rows) % 1 - 0.5) > 0.44) | (
        np.abs((shifted * columns) % 1 - 0.5) > 0.5 - 0.06 * columns / rows
    )
    return mix(mix(colors[0], colors[1], tone), 0.4 * colors[0] + 120, 0.85 * joint.astype(np.float32))


def planks(rng: Rng, size: int, colors: Colors) -> FloatImage:
    count = int(rng.integers(3, 8))
    x, y = _grid(size)
    board = np.floor(x * count).astype(int)
    tone = rng.random(count, np.float32)[board]
    grain = cv2.resize(noise(rng, size, 8, 6, 0.8)[:, : size // 1], (size, size))
    grain = np.take(grain, (np.arange(size) // 6 * 5) % size, axis=0) if rng.random() < 0.5 else grain
    joint = (np.abs((x * count) % 1 - 0.5) > 0.47) | (np.abs((y + 0.37 * board) % 1 - 0.5) > 0.495)
    wood = mix(colors[0], colors[1], 0.6 * tone + 0.4 * cv2.blur(grain, (1, 15), borderType=cv2.BORDER_REFLECT))
    return mix(wood, 0.35 * colors[0], 0.7 * joint.astype(np.float32))


def dots(rng: Rng, size: int, colors: Colors) -> FloatImage:
    count = int(rng.integers(3, 8))
    x, y = _grid(size)
    row = np.floor(y * count)
    distance = np.hypot((x * count + 0.5 * (row % 2 if count % 2 == 0 else 0)) % 1 - 0.5, (y * count) % 1 - 0.5)
    return mix(colors[0], colors[2], np.clip((rng.uniform(0.18, 0.36) - distance) * 20, 0, 1))


def blotches(rng: Rng, size: int, colors: Colors) -> FloatImage:
    first, second = noise(rng, size, 4, 4), noise(rng, size, 6, 4)
    return mix(
        mix(colors[0], colors[1], np.clip((first - 0.5) * 14, 0, 1)), colors[2], np.clip((second - 0.68) * 14, 0, 1)
    )


def _scatter(rng: Rng, size: int, colors: Colors, count: int, length: tuple[float, float], flat: float) -> FloatImage:
    """Many small ellipses in varied tones over the ground color, wrapped around the edges."""
    tile = plaster(rng, size, colors)
    for _ in range(count):
        center, radius = rng.integers(0, size, 2), rng.uniform(*length) * size
        tone = (
            mix(colors[0], colors[rng.integers(1, 3)], rng.random(1, np.float32))[0] * rng.uniform(0.6, 1.2)
        ).tolist()
        axes, angle = (max(1, int(radius)), max(1, int(radius * rng.uniform(flat, 1)))), rng.uniform(0, 180)
        for x in _wrapped(int(center[0]), axes[0], size):
            for y in _wrapped(int(center[1]), axes[0], size):
                cv2.ellipse(tile, (x, y), axes, angle, 0, 360, tone, -1, cv2.LINE_AA)
    return tile


def _wrapped(place: int, radius: int, size: int) -> list[int]:
    """The places at which something must be drawn to show whole on a seamless tile."""
    return [place + shift for shift in (-size, 0, size) if -radius <= place + shift <= size + radius]


def leaves(rng: Rng, size: int, colors: Colors) -> FloatImage:
    return _scatter(rng, size, colors, 800, (0.008, 0.032), 0.25)


def terrazzo(rng: Rng, size: int, colors: Colors) -> FloatImage:
    return _scatter(rng, size, colors, 140, (0.006, 0.03), 0.5)


def grass(rng: Rng, size: int, colors: Colors) -> FloatImage:
    fine = cv2.blur(rng.random((size, size), np.float32), (2, 5), borderType=cv2.BORDER_REFLECT)
    tone = 0.6 * np.clip((fine - 0.5) * 2 + 0.5, 0, 1) + 0.4 * noise(rng, size, 3, 6, 0.7)
    return mix(colors[0], colors[1], tone)


KINDS: dict[str, Callable[[Rng, int, Colors], FloatImage]] = {
    maker.__name__: maker
    for maker in (plaster, marble, stripes, checks, plaid, bricks, planks, dots, blotches, leaves, terrazzo, grass)
}


def tile(rng: Rng, size: int = 256, kind: str | None = None, colors: Colors | None = None) -> NDArray[np.uint8]:
    """A seamless ``(size, size, 4)`` RGBA texture of a ``KINDS`` entry, any where None, opaque."""
    kind = str(rng.choice(list(KINDS))) if kind is None else kind
    image = KINDS[kind](rng, size, palette(rng) if colors is None else colors)
    image = image * (0.94 + 0.12 * noise(rng, size, 8, 5, 0.8))[..., None]
    return opaque(image)


def opaque(image: FloatImage) -> NDArray[np.uint8]:
    """RGBA uint8 of a float picture from 0 to 255."""
    rgb = np.clip(image, 0, 255).astype(np.uint8)
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
