"""Train what mends carried masks on every frame, on its own answers.

Videos with true masks, rendered scenes (half of them crowds of twins) and photographs that move are prepared once with
the program's own motion. Then many objects are followed at once, each from a mask that is right or nearly so, and
every answer is the start of the next frame's.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.models.protocols import REFINER_SIDE_PX
from streamer.models.tiny.refiner import RefinerNetwork
from streamer.models.tiny.weights import save_halved
from streamer.tracking.parameters import SETTLE_AFTER
from streamer.tracking.soft_masks import INSIDE
from training.memory_photos import memory_photos
from training.memory_videos import davis_train
from training.photos import remembered
from training.refiner_films import Film, of_photos, of_scene, of_video
from training.refiner_tracks import MIN_AREA_PX, Sample, Track, Walk
from training.run import Batch, Part, Training, parser
from training.scenes import FIRST_HELD_OUT_SEED, FIRST_TRAINING_SEED

PHOTO_CLIPS, PHOTO_FRAMES = 150, 24
SCENES, HELD_OUT_SCENES, SCENE_FRAMES, OBJECTS = 50, 6, 60, 6
SHARES = (0.45, 0.3, 0.25)
TRACKS = 24
AGES = (1, 3, 5, 8, 12)
WORTH_WEIGHT = 0.2


def videos(data: Path, held_out: bool) -> list[Film]:
    """The training sequences of DAVIS: those that are held out as they are, the others backwards and faster as well."""
    films = []
    for video in davis_train(data, held_out):
        length = len(video.images)
        orders = [range(length)] if held_out else [range(length), range(length - 1, -1, -2), range(0, length, 3)]
        films += [film for order in orders for film in of_video(video, order)]
    return films


def scenes(first_seed: int, count: int) -> list[Film]:
    """Half of them of twins."""
    return [
        film
        for number in range(count)
        for film in of_scene(first_seed + number, SCENE_FRAMES, OBJECTS, twins=number % 2 == 1)
    ]


def photographs(data: Path, extra: Path) -> list[Film]:
    """Photographs that move, see :func:`of_photos`."""
    draw, rng = memory_photos(data, extra), np.random.default_rng(0)
    return [film for _ in range(PHOTO_CLIPS) for film in of_photos(draw, PHOTO_FRAMES, rng)]


def refiner_loss(logits: Tensor, worth: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy and Dice of ``(N, S, S)``, and cross-entropy of the IoU that is foretold, ``(N,)``."""
    inside, true = logits.detach() > 0, truth > 0.5
    iou = (inside & true).sum((1, 2)) / (inside | true).sum((1, 2)).clamp(min=1)
    foretold = functional.binary_cross_entropy_with_logits(worth, iou.float())
    said = logits.sigmoid()
    dice = 1 - (2 * (said * truth).sum((1, 2)) + 1) / (said.sum((1, 2)) + truth.sum((1, 2)) + 1)
    return functional.binary_cross_entropy_with_logits(logits, truth) + dice.mean() + WORTH_WEIGHT * foretold


def stacked(samples: list[Sample]) -> Batch:
    """``planes`` ``(N, 11, S, S)`` from -1 to 1, ``truth`` ``(N, S, S)`` from 0 to 1."""
    planes = torch.from_numpy(np.stack([one.planes for one in samples])).permute(0, 3, 1, 2)
    truth = torch.from_numpy(np.stack([one.truth for one in samples]))
    return {"planes": planes.float() / 127.5 - 1, "truth": truth.float() / 255}


