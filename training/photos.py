"""Photographs with the outlines of their regions, held in memory."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import scipy.io
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from training.named_photos import load_named

DATA_ROOT = Path("../shared/data")
CACHE = Path("runs/cache")
MIN_REGION_FRACTION = 0.002

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture and what people outlined in it.

    Attributes:
        name: File name without its ending.
        image_rgb: ``(H, W, 3)`` uint8.
        regions: COCO run-length encodings (``size`` and ``counts``), one per region; they may overlap.
    """

    name: str
    image_rgb: NDArray[np.uint8]
    regions: list[dict[str, Any]]

    def masks(self, indices: list[int]) -> NDArray[np.uint8]:
        """``(N, H, W)`` uint8 masks, 0 or 1, of the regions with those indices."""
        decoded = coco_mask.decode([self.regions[i] for i in indices])
        return np.ascontiguousarray(decoded.transpose(2, 0, 1))


def read_image(path: Path) -> NDArray[np.uint8]:
    """``(H, W, 3)`` uint8 RGB.

    Raises:
        FileNotFoundError: There is no picture under ``path``.
    """
    image_bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image_bgr is None:
        raise FileNotFoundError(f"{path} is no picture: give the data's folder with --data.")
    return cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB).astype(np.uint8)


def encode_mask(mask: NDArray[Any]) -> dict[str, Any]:
    """A ``(H, W)`` mask as a COCO run-length encoding."""
    return coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))


def remembered(name: str, make: Callable[[], list[Made]]) -> list[Made]:
    """What ``make`` makes, kept in a file of that name because making it takes a minute."""
    path = CACHE / f"{name}.pickle"
    if path.exists():
        with path.open("rb") as file:
            return pickle.load(file)
    made = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}")
    with partial.open("wb") as file:
        pickle.dump(made, file, protocol=5)
    partial.replace(path)
    return made


def load_bsds(root: Path, splits: tuple[str, ...], limit: int | None = None) -> list[Photo]:
    """BSDS500 photographs with the regions of all their annotators."""
    photos = []
    for split in splits:
        for path in sorted((root / "bsds500/images" / split).glob("*.jpg"))[:limit]:
            outlines = scipy.io.loadmat(root / "bsds500/groundTruth" / split / f"{path.stem}.mat")["groundTruth"]
            regions = [
                encode_mask(labels == label)
                for labels in (outlines[0, k]["Segmentation"][0, 0] for k in range(outlines.shape[1]))
                for label, area in zip(*np.unique(labels, return_counts=True), strict=True)
                if area >= MIN_REGION_FRACTION * labels.size
            ]
            photos.append(Photo(path.stem, read_image(path), regions))
    return photos


def load_coco(root: Path, held_out: bool) -> list[Photo]:
    """COCO photographs with their instances: the last 60 by image id, or all but those."""
    photos = []
    for named in load_named(root, held_out):
        regions = [
            region
            for region in named.masks
            if coco_mask.area(region) >= MIN_REGION_FRACTION * region["size"][0] * region["size"][1]
        ]
        if regions:
            photos.append(Photo(named.path.stem, read_image(named.path), regions))
    return photos
