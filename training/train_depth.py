"""Train the tiny DPT: ``python -m training.train_depth --minutes 25``; run it again to go on where it stopped."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from transformers import DPTForDepthEstimation

from streamer.models.tiny.dpt import IMAGE_SIZE_PX, PIXEL_MEAN, PIXEL_STD, build_dpt
from streamer.models.tiny.weights import save_dpt
from training import loop
from training.depth_benchmarks import depth_summary, load_depth_benchmarks
from training.depth_samples import depth_samples, load_hololens, load_rgbd
from training.losses import depth_loss
from training.photos import DATA_ROOT, load_coco, remembered
from training.pretrained import load_pretrained

EVALUATE_EVERY_S = 900.0
SAVE_EVERY_S = 180.0
LOG_EVERY_STEPS = 10


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


def step_loss(dpt: DPTForDepthEstimation, batch: dict[str, Tensor]) -> Tensor:
    """The loss of one batch from `depth_samples`."""
    pixels = (batch["image"].permute(0, 3, 1, 2).float() - 255 * PIXEL_MEAN) / (255 * PIXEL_STD)
    prediction = dpt(pixels.contiguous(memory_format=torch.channels_last)).predicted_depth
    return depth_loss(prediction.float(), batch["inverse_depth"], batch["valid"])


class DepthTraining:
    """One training run, which lives in a folder and can be interrupted."""

    def __init__(self, run: Path, data: Path, minutes: float, learning_rate: float, batch_size: int, seed: int) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.checkpoint = run / "checkpoint.pt"
        self.dpt = new_model().to(self.device, memory_format=torch.channels_last)
        self.average = loop.Average(self.dpt)
        self.optimizer = loop.make_optimizer(self.dpt, self.dpt.dpt.embeddings.backbone, learning_rate, 0.3)
        start = loop.Progress(0, 0.0)
        if self.checkpoint.exists():
            start = loop.load_checkpoint(self.checkpoint, self.dpt, self.average, self.optimizer)
        self.step = start.step
        self.budget = loop.Budget(60 * minutes, start.spent_s)
        rooms = load_rgbd(data, held_out=False) + load_hololens(data)
        photos = remembered("coco-train", lambda: load_coco(data, held_out=False))
        self.stream = loop.batches(depth_samples(rooms, photos, IMAGE_SIZE_PX, seed + self.step), batch_size)
        self.benchmarks = remembered("depth-benchmarks", lambda: load_depth_benchmarks(data, scenes=10))

    def run(self) -> None:
        """Train until the time is spent, then measure and save."""
        saved_s = evaluated_s = logged_s = self.budget.elapsed_s()
        losses: list[float] = []
        while self.budget.progress() < 1:
            losses.append(self._train_step(self.stream))
            now_s = self.budget.elapsed_s()
            if self.step % LOG_EVERY_STEPS == 0:
                pace_s = (now_s - logged_s) / LOG_EVERY_STEPS
                print(
                    f"{now_s / 60:6.1f} min  step {self.step}  loss {np.mean(losses):.4f}  {pace_s:.2f} s/step",
                    flush=True,
                )
                losses, logged_s = [], now_s
            if now_s - saved_s > SAVE_EVERY_S:
                self._save()
                saved_s = now_s
            if now_s - evaluated_s > EVALUATE_EVERY_S:
                self._evaluate()
                evaluated_s = logged_s = self.budget.elapsed_s()
        self._evaluate()
        self._save()

    def _train_step(self, stream: Iterator[dict[str, Tensor]]) -> float:
        batch = {name: value.to(self.device) for name, value in next(stream).items()}
        loop.set_learning_rate(self.optimizer, loop.learning_rate_factor(self.step, self.budget.progress()))
        with loop.autocast(self.device):
            loss = step_loss(self.dpt, batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.dpt.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self.average.update(self.dpt, self.step)
        return loss.item()

    def _evaluate(self) -> None:
        started_s = time.monotonic()
        print(f"   step {self.step}: {depth_summary(self.average.model, self.benchmarks)}", flush=True)
        self.budget.pause(time.monotonic() - started_s)

    def _save(self) -> None:
        progress = loop.Progress(self.step, self.budget.elapsed_s())
        loop.save_checkpoint(self.checkpoint, self.dpt, self.average, self.optimizer, progress)
        save_dpt(self.average.model, self.checkpoint.with_name("dpt_tiny"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/depth"), help="folder of the checkpoints")
    parser.add_argument("--data", type=Path, default=DATA_ROOT)
    parser.add_argument("--minutes", type=float, default=25.0, help="training time in all, earlier runs included")
    parser.add_argument("--learning-rate", type=float, default=6e-4)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    DepthTraining(
        arguments.run, arguments.data, arguments.minutes, arguments.learning_rate, arguments.batch_size, arguments.seed
    ).run()


if __name__ == "__main__":
    main()
