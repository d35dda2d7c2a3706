"""Photographs with cut-out objects beyond coco-mini and BSDS500, from folders of images and masks; none is needed.

``runs/photos`` (or ``--photos``) may hold any of these, as they lie in public git repositories; each one that is
missing is left out. Origins and licences: `streamer/models/tiny/MODEL_CARD.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.photos import Photo, encode_mask, load_bsds, load_coco, read_image, remembered
from training.samples import DrawPhoto, mixture

LONGEST_PX = 512
MIN_SHARE = 0.004
HASH_SIDE = 8
NEAR_DUPLICATE_BITS = 6

# Folder of the images, of the masks, and what turns the name of an image into that of its mask.
Layout = tuple[str, str, Callable[[str], str]]
_DUTS = "Training-Datasets/DUTS-train"
LAYOUTS: dict[str, Layout] = {
    "ecssd": ("images", "ground_truth_mask", lambda stem: stem),
    "duts": (f"{_DUTS}/img/part_000", f"{_DUTS}/gt/part_000", lambda stem: stem),
    "pennfudan": ("data/PennFudanPed/PNGImages", "data/PennFudanPed/PedMasks", lambda stem: f"{stem}_mask"),
}


def load_folder(folder: Path, layout: Layout) -> list[Photo]:
    """Photographs of at most 512 px; a mask's values are its objects where there are a few, else it is one object."""
    images, masks, mask_name = layout
    photos = []
    for path in sorted((folder / images).glob("[!.]*")):
        labels = cv2.imread(str(folder / masks / f"{mask_name(path.stem)}.png"), cv2.IMREAD_GRAYSCALE)
        if labels is None:
            continue
        image = read_image(path)
        height, width = image.shape[:2]
        scale = min(1.0, LONGEST_PX / max(width, height))
        size = round(width * scale), round(height * scale)
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
        regions = [mask for mask in _objects(labels) if mask.mean() > MIN_SHARE]
        if regions:
            photos.append(Photo(path.stem, image, [encode_mask(mask) for mask in regions]))
    return photos


def _objects(labels: NDArray[np.uint8]) -> list[NDArray[np.bool_]]:
    """One mask for each value of an instance map (1, 2, 3 ...), or the bright part of a gray one."""
    if labels.max() < 32:
        return [labels == value for value in np.unique(labels) if value]
    return [labels > 127]


def without_duplicates(photos: list[Photo], of: list[Photo]) -> list[Photo]:
    """Those that look like none of the others, by a difference hash: data sets share photographs."""
    known = np.stack([_difference_hash(photo.image_rgb) for photo in of])
    return [p for p in photos if (known ^ _difference_hash(p.image_rgb)).sum(1).min() > NEAR_DUPLICATE_BITS]


def _difference_hash(image_rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    gray = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(gray, (HASH_SIDE + 1, HASH_SIDE), interpolation=cv2.INTER_AREA)
    return (small[:, 1:] > small[:, :-1]).ravel()


def memory_photos(data: Path, extra: Path) -> DrawPhoto:
    """Photographs with objects most of the time, with all regions outlined a fifth of the time."""
    coco = remembered("coco-train", lambda: load_coco(data, held_out=False))
    bsds = remembered("bsds-train", lambda: load_bsds(data, ("train", "val")))
    groups: list[tuple[float, list[Photo]]] = [(0.35, coco), (0.2, bsds)]
    found = {name: layout for name, layout in LAYOUTS.items() if (extra / name).is_dir()}
    for name, layout in found.items():
        photos = remembered(f"{name}-train", partial(_clean, data, extra / name, layout))
        groups.append((0.45 * len(photos) / 2000, photos))
    return mixture(groups)


def _clean(data: Path, folder: Path, layout: Layout) -> list[Photo]:
    """Without what BSDS500's test set or the held-out photographs of coco-mini show."""
    measured = load_bsds(data, ("test",)) + load_coco(data, held_out=True)
    return without_duplicates(load_folder(folder, layout), measured)
