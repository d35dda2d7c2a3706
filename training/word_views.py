"""Views of one photograph: parts of it, mirrored, farther away, in other light, so that few photographs go further."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

MIN_PART = 0.35
"""Share of the photograph's sides that a part of it has at least."""
FARTHEST = 1.6
"""How much wider than the photograph the gray around it may become."""
GRAY = 127
MIN_KEPT = 0.3
"""Share of a thing that must be inside of a part to be called by its name there."""


@dataclass(frozen=True, slots=True)
class View:
    """What a view shows.

    Attributes:
        image_rgb: ``(h, w, 3)`` uint8.
        masks: ``(N, h, w)`` uint8, of the same N things in the same order; what is not in view is empty.
        uncounted: ``(h, w)`` uint8, where nothing is right or wrong: crowds, and things of which little is left.
    """

    image_rgb: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    uncounted: NDArray[np.uint8]


def view_of(
    image_rgb: NDArray[np.uint8], masks: NDArray[np.uint8], crowds: NDArray[np.uint8], rng: np.random.Generator
) -> View:
    """One view by chance of ``(H, W, 3)`` pixels, ``(N, H, W)`` masks and ``(H, W)`` crowds."""
    image, masks, crowds = (
        _nearer(image_rgb, masks, crowds, rng) if rng.random() < 0.7 else _farther(image_rgb, masks, crowds, rng)
    )
    if rng.random() < 0.5:
        image, masks, crowds = (
            np.ascontiguousarray(one) for one in (image[:, ::-1], masks[..., ::-1], crowds[:, ::-1])
        )
    return View(_lit(image, rng), masks, crowds)


def _nearer(
    image: NDArray, masks: NDArray, crowds: NDArray, rng: np.random.Generator
) -> tuple[NDArray, NDArray, NDArray]:
    height, width = crowds.shape
    share = rng.uniform(MIN_PART, 1.0)
    sides = [max(32, round(side * min(1.0, share * rng.uniform(0.85, 1.18)))) for side in (height, width)]
    rows, columns = (min(side, whole) for side, whole in zip(sides, (height, width), strict=True))
    y, x = rng.integers(0, height - rows + 1), rng.integers(0, width - columns + 1)
    part = np.s_[y : y + rows, x : x + columns]
    before = masks.sum((1, 2), dtype=np.int64)
    inside = np.stack([mask[part] for mask in masks]) if len(masks) else masks[:, :rows, :columns]
    kept = inside.sum((1, 2), dtype=np.int64) >= MIN_KEPT * np.maximum(before, 1)
    uncounted = crowds[part] | np.any(inside[~kept], axis=0).astype(np.uint8)
    return image[part], inside * kept[:, None, None].astype(np.uint8), uncounted


def _farther(
    image: NDArray, masks: NDArray, crowds: NDArray, rng: np.random.Generator
) -> tuple[NDArray, NDArray, NDArray]:
    height, width = crowds.shape
    rows, columns = (round(side * rng.uniform(1.0, FARTHEST)) for side in (height, width))
    y, x = rng.integers(0, rows - height + 1), rng.integers(0, columns - width + 1)
    edges = ((y, rows - height - y), (x, columns - width - x))
    far = np.pad(image, (*edges, (0, 0)), constant_values=GRAY)
    return far, np.pad(masks, ((0, 0), *edges)), np.pad(crowds, edges)


def _lit(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """In other light, and now and then blurred or without color."""
    lit = image.astype(np.float32) * rng.uniform(0.7, 1.3) * rng.uniform(0.9, 1.1, 3)
    lit = (lit - lit.mean()) * rng.uniform(0.7, 1.3) + lit.mean()
    if rng.random() < 0.1:
        lit = np.repeat(lit.mean(2, keepdims=True), 3, axis=2)
    if rng.random() < 0.15:
        lit = cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.5, 1.5))
    return lit.clip(0, 255).astype(np.uint8)
