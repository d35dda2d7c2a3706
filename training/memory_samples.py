"""Endless training samples for the memory: clips with a few objects to follow, and the masks that flow would carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training import augment
from training.memory_clips import Clip, DrawClip, Recipe, cut_away, lay_over, shrink, visible_masks
from training.samples import DrawPhoto

MIN_CELLS = 12
CARRIED_PROBABILITY = 0.5
CUT_PROBABILITY = 0.1

Sample = dict[str, NDArray[Any]]
Cells = NDArray[np.uint8]


def make_sample(
    draw_clip: DrawClip, draw_photo: DrawPhoto, recipe: Recipe, objects: int, rng: np.random.Generator
) -> Sample:
    """A clip with up to K = ``objects`` of its objects, all of which the first frame shows.

    Returns:
        ``images`` ``(T, H, W, 3)`` uint8, ``masks`` ``(T, K, H/4, W/4)`` uint8 (share of each cell inside, 255 is all),
        ``carried`` of the same shape, ``known`` ``(T, K)`` bool (whether there is a carried mask), ``real`` ``(K,)``
        bool (whether there is such an object).
    """
    while True:
        clip = draw_clip(recipe, rng)
        if rng.random() < CUT_PROBABILITY:
            cut_away(clip, draw_clip, recipe, rng)
        lay_over(clip, draw_photo, recipe, rng)
        cells = [np.stack([shrink(mask) for mask in visible_masks(masks)]) for masks in clip.masks if masks]
        if len(cells) < len(clip.images):
            continue
        masks = np.stack(cells)
        chosen = _choose(masks, objects, rng)
        if chosen:
            return _sample(clip, masks, chosen, objects, rng)


def _choose(masks: Cells, objects: int, rng: np.random.Generator) -> list[int]:
    """Which of the ``(T, N, h, w)`` masks to follow: seen on the first frame, not almost everything of it."""
    first = masks[0].reshape(len(masks[0]), -1).astype(np.float32) / 255
    good = np.flatnonzero((first.sum(1) >= MIN_CELLS) & (first.mean(1) < 0.6))
    chosen: list[int] = []
    for index in rng.permutation(good).tolist():
        apart = all(np.minimum(masks[0, index], masks[0, other]).mean() < 2 for other in chosen)
        if apart and len(chosen) < objects:
            chosen.append(index)
    return chosen


def _sample(clip: Clip, masks: Cells, chosen: list[int], objects: int, rng: np.random.Generator) -> Sample:
    frames, _, height, width = masks.shape
    taken = np.zeros((frames, objects, height, width), np.uint8)
    taken[:, : len(chosen)] = masks[:, chosen]
    known = rng.random((frames, objects)) < CARRIED_PROBABILITY
    if rng.random() < 0.3:
        known[:] = False
    carried = np.zeros_like(taken)
    for t in range(1, frames):
        for k in range(len(chosen)):
            if known[t, k]:
                carried[t, k] = worn(taken[t, k], taken[t - 1, k], masks[t], rng)
    return {
        "images": np.stack(_recorded(clip.images, rng)),
        "masks": taken,
        "carried": carried,
        "known": known,
        "real": np.arange(objects) < len(chosen),
    }


def _recorded(images: Sequence[NDArray[np.uint8]], rng: np.random.Generator) -> list[NDArray[np.uint8]]:
    """As one camera would have recorded them: the same colors on all frames, a little noise on each."""
    colors = int(rng.integers(1 << 30))
    recorded = [augment.jitter_color(image, np.random.default_rng(colors)) for image in images]
    if rng.random() < 0.5:
        return recorded
    return [augment.spoil(image, rng) for image in recorded]


def worn(mask: Cells, before: Cells, all_masks: Cells, rng: np.random.Generator) -> Cells:
    """What flow would have carried to where ``mask`` is: shifted, swollen, leaking, stale, or on something else.

    Args:
        mask, before: ``(h, w)`` true masks of this frame and of the one before.
        all_masks: ``(N, h, w)`` of everything on this frame.
    """
    kind = rng.random()
    if kind < 0.08:
        return all_masks[int(rng.integers(len(all_masks)))]
    if kind < 0.18:
        return before
    start = mask if mask.any() else before
    if kind < 0.3:
        start = np.maximum(start, all_masks[int(rng.integers(len(all_masks)))])
    height, width = mask.shape
    side = float(np.sqrt(max(1.0, start.mean() / 255 * height * width)))
    shift = rng.normal(0, 0.06 * side + 0.3, 2)
    scale = np.exp(rng.normal(0, 0.05))
    ys, xs = np.nonzero(start)
    x, y = (xs.mean(), ys.mean()) if len(xs) else (width / 2, height / 2)
    matrix = np.array([[scale, 0, shift[0] + x * (1 - scale)], [0, scale, shift[1] + y * (1 - scale)]], np.float32)
    moved = cv2.warpAffine(start, matrix, (width, height), flags=cv2.INTER_LINEAR)
    reach = int(rng.integers(0, 3))
    if reach and rng.random() < 0.6:
        kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
        moved = cv2.dilate(moved, kernel) if rng.random() < 0.5 else cv2.erode(moved, kernel)
    if rng.random() < 0.3:
        moved = _torn(moved, rng)
    return cv2.GaussianBlur(moved, (0, 0), rng.uniform(0.3, 1.5)).astype(np.uint8)


def _torn(mask: Cells, rng: np.random.Generator) -> Cells:
    """With a random half plane of the object missing or a blob added."""
    ys, xs = np.nonzero(mask)
    if not len(xs):
        return mask
    pick = int(rng.integers(len(xs)))
    radius = int(rng.uniform(0.2, 0.7) * np.sqrt(len(xs))) + 1
    value = 0 if rng.random() < 0.5 else 255
    return cv2.circle(mask.copy(), (int(xs[pick]), int(ys[pick])), radius, value, -1).astype(np.uint8)


def samples(draw_clip: DrawClip, draw_photo: DrawPhoto, recipe: Recipe, objects: int, seed: int) -> Iterator[Sample]:
    """An endless stream of samples; the same seed gives the same stream."""
    rng = np.random.default_rng(seed)
    while True:
        yield make_sample(draw_clip, draw_photo, recipe, objects, rng)