class RefinerTraining(Training):
    """The small network that answers on every frame."""

    evaluate_every_s = 300.0

    def __init__(self, arguments: argparse.Namespace) -> None:
        super().__init__(RefinerNetwork().train(), nn.Module(), arguments)
        pools = (
            remembered("refiner-videos", lambda: videos(arguments.data, held_out=False)),
            remembered("refiner-photos", lambda: photographs(arguments.data, arguments.photos)),
            remembered("refiner-scenes", lambda: scenes(FIRST_TRAINING_SEED, SCENES)),
        )
        self.held_out = {
            "videos": [
                p for video in davis_train(arguments.data, True) for p in of_video(video, range(len(video.images)))
            ],
            "scenes": remembered("refiner-held", lambda: scenes(FIRST_HELD_OUT_SEED, 6)),
        }
        rng = np.random.default_rng(self.seed + self.step)
        self.tracks = [Track(pools, SHARES, REFINER_SIDE_PX, rng) for _ in range(TRACKS)]

    def parts(self) -> list[Part]:
        """One."""
        return [Part("refiner", 1.0, self._batches, self._loss)]

    def measure(self) -> str:
        """Mean IoU by the frames since the last look, beside what flow alone carries."""
        return "; ".join(
            f"{name} {measured(self.average.model, each, REFINER_SIDE_PX)}" for name, each in self.held_out.items()
        )

    def export(self) -> None:
        """``refiner_tiny.safetensors``."""
        save_halved(self.average.model, self.folder / "refiner_tiny.safetensors")

    def _batches(self) -> Iterator[Batch]:
        while True:
            yield stacked([track.sample() for track in self.tracks])

    def _loss(self, batch: Batch) -> Tensor:
        mirrored = torch.arange(len(batch["planes"])) % 2 == 1
        planes, truth = (flipped(batch[name], mirrored) for name in ("planes", "truth"))
        logits, worth = (answer.float() for answer in self.model(planes))
        for track, answer in zip(self.tracks, as_masks(flipped(logits.detach(), mirrored)), strict=True):
            track.take(answer)
        return refiner_loss(logits, worth, truth)


def flipped(values: Tensor, which: Tensor) -> Tensor:
    """Those of ``(N, ..., W)`` from right to left."""
    return torch.where(which.view(-1, *[1] * (values.dim() - 1)), values.flip(-1), values)


def as_masks(logits: Tensor) -> np.ndarray:
    """uint8."""
    return (logits.sigmoid() * 255).round().to(torch.uint8).numpy()


@torch.no_grad()
def measured(model: nn.Module, films: list[Film], side_px: int) -> str:
    """From the true masks of every sixth frame on, frame by frame: mean IoU, and in brackets of the flow alone."""
    found: dict[int, list[tuple[float, float]]] = {age: [] for age in AGES}
    for film in films:
        for start in range(0, len(film.halves) - AGES[-1] - 1, 6):
            for age, ious in _followed(model, film, start, side_px):
                if age in found:
                    found[age].append(ious)
    means = {age: np.mean(each, axis=0) for age, each in found.items()}
    return " ".join(f"{age}: {refined:.3f} ({flow:.3f})" for age, (flow, refined) in means.items())


def _followed(model: nn.Module, film: Film, start: int, side_px: int) -> Iterator[tuple[int, tuple[float, float]]]:
    truths = {number: film.truth(start, number) for number in film.objects}
    walks = [
        Walk(film, number, start, truth, side_px, settle_after=SETTLE_AFTER)
        for number, truth in truths.items()
        if np.count_nonzero(truth > INSIDE) > 2 * MIN_AREA_PX
    ]
    for age in range(1, AGES[-1] + 1):
        asked = [(walk, sample) for walk in walks if (sample := walk.advance()) is not None]
        walks = [walk for walk, _ in asked]
        if not asked:
            return
        logits = model(stacked([sample for _, sample in asked])["planes"])[0].float()
        for walk, answer in zip(walks, as_masks(logits), strict=True):
            walk.take(answer)
            yield age, walk.ious()


def main() -> None:
    options = parser(__doc__, run="runs/refiner", minutes=60, learning_rate=2e-3)
    options.add_argument("--photos", type=Path, default=Path("runs/photos"))
    RefinerTraining(options.parse_args()).run()


if __name__ == "__main__":
    main()
