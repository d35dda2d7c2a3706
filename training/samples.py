"""Endless training samples for SAM: pictures cropped, pasted onto each other and spoiled, with prompts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.models.tiny.sam import TinyImageEncoder
from training import augment, prompts
from training.photos import Photo

LOGIT_STRIDE_PX = 4
MIN_VISIBLE_PX = 64
_MULTIPLE_PX = TinyImageEncoder.multiple_px

DrawPhoto = Callable[[np.random.Generator], Photo]
Sample = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How samples are made.

    Attributes:
        side_px: Longer side of the input [px].
        prompts_per_image: Number of regions prompted in each picture.
        paste_probability: How often other pictures' regions are pasted in.
        worn_mask_probability: How often the first prompt comes with the logits of a carried mask.
        carried: Whether all prompts are what the tracker says at a keyframe instead of what a person says.
    """

    side_px: int
    prompts_per_image: int
    paste_probability: float = 0.5
    worn_mask_probability: float = 0.2
    carried: bool = False


def mixture(groups: Sequence[tuple[float, Sequence[Photo] | DrawPhoto]]) -> DrawPhoto:
    """Draw a photo from weighted groups, each a list of photos or a function that makes one."""
    weights = np.array([weight for weight, _ in groups])
    weights = weights / weights.sum()

    def draw(rng: np.random.Generator) -> Photo:
        group = groups[int(rng.choice(len(groups), p=weights))][1]
        return group(rng) if callable(group) else group[int(rng.integers(len(group)))]

    return draw


def compose(
    draw: DrawPhoto, recipe: Recipe, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], list[NDArray[np.uint8]]]:
    """A picture of at most ``side_px`` and the masks of ``prompts_per_image`` of its regions, with no mask empty."""
    while True:
        photo = draw(rng)
        height, width = photo.image_rgb.shape[:2]
        matrix, size = augment.crop_matrix((width, height), recipe.side_px, rng)
        image = augment.warp_image(photo.image_rgb, matrix, size)
        chosen = rng.permutation(len(photo.regions))[: 2 * recipe.prompts_per_image].tolist()
        masks = [augment.warp_mask(mask, matrix, size) for mask in photo.masks(chosen)]
        pasted: list[NDArray[np.uint8]] = []
        if rng.random() < recipe.paste_probability:
            image, masks, pasted = _paste(image, masks, draw, rng)
        masks = [mask for mask in pasted + masks if int(mask.sum()) >= MIN_VISIBLE_PX]
        if masks:
            image = augment.spoil(augment.jitter_color(image, rng), rng)
            return image, [masks[i % len(masks)] for i in range(recipe.prompts_per_image)]


def _paste(
    image: NDArray[np.uint8], masks: list[NDArray[np.uint8]], draw: DrawPhoto, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], list[NDArray[np.uint8]], list[NDArray[np.uint8]]]:
    size = (image.shape[1], image.shape[0])
    pasted: list[NDArray[np.uint8]] = []
    other = draw(rng)
    for index in rng.permutation(len(other.regions))[: int(rng.integers(1, 4))].tolist():
        source = other.masks([index])[0]
        if source.mean() > 0.4:
            continue
        x0, y0, x1, y1 = prompts.tight_box(source).tolist()
        matrix = augment.paste_matrix((x0, y0, x1, y1), size, rng)
        mask = augment.warp_mask(source, matrix, size)
        if rng.random() < 0.3:
            other = draw(rng) if len(other.regions) <= 1 else other
        image = augment.blend(image, augment.warp_image(other.image_rgb, matrix, size), mask, rng)
        masks = [below & (1 - mask) for below in masks]
        pasted = [below & (1 - mask) for below in pasted]
        pasted.append(mask)
    return image, masks, pasted


def make_sample(draw: DrawPhoto, recipe: Recipe, rng: np.random.Generator) -> Sample:
    """One picture, padded at the right and bottom as little as the encoder needs, with its masks and first prompts.

    Returns:
        ``image`` ``(H, W, 3)`` uint8, ``valid_size`` (width, height) [px], ``targets`` ``(P, H/4, W/4)`` float32
        (share of each cell inside), ``points`` ``(P, T, 2)`` float32 [px] and ``labels`` ``(P, T)`` int64 as in
        `prompts.first_prompt` or `prompts.carried_prompt`, ``mask_input`` ``(P, H/4, W/4)`` float32 and ``has_mask``
        ``(P,)`` bool.
    """
    composed, masks = compose(draw, recipe, rng)
    height, width = composed.shape[:2]
    rows, columns = (-(-side // _MULTIPLE_PX) * _MULTIPLE_PX for side in (height, width))
    image = np.zeros((rows, columns, 3), np.uint8)
    image[:height, :width] = composed
    targets = np.zeros((len(masks), rows // LOGIT_STRIDE_PX, columns // LOGIT_STRIDE_PX), np.float32)
    worn = np.zeros_like(targets)
    has_mask = rng.random(len(masks)) < (1.0 if recipe.carried else recipe.worn_mask_probability)
    first = []
    for i, mask in enumerate(masks):
        padded = np.zeros((rows, columns), np.uint8)
        padded[:height, :width] = mask
        cells = cv2.resize(padded * np.uint8(255), targets.shape[:0:-1], interpolation=cv2.INTER_AREA)
        targets[i] = cells.astype(np.float32) / 255
        if has_mask[i]:
            worn[i] = prompts.worn_logits(targets[i], rng)
        first.append(
            prompts.carried_prompt(padded, worn[i], rng) if recipe.carried else prompts.first_prompt(mask, rng)
        )
    return {
        "image": image,
        "valid_size": np.array([width, height]),
        "targets": targets,
        "points": np.stack([points for points, _ in first]),
        "labels": np.stack([labels for _, labels in first]),
        "mask_input": worn,
        "has_mask": has_mask,
    }


def samples(draw: DrawPhoto, recipe: Recipe, seed: int) -> Iterator[Sample]:
    """An endless stream of samples; the same seed gives the same stream."""
    rng = np.random.default_rng(seed)
    while True:
        yield make_sample(draw, recipe, rng)
