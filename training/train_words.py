"""Train the head of the tiny detector: ``python -m training.train_words``; run it again to go on where it stopped.

The backbone is frozen, so its maps of every photograph are computed once and kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from streamer.models.tiny.weights import save_words
from streamer.models.tiny.words import COCO_CLASSES, CocoHead
from training import loop
from training.named_photos import load_named
from training.photos import remembered
from training.run import Batch, Part, Training, parser
from training.word_features import NOT_COUNTED, Sample, samples_of
from training.word_weights import assembled

FOCUS = 2.0
"""Exponent of the focal loss (Lin et al., 2017)."""
POSITIVE_SHARE = 0.5
RARITY = 0.5
"""Exponent with which the loss of a name grows with its rarity; 1 would make all names count the same."""
SIDES_WEIGHT = 0.3
VALIDATION_PHOTOS = 48
"""The last ones of those that train: they choose the thresholds, and none of the 60 that are held out does."""


def name_loss(logits: Tensor, names: Tensor, weights: Tensor) -> Tensor:
    """Focal loss of ``(B, 80, h, w)`` logits for ``(B, h, w)`` names, per named cell; ``weights`` is ``(80,)``."""
    targets = functional.one_hot(names.clamp(min=0).long(), COCO_CLASSES).movedim(-1, 1).float()
    targets = targets * (names >= 0)[:, None]
    losses = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    right = torch.exp(-losses)
    share = targets * POSITIVE_SHARE + (1 - targets) * (1 - POSITIVE_SHARE)
    counted = (names != NOT_COUNTED)[:, None] * weights[:, None, None]
    return (counted * share * (1 - right) ** FOCUS * losses).sum() / (names >= 0).sum().clamp(min=1)


def sides_loss(sides: Tensor, truth: Tensor, names: Tensor) -> Tensor:
    """-log IoU of the boxes (Yu et al., 2016, "UnitBox") at the cells that are named."""
    found, true = (values.movedim(1, -1)[names >= 0] for values in (sides, truth.float()))  # (N, 4) each
    if len(found) == 0:
        return sides.sum() * 0
    shared = _area(torch.minimum(found, true))
    return -(shared / (_area(found) + _area(true) - shared)).clamp(min=1e-4).log().mean()


def _area(sides: Tensor) -> Tensor:
    """``(N,)`` of ``(N, 4)`` distances from a point to the sides."""
    return (sides[:, 0] + sides[:, 2]) * (sides[:, 1] + sides[:, 3])


def mirrored(maps: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The maps from right to left: not quite those of the mirror image, which is as good as another photograph."""
    turned = {name: np.ascontiguousarray(values[..., ::-1]) for name, values in maps.items()}
    turned["sides"] = turned["sides"][[2, 1, 0, 3]]
    return turned


def rarity_weights(samples: list[Sample]) -> Tensor:
    """``(80,)``, 1 on average over the named cells."""
    named = torch.cat([sample.names[sample.names >= 0] for sample in samples]).long()
    counts = torch.bincount(named, minlength=COCO_CLASSES).float().clamp(min=50)
    weights = (counts.mean() / counts) ** RARITY
    return weights * counts.sum() / (weights * counts).sum()


class WordsTraining(Training):
    """The head for COCO's names on a frozen backbone."""

    evaluate_every_s = 240.0

    def __init__(self, arguments: argparse.Namespace) -> None:
        super().__init__(CocoHead().train(), nn.Module(), arguments)
        photos = load_named(arguments.data, held_out=False)
        samples = remembered("words-train", lambda: samples_of(photos))
        self.samples, self.validation = samples[:-VALIDATION_PHOTOS], samples[-VALIDATION_PHOTOS:]
        self.weights = rarity_weights(self.samples)

    def parts(self) -> list[Part]:
        """One."""
        return [Part("words", 1.0, self._begin, self._loss)]

    def measure(self) -> str:
        """Share of (photograph, name) pairs whose surest cell shows it, and how often a name is told from its lack."""
        hits, ranks = measure(self.average.model, self.validation)
        return f"surest cell right {hits:.3f}, present above absent {ranks:.3f}"

    def export(self) -> None:
        """``words_tiny.safetensors``."""
        save_words(assembled(self.average.model, self.samples, self.validation), self.folder / "words_tiny.safetensors")

    def _begin(self) -> Iterator[Batch]:
        return loop.batches(self._stream(), batch_size=8)

    def _stream(self) -> Iterator[dict[str, NDArray[Any]]]:
        rng = np.random.default_rng(self.seed + self.step)
        while True:
            for at in rng.permutation(len(self.samples)):
                sample = self.samples[at]
                maps = {
                    "stride16": sample.stride16.numpy(),
                    "stride32": sample.stride32.numpy(),
                    "names": sample.names.numpy(),
                    "sides": sample.sides.numpy(),
                }
                yield mirrored(maps) if rng.random() < 0.5 else maps

    def _loss(self, batch: Batch) -> Tensor:
        logits, sides = self.model(batch["stride16"].float(), batch["stride32"].float())
        names = batch["names"]
        return name_loss(logits.float(), names, self.weights.to(names.device)) + SIDES_WEIGHT * sides_loss(
            sides, batch["sides"], names
        )


@torch.inference_mode()
def measure(head: nn.Module, samples: list[Sample]) -> tuple[float, float]:
    """Share of pairs whose surest cell is right, and the mean over names of the area under the ROC curve."""
    hits, present, best = [], [], []
    for sample in samples:
        logits = head(sample.stride16[None].float(), sample.stride32[None].float())[0][0].flatten(1)
        names = sample.names.flatten()
        best.append(logits.amax(1))
        present.append(torch.bincount(names[names >= 0].long(), minlength=COCO_CLASSES) > 0)
        hits += [float(names[logits[name].argmax()] == name) for name in present[-1].nonzero()[:, 0].tolist()]
    levels, there = torch.stack(best), torch.stack(present)
    areas = [
        float((levels[there[:, name], name][:, None] > levels[~there[:, name], name]).float().mean())
        for name in range(COCO_CLASSES)
        if there[:, name].any()
    ]
    return float(np.mean(hits)), float(np.mean(areas))


def main() -> None:
    options = parser(__doc__, run="runs/words", minutes=30, learning_rate=2e-3)
    WordsTraining(options.parse_args()).run()


if __name__ == "__main__":
    main()
