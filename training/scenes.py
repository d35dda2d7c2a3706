"""Rendered scenes as training and test pictures; drawing one from the cache is far quicker than rendering it.

``python -m training.scenes --count 240`` renders the cache. Training scenes have seeds from 1000, those that are only
measured with have seeds from 900000.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.synthetic import SceneSource
from training.photos import Photo, encode_mask

SCENE_CACHE = Path("runs/scenes")
FIRST_TRAINING_SEED = 1000
FIRST_HELD_OUT_SEED = 900_000
SIZES = ((512, 288), (512, 384), (512, 340), (384, 512))
FRAMES = (0, 37, 101, 166, 230, 299)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered frame and its truth.

    Attributes:
        image_rgb: ``(H, W, 3)`` uint8.
        labels: ``(H, W)`` uint8, 0 is the background.
        inverse_depth: ``(H, W)`` float32 [1/m].
    """

    image_rgb: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    inverse_depth: NDArray[np.float32]


def render(seed: int, frames: tuple[int, ...], size: tuple[int, int] | None = None) -> list[Rendered]:
    """Frames of the scene with that seed; size and number of objects come from the seed unless given."""
    rng = np.random.default_rng(seed)
    chosen = size or SIZES[int(rng.integers(len(SIZES)))]
    scene = SceneSource(seed=seed, size=chosen, objects=int(rng.integers(3, 9)), frame_count=None)
    rendered = []
    for frame in frames:
        truth = scene.truth(frame)
        rendered.append(Rendered(scene.render(frame), truth.labels, truth.inverse_depth))
    return rendered


def held_out(count: int) -> list[Rendered]:
    """One frame each of ``count`` scenes that no training sees."""
    return [render(FIRST_HELD_OUT_SEED + i, (40 + 7 * i,), (640, 360))[0] for i in range(count)]


def fill_cache(count: int, folder: Path = SCENE_CACHE) -> None:
    """Render ``count`` training scenes that are not in the folder yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(FIRST_TRAINING_SEED, FIRST_TRAINING_SEED + count):
        path = folder / f"{seed}.npz"
        if path.exists():
            continue
        rendered = render(seed, FRAMES)
        partial = path.with_suffix(".partial.npz")
        np.savez_compressed(
            partial,
            images=np.stack([r.image_rgb for r in rendered]),
            labels=np.stack([r.labels for r in rendered]),
            inverse_depths=np.stack([r.inverse_depth for r in rendered]).astype(np.float16),
        )
        partial.replace(path)


def draw_rendered(rng: np.random.Generator, folder: Path = SCENE_CACHE) -> Rendered:
    """A random frame from the cache; while the cache is empty, one that is rendered now."""
    paths = sorted(path for path in folder.glob("*.npz") if not path.name.endswith(".partial.npz"))
    if not paths:
        return render(int(rng.integers(FIRST_TRAINING_SEED, FIRST_HELD_OUT_SEED)), (int(rng.integers(300)),))[0]
    frames = _load(paths[int(rng.integers(len(paths)))])
    return frames[int(rng.integers(len(frames)))]


@cache
def _load(path: Path) -> list[Rendered]:
    with np.load(path) as content:
        arrays = zip(content["images"], content["labels"], content["inverse_depths"], strict=True)
        return [Rendered(image, labels, depth.astype(np.float32)) for image, labels, depth in arrays]


def as_photo(rendered: Rendered) -> Photo:
    """A rendered frame with its objects as regions."""
    ids = [id for id in np.unique(rendered.labels).tolist() if id]
    return Photo("scene", rendered.image_rgb, [encode_mask(rendered.labels == id) for id in ids])


def draw_scene(rng: np.random.Generator) -> Photo:
    """A random frame with at least one object in it."""
    while True:
        photo = as_photo(draw_rendered(rng))
        if photo.regions:
            return photo


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=240)
    fill_cache(parser.parse_args().count)
