"""Train the memory: ``python -m training.train_memory --minutes 100``; run it again to go on where it stopped.

The bundled encoder stays as it is. Warped photographs and rendered scenes come first, then real video as well, with a
gap between the frames that grows to 30, and with memories of what was answered rather than of the truth. The last stage
is of crowds: four objects in each clip, in half of the scenes twins that cross. ``--weights`` goes on from finished
weights, with that stage alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from streamer.models.tiny.memory import MemoryNetwork
from streamer.models.tiny.weights import SAM_WEIGHTS, load_memory, load_sam, save_halved
from training import loop
from training.memory_clips import Clip, DrawClip, Recipe, photo_clip
from training.memory_following import VARIANTS, mean_iou, prepare
from training.memory_photos import memory_photos
from training.memory_samples import samples
from training.memory_steps import Remembering, clip_loss
from training.memory_videos import SceneClips, VideoClips, davis_train
from training.run import Batch, Part, Training, parser

MEASURE_EVERY_S = 480.0
LOSS_EVERY_STEPS = 20


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the training.

    Attributes:
        until: Share of the time at which it ends.
        shares: Of photographs, scenes and real video.
        max_gap: The largest gap between frames of scenes and video at its end; it starts where the last one stopped.
        how: The frames after the first one are remembered.
        objects: So many are followed in each clip, where it has them.
        twins: Share of the scenes whose objects all look the same.
    """

    until: float
    recipe: Recipe
    batch_size: int
    shares: tuple[float, float, float]
    max_gap: int
    how: Remembering
    objects: int = 2
    twins: float = 0.0


SCHEDULE = (
    Stage(0.30, Recipe((384, 224), frames=3), 4, (0.7, 0.3, 0.0), 8, Remembering(0.5)),
    Stage(0.70, Recipe((512, 288), frames=4), 3, (0.35, 0.2, 0.45), 20, Remembering(0.2, spoiled=0.2)),
    Stage(0.85, Recipe((512, 288), frames=5), 3, (0.25, 0.2, 0.55), 30, Remembering(0.0, spoiled=0.2)),
    Stage(1.00, Recipe((512, 288), frames=5), 3, (0.25, 0.35, 0.4), 30, Remembering(0.0, spoiled=0.15), 4, 0.5),
)


class MemoryTraining(Training):
    """The memory on the frozen encoder of the SAM given."""

    evaluate_every_s = MEASURE_EVERY_S

    def __init__(self, arguments: argparse.Namespace) -> None:
        torch.manual_seed(arguments.seed)
        self.network = load_memory(arguments.weights) if arguments.weights else MemoryNetwork()
        super().__init__(self.network.train().requires_grad_(True), nn.Identity(), arguments)
        sam = load_sam(arguments.sam).requires_grad_(False)
        self.encoder = sam.image_encoder.to(self.device, memory_format=torch.channels_last)
        self.photos = memory_photos(arguments.data, arguments.photos)
        self.videos = davis_train(arguments.data, held_out=False)
        self.validation = prepare(sam.image_encoder, davis_train(arguments.data, held_out=True))
        self.losses: list[float] = []
        self.stages = (replace(SCHEDULE[-1], until=1.0),) if arguments.weights else SCHEDULE

    def parts(self) -> list[Part]:
        """One for each stage."""
        return [
            Part(
                f"{stage.recipe.size[0]} px, gap {stage.max_gap}",
                stage.until,
                partial(self._begin, stage),
                partial(self._loss, stage),
            )
            for stage in self.stages
        ]

    def measure(self) -> str:
        """Mean IoU of every variant on the held-out sequences."""
        network = self.average.model.to("cpu")
        assert isinstance(network, MemoryNetwork)
        scores = {variant.name: mean_iou(network, self.validation, variant) for variant in VARIANTS}
        network.to(self.device)
        self._log(validation=scores)
        return "  ".join(f"{name} {score['mean']:.3f}" for name, score in scores.items())

    def export(self) -> None:
        """``memory_tiny.safetensors``."""
        network = self.average.model
        assert isinstance(network, MemoryNetwork)
        save_halved(network, self.folder / "memory_tiny.safetensors")

    def _begin(self, stage: Stage) -> Iterator[Batch]:
        draws: list[DrawClip] = [
            partial(photo_clip, self.photos),
            SceneClips(partial(self._gap, stage), stage.twins),
            VideoClips(self.videos, partial(self._gap, stage)),
        ]

        def draw(recipe: Recipe, rng: np.random.Generator) -> Clip:
            return draws[int(rng.choice(3, p=stage.shares))](recipe, rng)

        clips = samples(draw, self.photos, stage.recipe, stage.objects, self.seed + self.step)
        return loop.batches(clips, stage.batch_size)

    def _gap(self, stage: Stage) -> int:
        """Grows evenly over the stage."""
        begun = max((other.until for other in self.stages if other.until < stage.until), default=0.0)
        smallest = max((other.max_gap for other in self.stages if other.until < stage.until), default=2)
        share = min(1.0, max(0.0, (self.budget.progress() - begun) / (stage.until - begun)))
        return round(smallest + share * (stage.max_gap - smallest))

    def _loss(self, stage: Stage, batch: Batch) -> Tensor:
        loss = clip_loss(self.network, self.encoder, batch, stage.how)
        self.losses.append(loss.item())
        if len(self.losses) == LOSS_EVERY_STEPS:
            self._log(loss=float(np.mean(self.losses)))
            self.losses.clear()
        return loss

    def _log(self, **values: Any) -> None:
        line = {"step": self.step, "minutes": round(self.budget.elapsed_s() / 60, 2), **values}
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")


def main() -> None:
    options = parser(__doc__, run="runs/memory", minutes=100, learning_rate=1e-3)
    options.add_argument("--weights", type=Path, help="go on from these weights, with the last stage")
    options.add_argument("--sam", type=Path, default=SAM_WEIGHTS, help="the tiny SAM whose encoder is used")
    options.add_argument("--photos", type=Path, default=Path("runs/photos"), help="more photographs, see memory_photos")
    MemoryTraining(options.parse_args()).run()


if __name__ == "__main__":
    main()
