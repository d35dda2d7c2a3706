"""Measure text prompts with the bundled models: ``python -m training.evaluate_words`` prints one table.

On coco-mini's last 60 photographs, which nothing was trained on, every pair of a photograph and a name that is in it:
the IoU of the union of what was found with the union of the truth, and whether the best of what was found has an IoU of
a half with some instance. Of 200 pairs of a photograph and a name that is not in it: how often nothing was found.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools import mask as coco_mask

from streamer.evaluation.metrics import iou
from streamer.models.detectors.words import WordsDetector
from streamer.models.parameters import SegmenterParameters
from streamer.models.protocols import Segmenter
from streamer.models.registry import load_segmenter
from streamer.models.tiny.weights import WORDS_WEIGHTS, load_words
from streamer.models.tiny.words import COCO_CLASSES
from training.named_photos import NamedPhoto, coco_names, load_named
from training.photos import DATA_ROOT, read_image

ABSENT_PAIRS = 200
AUTOMATIC_MASKS = 40
"""Of one photograph, for the baselines."""

Masks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pair:
    """How one way of finding did on one photograph and name.

    Attributes:
        union: IoU of all that was found with all that is there.
        best: Highest IoU of anything found with any instance.
        size: Share of the photograph that the largest instance covers.
    """

    union: float
    best: float
    size: float


def compare(found: Masks, truth: Masks) -> Pair:
    """Compare ``(N, H, W)`` masks with the ``(M, H, W)`` true ones, M at least 1."""
    size = float(truth.mean(axis=(1, 2)).max())
    if len(found) == 0:
        return Pair(0.0, 0.0, size)
    best = max(iou(one, other) for one in found for other in truth)
    return Pair(iou(np.any(found, axis=0), np.any(truth, axis=0)), best, size)


def row(name: str, pairs: Sequence[Pair]) -> str:
    """One line of the table, all pairs and those with an instance of at least a hundredth of the photograph."""
    large = [pair for pair in pairs if pair.size >= 0.01]
    cells = [
        f"{np.mean([pair.union for pair in some]):.3f} | {np.mean([pair.best >= 0.5 for pair in some]):.3f}"
        for some in (pairs, large)
    ]
    return f"| {name} | {' | '.join(cells)} |"


class Finder:
    """What the detector finds, each handed to the segmenter as the program does.

    Args:
        detector, segmenter: The bundled ones.
    """

    def __init__(self, detector: WordsDetector, segmenter: Segmenter) -> None:
        self._detector, self._segmenter = detector, segmenter

    def find(self, image_rgb: NDArray[np.uint8], names: Sequence[str]) -> dict[str, Masks]:
        """``(N, H, W)`` masks of each name."""
        embedding = self._segmenter.encode(image_rgb)
        detections = self._detector.detect(image_rgb, names)
        prompts = [detection.prompt() for detection in detections]
        logits, _ = self._segmenter.decode(embedding, prompts).best()
        masks = self._segmenter.upscale(logits, embedding.image_size) > 0 if prompts else np.empty((0, 1, 1), bool)
        return {
            name: masks[[place for place, detection in enumerate(detections) if detection.label == name]]
            for name in names
        }

    def automatic(self, image_rgb: NDArray[np.uint8]) -> Masks:
        """``(N, H, W)`` masks of whatever there is."""
        found = self._segmenter.find(self._segmenter.encode(image_rgb), AUTOMATIC_MASKS)
        return np.stack([one.mask for one in found]) if found else np.empty((0, *image_rgb.shape[:2]), bool)


def absent_pairs(photos: Sequence[NamedPhoto], rng: np.random.Generator) -> list[tuple[int, int]]:
    """Places of photographs, and of names that are not in them, drawn by chance."""
    all_of = [
        (at, name)
        for at, photo in enumerate(photos)
        for name in range(COCO_CLASSES)
        if name not in photo.names and name not in [crowd for crowd, _ in photo.crowds]
    ]
    return [all_of[place] for place in rng.choice(len(all_of), min(ABSENT_PAIRS, len(all_of)), replace=False)]


def measure(finder: Finder, photos: Sequence[NamedPhoto], names: Sequence[str], seed: int) -> Iterator[str]:
    """The lines of the table."""
    rng = np.random.default_rng(seed)
    absent = absent_pairs(photos, rng)
    ways: dict[str, list[Pair]] = {"the bundled words": [], "largest automatic mask": [], "random automatic mask": []}
    silent = []
    for at, photo in enumerate(photos):
        image = read_image(photo.path)
        present, not_there = sorted(set(photo.names)), [name for other, name in absent if other == at]
        found = finder.find(image, [names[name] for name in (*present, *not_there)])
        silent += [len(found[names[name]]) == 0 for name in not_there]
        automatic = finder.automatic(image) if present else np.empty((0, *image.shape[:2]), bool)
        largest = automatic[np.argsort(automatic.sum(axis=(1, 2)))[-1:]]
        for name in present:
            truth = [mask for other, mask in zip(photo.names, photo.masks, strict=True) if other == name]
            true = coco_mask.decode(truth).transpose(2, 0, 1).astype(bool)
            ways["the bundled words"].append(compare(found[names[name]], true))
            ways["largest automatic mask"].append(compare(largest, true))
            ways["random automatic mask"].append(compare(automatic[rng.permutation(len(automatic))[:1]], true))
    yield "| | all pairs: union IoU | best IoU >= 0.5 | largest >= 1 %: union IoU | best IoU >= 0.5 |"
    yield "| --- | --- | --- | --- | --- |"
    yield from (row(way, pairs) for way, pairs in ways.items())
    there = len(ways["the bundled words"])
    yield f"{there} pairs; nothing found in {np.mean(silent):.3f} of {len(silent)} pairs that are not there"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=DATA_ROOT)
    options.add_argument("--words", type=Path, default=WORDS_WEIGHTS, help="other weights of the tiny detector")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--threads", type=int, default=2)
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    detector = WordsDetector(load_words(arguments.words), torch.device("cpu"))
    finder = Finder(detector, load_segmenter(SegmenterParameters(), "cpu"))
    photos = load_named(arguments.data, held_out=True)
    for line in measure(finder, photos, coco_names(arguments.data), arguments.seed):
        print(line, flush=True)


if __name__ == "__main__":
    main()
