"""What the frozen ImageNet backbone makes of COCO photographs, and what there is to be learnt at each of its cells."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from torch import Tensor, nn

from streamer.models.detectors.words import to_pixels
from streamer.models.tiny.backbone import fold_batch_norms
from streamer.models.tiny.words import SIDE_PX, STRIDE_PX, ImageNetHead, build_word_backbone
from training.named_photos import NamedPhoto
from training.photos import read_image
from training.pretrained import load_pretrained
from training.word_views import View, view_of

NOT_NAMED, NOT_COUNTED = -1, -2
"""What stands in place of a name: nothing that has one, and what is neither right nor wrong."""
MIN_COVERED = 0.25
"""Share of a cell that a thing must cover to be what the cell shows."""
LEARNT_SIDE_PX = 640
"""Long side of a whole photograph; of those that set thresholds it is `SIDE_PX`, as the program asks."""
VIEW_SIDE_PX = 448
"""Long side of a view by chance: as a part of the photograph it shows things as large as the whole does."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Features of one view of a photograph, and its truth at each cell of stride 16.

    Attributes:
        stride16, stride32, known: ``(112, h, w)``, ``(320, h/2, w/2)`` and ``(96, h/2, w/2)`` float16.
        names: ``(h, w)`` int16 place of the name of what a cell shows, `NOT_NAMED` or `NOT_COUNTED`; both are below 0.
        sides: ``(4, h, w)`` float16 distances to the sides of its box [px of the input].
    """

    stride16: Tensor
    stride32: Tensor
    known: Tensor
    names: Tensor
    sides: Tensor


def frozen_backbone() -> nn.Module:
    """ImageNet's backbone with maps of strides 16 and 32, in evaluation mode."""
    features = build_word_backbone()
    load_pretrained(features)
    fold_batch_norms(features)
    return features.eval().requires_grad_(False)


def samples_of(photos: list[NamedPhoto], head: ImageNetHead, views: int) -> list[list[Sample]]:
    """What there is to be learnt from each photograph: first as it is, then so many views of it."""
    backbone = frozen_backbone()
    return [_samples(backbone, head, photo, views, np.random.default_rng(at)) for at, photo in enumerate(photos)]


def asked_samples_of(photos: list[NamedPhoto], head: ImageNetHead) -> list[Sample]:
    """The same of photographs as the program shows them to the network."""
    backbone = frozen_backbone()
    return [_sample(backbone, head, photo.names, _whole(photo), SIDE_PX) for photo in photos]


def labelled_samples_of(photos: list[NamedPhoto], head: ImageNetHead) -> list[list[Sample]]:
    """The same of photographs that a teacher labelled, one of each: by turns as it is, and one view of it."""
    backbone = frozen_backbone()
    samples = []
    for at, photo in enumerate(photos):
        view, side_px = _whole(photo), LEARNT_SIDE_PX
        if at % 2:
            view, side_px = _by_chance(view, np.random.default_rng(at)), VIEW_SIDE_PX
        samples.append([_sample(backbone, head, photo.names, view, side_px)])
    return samples


def _samples(
    backbone: nn.Module, head: ImageNetHead, photo: NamedPhoto, views: int, rng: np.random.Generator
) -> list[Sample]:
    whole = _whole(photo)
    chance = [_by_chance(whole, rng) for _ in range(views)]
    return [
        _sample(backbone, head, photo.names, whole, LEARNT_SIDE_PX),
        *(_sample(backbone, head, photo.names, view, VIEW_SIDE_PX) for view in chance),
    ]


def _whole(photo: NamedPhoto) -> View:
    image = read_image(photo.path)
    masks = np.stack([coco_mask.decode(mask) for mask in photo.masks]) if photo.masks else _none(image)
    crowds = np.any([coco_mask.decode(mask) for _, mask in photo.crowds] or _none(image), axis=0).astype(np.uint8)
    return View(image, masks, crowds)


def _by_chance(whole: View, rng: np.random.Generator) -> View:
    return view_of(whole.image_rgb, whole.masks, whole.uncounted, rng)


def _none(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.zeros((0, *image.shape[:2]), np.uint8)


@torch.inference_mode()
def _sample(backbone: nn.Module, head: ImageNetHead, names: list[int], view: View, side_px: int) -> Sample:
    pixels, scale = to_pixels(view.image_rgb, side_px)
    stride16, stride32 = backbone(pixels.contiguous(memory_format=torch.channels_last))
    crowds = [view.uncounted] if view.uncounted.any() else []
    shown, sides = _truth(names, list(view.masks), crowds, scale, stride16.shape[-2:])
    return Sample(
        stride16[0].half(),
        stride32[0].half(),
        head.known(stride32)[0].half(),
        torch.from_numpy(shown),
        torch.from_numpy(sides),
    )


def _truth(
    places: list[int], masks: list[NDArray], crowds: list[NDArray], scale: float, shape: tuple[int, int]
) -> tuple[NDArray[np.int16], NDArray[np.float16]]:
    names = np.full(shape, NOT_NAMED, np.int16)
    sides = np.ones((4, *shape), np.float16)
    for mask in crowds:
        names[_covered(mask, scale, shape) >= MIN_COVERED] = NOT_COUNTED
    middles_y, middles_x = ((np.indices(shape) + 0.5) * STRIDE_PX).astype(np.float32)
    for at in np.argsort([-int(mask.sum()) for mask in masks]):  # the smallest last: it is in front, or part of it
        rows, columns = (np.flatnonzero(masks[at].any(axis=axis)) for axis in (1, 0))
        if len(rows) == 0:
            continue
        share = _covered(masks[at], scale, shape)
        chosen = share >= min(MIN_COVERED, float(share.max()))
        names[chosen] = places[at]
        x0, y0, x1, y1 = (scale * edge for edge in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
        distances = np.stack([middles_x - x0, middles_y - y0, x1 - middles_x, y1 - middles_y])
        sides[:, chosen] = np.maximum(distances, 1.0)[:, chosen]
    return names, sides


def _covered(mask: NDArray, scale: float, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Share of each cell of stride 16 that a mask of the file's size covers."""
    height, width = mask.shape
    size = round(width * scale), round(height * scale)
    padded = np.zeros((shape[0] * STRIDE_PX, shape[1] * STRIDE_PX), np.float32)
    padded[: size[1], : size[0]] = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return cv2.resize(padded, shape[::-1], interpolation=cv2.INTER_AREA)
