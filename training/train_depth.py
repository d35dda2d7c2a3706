"""Train the tiny DPT: ``python -m training.train_depth --minutes 25``; run it again to go on where it stopped."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor
from transformers import DPTForDepthEstimation

from streamer.models.tiny.dpt import IMAGE_SIZE_PX, PIXEL_MEAN, PIXEL_STD, build_dpt
from streamer.models.tiny.weights import save_dpt
from training import loop
from training.depth_benchmarks import depth_summary, load_depth_benchmarks
from training.depth_samples import depth_samples, load_hololens, load_rgbd
from training.losses import depth_loss
from training.photos import load_coco, remembered
from training.pretrained import load_pretrained
from training.run import Batch, Part, Training, parser


def new_model() -> DPTForDepthEstimation:
    """The tiny DPT with the pretrained backbone, which is frozen up to stride 8, and everything else random."""
    dpt = build_dpt()
    features = dpt.dpt.embeddings.backbone._backbone
    load_pretrained(features)
    for part in (features.conv_stem, features.bn1, *features.blocks[:3]):
        part.requires_grad_(False)
    # The head ends in a ReLU: start where it passes its gradient on.
    torch.nn.init.constant_(dpt.head.head[4].bias, 1.0)
    return dpt


def step_loss(dpt: DPTForDepthEstimation, batch: Batch) -> Tensor:
    """The loss of one batch from `depth_samples`."""
    pixels = (batch["image"].permute(0, 3, 1, 2).float() - 255 * PIXEL_MEAN) / (255 * PIXEL_STD)
    prediction = dpt(pixels.contiguous(memory_format=torch.channels_last)).predicted_depth
    return depth_loss(prediction.float(), batch["inverse_depth"], batch["valid"])


class DepthTraining(Training):
    """The tiny DPT."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.dpt = new_model()
        super().__init__(self.dpt, self.dpt.dpt.embeddings.backbone, arguments)
        self.batch_size = arguments.batch_size
        self.rooms = load_rgbd(arguments.data, held_out=False) + load_hololens(arguments.data)
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
        save_dpt(self.average.model, self.folder / "dpt_tiny")

    def _begin(self) -> Iterator[Batch]:
        stream = depth_samples(self.rooms, self.photos, IMAGE_SIZE_PX, self.seed + self.step)
        return loop.batches(stream, self.batch_size)


def main() -> None:
    options = parser(__doc__, run="runs/depth", minutes=25, learning_rate=6e-4)
    options.add_argument("--batch-size", type=int, default=8)
    DepthTraining(options.parse_args()).run()


if __name__ == "__main__":
    main()
