"""Short clips with the masks of everything in them: where they come from, and what is laid over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from training import augment
from training.memory_warps import compose, make_warp, walk
from training.photos import Photo
from training.prompts import tight_box
from training.samples import DrawPhoto

Image = NDArray[np.uint8]
CELL_PX = 4


@dataclass(slots=True)
class Clip:
    """T frames and N masks on each.

    Attributes:
        images: T times ``(H, W, 3)`` uint8 RGB.
        masks: T times N times ``(H, W)`` uint8, 0 or 1; where several hold, the last one is in front.
    """

    images: list[Image]
    masks: list[list[Image]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How clips are made.

    Attributes:
        size: (width, height) of the frames [px], multiples of 32.
        frames: How many there are.
        speed: Standard deviation of the shift from one frame to the next, as a share of the width.
        layers: At most so many things are laid over a clip.
    """

    size: tuple[int, int]
    frames: int
    speed: float = 0.06
    layers: int = 3


DrawClip = Callable[[Recipe, np.random.Generator], Clip]


def photo_clip(draw: DrawPhoto, recipe: Recipe, rng: np.random.Generator) -> Clip:
    """Views of one photograph, each warped further than the one before."""
    photo = draw(rng)
    width, height = recipe.size
    cover = _cover_matrix((photo.image_rgb.shape[1], photo.image_rgb.shape[0]), recipe.size, rng)
    sources = _apart(list(photo.masks(rng.permutation(len(photo.regions))[:8].tolist())))[:4]
    speed = recipe.speed * width * rng.choice([0.3, 1.0, 2.0])
    clip = Clip([], [])
    for step in walk(recipe.frames, (width / 2, height / 2), speed, float(rng.choice([0.03, 0.1, 0.2])), rng):
        warp = make_warp(compose(step, cover), recipe.size, rng.uniform(0, 0.03) * width, rng)
        clip.images.append(warp.image(photo.image_rgb))
        clip.masks.append([warp.mask(mask) for mask in sources])
    return clip


def _apart(masks: list[Image]) -> list[Image]:
    """Those that hardly overlap one before them: several people may have outlined the same thing."""
    kept: list[Image] = []
    for mask in masks:
        if all((mask & other).sum() < 0.1 * min(mask.sum(), other.sum()) for other in kept):
            kept.append(mask)
    return kept


def cut_away(clip: Clip, draw_clip: DrawClip, recipe: Recipe, rng: np.random.Generator) -> None:
    """Put something else altogether in the place of a frame, on which nothing of the clip is to be seen."""
    at = int(rng.integers(1, len(clip.images)))
    clip.images[at] = draw_clip(replace(recipe, frames=1), rng).images[0]
    clip.masks[at] = [np.zeros_like(mask) for mask in clip.masks[at]]


def lay_over(clip: Clip, draw: DrawPhoto, recipe: Recipe, rng: np.random.Generator) -> None:
    """Let cut-out things move in front of the clip: look-alikes of what it shows, and parts of other photographs."""
    for _ in range(int(rng.integers(0, recipe.layers + 1))):
        cut = _cut_from_clip(clip, rng) if rng.random() < 0.45 else _cut_from_photo(draw(rng), rng)
        if cut is not None:
            _lay(clip, *cut, recipe, rng)


def _cut_from_clip(clip: Clip, rng: np.random.Generator) -> tuple[Image, Image] | None:
    """Something the clip shows itself: its twin will move beside it."""
    frame = int(rng.integers(len(clip.images)))
    candidates = [mask for mask in clip.masks[frame] if 0.003 < mask.mean() < 0.35]
    if not candidates:
        return None
    return clip.images[frame].copy(), candidates[int(rng.integers(len(candidates)))].copy()


def _cut_from_photo(photo: Photo, rng: np.random.Generator) -> tuple[Image, Image] | None:
    mask = photo.masks([int(rng.integers(len(photo.regions)))])[0]
    return (photo.image_rgb, mask) if 0.003 < mask.mean() < 0.5 else None


def _lay(clip: Clip, image: Image, mask: Image, recipe: Recipe, rng: np.random.Generator) -> None:
    width, height = recipe.size
    x0, y0, x1, y1 = tight_box(mask).tolist()
    place = augment.paste_matrix((x0, y0, x1, y1), recipe.size, rng)
    middle = place[:, :2] @ np.array([(x0 + x1) / 2, (y0 + y1) / 2]) + place[:, 2]
    side = max(x1 - x0, y1 - y0) * float(np.sqrt(abs(np.linalg.det(place[:, :2].astype(np.float64)))))
    image = augment.jitter_color(image, rng) if rng.random() < 0.3 else image
    speed = recipe.speed * width * rng.choice([0.3, 1.0, 2.5])
    seen = rng.random(recipe.frames) > (0.35 if rng.random() < 0.4 else 0.0)
    soft_edge = np.random.default_rng(int(rng.integers(1 << 30)))
    steps = walk(recipe.frames, (float(middle[0]), float(middle[1])), speed, float(rng.choice([0.05, 0.12, 0.25])), rng)
    for number, step in enumerate(steps):
        warp = make_warp(compose(step, place), recipe.size, rng.uniform(0, 0.1) * side, rng)
        shape = warp.mask(mask) if seen[number] else np.zeros((height, width), np.uint8)
        if shape.any():
            clip.images[number] = augment.blend(clip.images[number], warp.image(image), shape, soft_edge)
        clip.masks[number].append(shape)


def visible_masks(masks: list[Image]) -> list[Image]:
    """Each mask without what those after it cover."""
    seen, covered = [], np.zeros_like(masks[0])
    for mask in reversed(masks):
        seen.append(mask & (1 - covered))
        covered = covered | mask
    return seen[::-1]


def _cover_matrix(source: tuple[int, int], size: tuple[int, int], rng: np.random.Generator) -> augment.Matrix:
    """A random part of the source that fills ``size``, perhaps flipped."""
    fit = max(size[0] / source[0], size[1] / source[1])
    if rng.random() < 0.3:
        fit *= rng.uniform(0.7, 1.0)  # goes on beyond the border
    scale = fit * np.exp(rng.uniform(0, np.log(1.7)))
    flip = -1.0 if rng.random() < 0.5 else 1.0
    slack = [size[i] - source[i] * scale for i in range(2)]
    shift = [rng.uniform(min(0.0, s), max(0.0, s)) for s in slack]
    x_shift = shift[0] if flip > 0 else shift[0] + source[0] * scale - 1
    return np.array([[flip * scale, 0, x_shift], [0, scale, shift[1]]], np.float32)


def shrink(mask: Image) -> NDArray[np.uint8]:
    """A 0/1 mask as shares (0 to 255) of cells of stride 4: ``(H/4, W/4)`` uint8."""
    height, width = mask.shape
    cells = (width // CELL_PX, height // CELL_PX)
    return cv2.resize(mask * np.uint8(255), cells, interpolation=cv2.INTER_AREA).astype(np.uint8)
