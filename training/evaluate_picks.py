"""Measure what is followed when nobody says what to follow: ``python -m training.evaluate_picks`` prints one table.

On coco-mini's last 60 photographs, the first frames of nine DAVIS sequences and rendered scenes: the share of the
outlined things that one of five automatic masks finds (IoU 0.5), the mean IoU of the best mask with each of them, how
many masks there are, and how many of them find something or lie on something.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from streamer.evaluation.metrics import iou
from streamer.models.parameters import SegmenterParameters
from streamer.models.protocols import Segmenter
from streamer.models.registry import load_segmenter
from training.named_photos import load_named
from training.photos import DATA_ROOT, read_image
from training.scenes import as_photo, held_out

PICKS = 5
SCENES = 20
LEAST_SHARE = 0.01
"""Of a photograph, that a thing covers which one might want to follow."""

Truth = tuple[NDArray[np.uint8], NDArray[np.bool_]]


def photographs(root: Path) -> Iterator[Truth]:
    """Pixels and ``(N, H, W)`` masks of what covers a hundredth at least, N at least 1."""
    for photo in load_named(root, held_out=True):
        masks = [mask.astype(bool) for mask in map(coco_mask.decode, photo.masks) if mask.mean() >= LEAST_SHARE]
        if masks:
            yield read_image(photo.path), np.stack(masks)


def first_frames(root: Path) -> Iterator[Truth]:
    """The same of DAVIS, one thing each."""
    for folder in sorted((root / "davis/Annotations/480p").iterdir()):
        path = min(folder.glob("*.png"))
        truth = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        yield read_image(root / "davis/JPEGImages/480p" / folder.name / f"{path.stem}.jpg"), truth[None] > 127


def scenes(root: Path) -> Iterator[Truth]:
    """The same of rendered scenes that nothing was trained on."""
    for photo in map(as_photo, held_out(SCENES)):
        masks = photo.masks(list(range(len(photo.regions)))).astype(bool)
        large = masks[masks.mean(axis=(1, 2)) >= LEAST_SHARE]
        if len(large):
            yield photo.image_rgb, large


def line(name: str, pictures: Iterator[Truth], segmenter: Segmenter) -> str:
    """One line of the table."""
    best, right, on_things, counts = [], [], [], []
    for image, truth in pictures:
        masks = [found.mask for found in segmenter.find(segmenter.encode(image), PICKS)]
        overlaps = np.array([[iou(mask, thing) for thing in truth] for mask in masks]).reshape(-1, len(truth))
        best += overlaps.max(axis=0, initial=0).tolist()
        right += (overlaps.max(axis=1) >= 0.5).tolist()
        anything = truth.any(axis=0)
        on_things += [np.count_nonzero(mask & anything) > mask.sum() / 2 for mask in masks]
        counts.append(len(masks))
    cells = (np.mean(np.array(best) >= 0.5), np.mean(best), np.mean(counts), np.mean(right), np.mean(on_things))
    return f"| {name}, {len(best)} things | {' | '.join(f'{cell:.3f}' for cell in cells)} |"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=DATA_ROOT)
    options.add_argument("--threads", type=int, default=2)
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    segmenter = load_segmenter(SegmenterParameters(), "cpu")
    print("| | found | mean IoU of the best mask | masks a picture | of these right | on a thing |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, pictures in (("photographs", photographs), ("DAVIS", first_frames), ("scenes", scenes)):
        print(line(name, pictures(arguments.data), segmenter), flush=True)


if __name__ == "__main__":
    main()
