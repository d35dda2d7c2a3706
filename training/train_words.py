"""Train the heads of the tiny detector: ``python -m training.train_words``; run it again to go on where it stopped.

The backbone is frozen, so its maps of every photograph are computed once and kept.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from streamer.models.tiny.weights import load_words, save_words
from streamer.models.tiny.words import COCO_CLASSES, STRIDE_PX, CocoHeads
from training import loop
from training.named_photos import LABELLED, load_labelled, load_named, load_panoptic
from training.photos import remembered
from training.run import Batch, Part, Training, parser
from training.word_features import NOT_COUNTED, Sample, asked_samples_of, labelled_samples_of, samples_of
from training.word_weights import assembled, inputs_of, pretrained_imagenet_head

FOCUS = 2.0
"""Exponent of the focal loss (Lin et al., 2017)."""
POSITIVE_SHARE = 0.5
RARITY = 0.5
"""Exponent with which the loss of a name grows with its rarity; 1 would make all names count the same."""
SIDES_WEIGHT = 0.5
TRUST_WEIGHT = 0.3
"""Of the IoU that is expected of the sides, within the loss of the sides."""
VIEWS = 2
"""By chance, of each photograph, beside the whole of it."""
MORE_PHOTOS = Path("runs/coco128")
"""Where lightly-ai/coco128_yolo lies, if it is to be used."""
ASKED_PHOTOS = 120
"""That set the thresholds of ImageNet's words."""
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


def sides_loss(sides: Tensor, trust: Tensor, truth: Tensor, names: Tensor) -> Tensor:
    """-log IoU of the boxes (Yu et al., 2016, "UnitBox") at the cells that are named, and how well it is foreseen.

    Cells of large things count less, so that these do not outvote all others by their number.
    """
    found, true = (values.movedim(1, -1)[names >= 0] for values in (sides, truth.float()))  # (N, 4) each
    if len(found) == 0:
        return sides.sum() * 0
    shared = _area(torch.minimum(found, true))
    overlap = (shared / (_area(found) + _area(true) - shared)).clamp(min=1e-4)
    weights = _area(true).clamp(min=STRIDE_PX**2).rsqrt()
    foreseen = functional.binary_cross_entropy_with_logits(trust[names >= 0], overlap.detach())
    return -(overlap.log() * weights / weights.mean()).mean() + TRUST_WEIGHT * foreseen


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
    """The heads for COCO's names on a frozen backbone."""

    evaluate_every_s = 240.0

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.begun = CocoHeads() if arguments.start is None else load_words(arguments.start).coco_heads
        self.share: float = 1.0 if arguments.start is None else arguments.share
        super().__init__(copy.deepcopy(self.begun).train().requires_grad_(True), nn.Module(), arguments)
        named = load_named(arguments.data, held_out=False)
        known = [photo.path.name for photo in (*named, *load_named(arguments.data, held_out=True))]
        photos = [*load_panoptic(MORE_PHOTOS, known), *named[:-VALIDATION_PHOTOS]]
        self.imagenet = pretrained_imagenet_head(named)
        samples = remembered("words-learnt", lambda: samples_of(photos, self.imagenet, VIEWS))
        labelled = remembered(
            "words-labelled", lambda: labelled_samples_of(load_labelled(arguments.labelled), self.imagenet)
        )
        asked = [*photos[:: -(-len(photos) // ASKED_PHOTOS)], *named[-VALIDATION_PHOTOS:]]
        shown = remembered("words-asked", lambda: asked_samples_of(asked, self.imagenet))
        self.shown, self.validation = shown[:-VALIDATION_PHOTOS], shown[-VALIDATION_PHOTOS:]
        self.samples = [view for photo in (*samples, *labelled) for view in photo]
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
        words = assembled(self._blended(), self.imagenet, self.shown, self.validation)
        save_words(words, self.folder / "words_tiny.safetensors")

    def _blended(self) -> nn.Module:
        """The averaged weights, and those that it began with by the rest of their share (Wortsman et al., 2022)."""
        blended = copy.deepcopy(self.average.model)
        for own, first in zip(blended.parameters(), self.begun.parameters(), strict=True):
            own.data.lerp_(first.data.to(own.device), 1 - self.share)
        return blended

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
                    "known": sample.known.numpy(),
                    "names": sample.names.numpy(),
                    "sides": sample.sides.numpy(),
                }
                yield mirrored(maps) if rng.random() < 0.5 else maps

    def _loss(self, batch: Batch) -> Tensor:
        maps = (batch[name].float() for name in ("stride16", "stride32", "known"))
        opinions, sides, trust = self.model(*maps)
        names, weights = batch["names"], self.weights.to(self.device)
        named = name_loss(opinions[0].float(), names, weights) + name_loss(opinions[1].float(), names, weights)
        return named + SIDES_WEIGHT * sides_loss(sides, trust, batch["sides"], names)


@torch.inference_mode()
def measure(heads: nn.Module, samples: list[Sample]) -> tuple[float, float]:
    """Share of pairs whose surest cell is right, and the mean over names of the area under the ROC curve."""
    hits, present, best = [], [], []
    for sample in samples:
        logits = heads(*inputs_of(sample))[0].mean(0)[0].flatten(1)
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
    options = parser(__doc__, run="runs/words", minutes=20, learning_rate=2e-3)
    options.add_argument("--labelled", type=Path, default=LABELLED, help="what training.label_photos wrote")
    options.add_argument("--start", type=Path, help="weights to begin with, in place of none")
    options.add_argument("--share", type=float, default=0.5, help="of what was learnt since those, in what is written")
    WordsTraining(options.parse_args()).run()


if __name__ == "__main__":
    main()
