"""Fit what tells things from the rest: ``python -m training.train_things``; a minute, so that it is never interrupted.

One layer on the frozen embedding of the tiny SAM (logistic regression, all data at once), taught which share of each
cell the things of coco-mini's 478 photographs cover. The last 48 of them only measure.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from torch import Tensor
from torch.nn import functional

from streamer.models.parameters import SegmenterParameters
from streamer.models.protocols import Segmenter
from streamer.models.registry import load_segmenter
from streamer.models.tiny.things import ThingHead
from streamer.models.tiny.weights import save_halved
from training.named_photos import NamedPhoto, load_named
from training.photos import DATA_ROOT, read_image, remembered

VALIDATION_PHOTOS = 48
CELLS = 90_000
"""That teach, drawn by chance."""
STEPS = 60
DECAY = 1e-4


def cells_of(photo: NamedPhoto, segmenter: Segmenter) -> tuple[NDArray[np.float16], NDArray[np.float32]]:
    """``(N, 128)`` features of the cells of a photograph, and ``(N,)`` which share of each a thing covers."""
    image = read_image(photo.path)
    features = segmenter.features(segmenter.encode(image))
    things = np.zeros(image.shape[:2], np.float32)
    for mask in (*photo.masks, *(crowd for _, crowd in photo.crowds)):
        things = np.maximum(things, coco_mask.decode(mask))
    covered = cv2.resize(things, features.shape[1::-1], interpolation=cv2.INTER_AREA)
    return features.reshape(-1, features.shape[2]).astype(np.float16), covered.ravel()


def fit(head: ThingHead, features: Tensor, covered: Tensor) -> float:
    """Fit it to ``(N, 128)`` features and ``(N,)`` shares; the loss in the end."""
    mean, spread = features.mean(0), features.std(0) + 1e-4
    features = (features - mean) / spread  # else the steps would be of as many sizes as there are channels
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=STEPS)

    def loss() -> Tensor:
        optimizer.zero_grad()
        wrong = functional.binary_cross_entropy_with_logits(head(features)[:, 0], covered)
        total = wrong + DECAY * head.weight.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    with torch.no_grad():
        last = functional.binary_cross_entropy_with_logits(head(features)[:, 0], covered)
        head.weight.div_(spread)
        head.bias.sub_(head.weight[0] @ mean)
    return float(last)


def told_apart(head: ThingHead, features: Tensor, covered: Tensor) -> float:
    """Area under the ROC curve between cells that are mostly covered by things and those that are hardly."""
    with torch.no_grad():
        logits = head(features)[:, 0]
    ranks = torch.empty(len(logits))
    kept = (covered > 0.5) | (covered < 0.1)
    is_thing, order = covered[kept] > 0.5, logits[kept].argsort()
    ranks = ranks[: len(order)].index_copy(0, order, torch.arange(1.0, len(order) + 1))
    count = int(is_thing.sum())
    return float((ranks[is_thing].double().sum() - count * (count + 1) / 2) / (count * (len(order) - count)))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=DATA_ROOT)
    options.add_argument("--run", type=Path, default=Path("runs/things"), help="folder of the weights")
    options.add_argument("--seed", type=int, default=0)
    arguments = options.parse_args()
    torch.manual_seed(arguments.seed)
    photos, segmenter = load_named(arguments.data, held_out=False), load_segmenter(SegmenterParameters(), "cpu")
    cells = remembered("things", lambda: [cells_of(photo, segmenter) for photo in photos])
    taught, kept = (
        [torch.from_numpy(np.concatenate(part)).float() for part in zip(*some, strict=True)]
        for some in (cells[:-VALIDATION_PHOTOS], cells[-VALIDATION_PHOTOS:])
    )
    some = torch.randperm(len(taught[0]))[:CELLS]
    head = ThingHead()
    loss = fit(head, taught[0][some], taught[1][some])
    print(f"loss {loss:.4f}; things told apart on {VALIDATION_PHOTOS} photographs: {told_apart(head, *kept):.3f}")
    save_halved(head, arguments.run / "things_tiny.safetensors")


if __name__ == "__main__":
    main()
