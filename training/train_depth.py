"""Train the tiny DPT: ``python -m training.train_depth --minutes 90``; run it again to go on where it stopped."""

from __future__ import annotations

import argparse
import copy
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import DPTForDepthEstimation

from streamer.models.tiny.dpt import IMAGE_SIZE_PX, PIXEL_MEAN, PIXEL_STD
from training import loop
from training.depth_benchmarks import depth_summary, estimate, load_depth_benchmarks
from training.depth_samples import depth_samples, load_hololens, load_place, load_rgbd
from training.dpt_model import build_dpt, save_dpt
from training.losses import depth_loss, drift_loss
from training.photos import load_coco, remembered
from training.pretrained import load_pretrained
from training.run import Batch, Part, Training, parser
from training.scenes import draw_rendered

PLACES = Path("runs/places/train")
_STEADYING, _FARTHEST_SHARE = 0.05, 0.001


def new_model() -> DPTForDepthEstimation:
    """The tiny DPT with the pretrained backbone, which is frozen up to stride 8, and everything else random.

    It lacks the ReLU that ends its head: the loss knows no shift, so what is far would sooner or later lie below zero,
    where nothing is learnt any more. `lifted` puts it back.
    """
    dpt = build_dpt()
    features = dpt.dpt.embeddings.backbone._backbone
    load_pretrained(features)
    for part in (features.conv_stem, features.bn1, *features.blocks[:3]):
        part.requires_grad_(False)
    dpt.head.head[5] = nn.Identity()
    return dpt


@torch.no_grad()
def lifted(dpt: DPTForDepthEstimation, images: Sequence[NDArray[np.uint8]]) -> DPTForDepthEstimation:
    """A copy with its ReLU again, raised until that cuts off next to nothing of these ``(H, W, 3)`` pictures."""
    copied = copy.deepcopy(dpt)
    answers = [torch.from_numpy(estimate(copied, image)[::2, ::2]).flatten() for image in images]
    lowest = torch.cat(answers).sort().values[round(_FARTHEST_SHARE * sum(map(len, answers)))]
    copied.head.head[4].bias.sub_(lowest)
    copied.head.head[5] = nn.ReLU()
    return copied


def step_loss(dpt: DPTForDepthEstimation, batch: Batch) -> Tensor:
    """The loss of one batch from `depth_samples`."""
    pixels = (batch["image"].permute(0, 3, 1, 2).float() - 255 * PIXEL_MEAN) / (255 * PIXEL_STD)
    prediction = dpt(pixels.contiguous(memory_format=torch.channels_last)).predicted_depth
    compared = prediction.float(), batch["inverse_depth"], batch["valid"]
    return depth_loss(*compared) + _STEADYING * drift_loss(*compared)


class DepthTraining(Training):
    """The tiny DPT."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.dpt = new_model()
        super().__init__(self.dpt, self.dpt.dpt.embeddings.backbone, arguments)
        self.batch_size = arguments.batch_size
        self.places = [load_rgbd(arguments.data, held_out=False), load_hololens(arguments.data)]
        self.places += [load_place(folder) for folder in sorted(arguments.places.glob("*"))]
        self.photos = remembered("coco-train", lambda: load_coco(arguments.data, held_out=False))
        self.benchmarks = remembered("depth-benchmarks", lambda: load_depth_benchmarks(arguments.data, scenes=10))

    def parts(self) -> list[Part]:
        """All of it at one size."""
        return [Part(f"{IMAGE_SIZE_PX} px", 1.0, self._begin, partial(step_loss, self.dpt))]

    def measure(self) -> str:
        """Errors on the benchmarks, with few of the scenes."""
        return depth_summary(self.average.model, self.benchmarks)

    def export(self) -> None:
        """The folder ``dpt_tiny``."""
        rng = np.random.default_rng(self.seed)
        images = [place[0].image_rgb for place in self.places]
        images += [draw_rendered(rng).image_rgb for _ in range(32)]
        save_dpt(lifted(self.average.model, images), self.folder / "dpt_tiny")

    def _begin(self) -> Iterator[Batch]:
        stream = depth_samples(self.places, self.photos, IMAGE_SIZE_PX, self.seed + self.step)
        return loop.batches(stream, self.batch_size)


def main() -> None:
    options = parser(__doc__, run="runs/depth", minutes=90, learning_rate=6e-4)
    options.add_argument("--batch-size", type=int, default=8)
    options.add_argument("--places", type=Path, default=PLACES, help="a folder with one folder for each place more")
    DepthTraining(options.parse_args()).run()


if __name__ == "__main__":
    main()
