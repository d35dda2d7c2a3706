"""Train the tiny SAM: ``python -m training.train_sam --minutes 70``; run it again to go on where it stopped."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from segment_anything.modeling import Sam
from torch import Tensor

from streamer.models.tiny.backbone import build_backbone, fold_batch_norms
from streamer.models.tiny.sam import build_sam
from streamer.models.tiny.weights import save_sam
from training import loop
from training.benchmarks import load_benchmarks, summary
from training.losses import mask_loss
from training.photos import DATA_ROOT, load_bsds, load_coco, remembered
from training.pretrained import load_pretrained
from training.prompting import correct, decode, embed_images, set_resolution
from training.samples import DrawPhoto, Recipe, mixture, samples
from training.scenes import draw_scene

EVALUATE_EVERY_S = 900.0
SAVE_EVERY_S = 180.0
LOG_EVERY_STEPS = 20


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the training: until ``until`` (share of the time), with that recipe, batch and number of prompts.

    Attributes:
        rounds: How often each region is prompted: once, then with corrective clicks.
    """

    until: float
    recipe: Recipe
    batch_size: int
    rounds: int


STAGES = (
    Stage(0.25, Recipe(side_px=128, prompts_per_image=6, worn_mask_probability=0.0), batch_size=16, rounds=1),
    Stage(0.60, Recipe(side_px=192, prompts_per_image=6), batch_size=12, rounds=2),
    Stage(0.80, Recipe(side_px=256, prompts_per_image=6), batch_size=8, rounds=2),
    Stage(1.00, Recipe(side_px=384, prompts_per_image=6), batch_size=4, rounds=2),
)


def new_model() -> Sam:
    """The tiny SAM with the pretrained backbone; everything else is random, but starts out attending to places."""
    sam = build_sam()
    features = build_backbone()
    load_pretrained(features)
    fold_batch_norms(features)
    sam.image_encoder.backbone = features
    attend_to_places(sam)
    return sam


def attend_to_places(sam: Sam, gain: float = 1.5) -> None:
    """Give queries and keys of the cross attention the same orthogonal projection.

    Tokens and cells with like positions then attend to each other from the first step. It took half as many steps
    until clicks were understood.
    """
    transformer = sam.mask_decoder.transformer
    layers = [transformer.final_attn_token_to_image]
    for block in transformer.layers:
        layers += [block.cross_attn_token_to_image, block.cross_attn_image_to_token]
    for layer in layers:
        torch.nn.init.orthogonal_(layer.q_proj.weight, gain)
        layer.k_proj.weight.data.copy_(layer.q_proj.weight.data)
        torch.nn.init.zeros_(layer.q_proj.bias)
        torch.nn.init.zeros_(layer.k_proj.bias)


def freeze_early_layers(sam: Sam) -> None:
    """Keep the backbone up to stride 8 as ImageNet left it: that halves the cost of a step and loses little."""
    backbone = sam.image_encoder.backbone
    for part in (backbone.conv_stem, *backbone.blocks[:3]):
        part.requires_grad_(False)


def training_photos(data: Path) -> DrawPhoto:
    """Real photographs two times out of three, rendered scenes otherwise."""
    coco = remembered("coco-train", lambda: load_coco(data, held_out=False))
    bsds = remembered("bsds-train", lambda: load_bsds(data, ("train", "val")))
    return mixture([(0.37, coco), (0.30, bsds), (0.33, draw_scene)])


def step_loss(sam: Sam, batch: dict[str, Tensor], rng: np.random.Generator, rounds: int) -> Tensor:
    """The mean loss over the first prompt and ``rounds`` - 1 corrective clicks, each with the logits from before."""
    targets = batch["targets"].flatten(0, 1)
    points, labels = batch["points"].flatten(0, 1), batch["labels"].flatten(0, 1)
    mask_input, has_mask = batch["mask_input"].flatten(0, 1), batch["has_mask"].flatten()
    embeddings = embed_images(sam, batch["image"], batch["valid_size"])
    losses = []
    for number in range(rounds):
        if number:
            points, labels = correct(mask_input, targets, points, labels, rng)
        logits, iou_predictions = decode(sam, embeddings, points, labels, mask_input, has_mask)
        losses.append(mask_loss(logits.float(), iou_predictions.float(), targets))
        best = iou_predictions.detach()[:, 1:].argmax(dim=1) + 1
        mask_input = logits.detach().float()[torch.arange(len(best), device=best.device), best]
        has_mask = torch.ones_like(has_mask)
    return torch.stack(losses).mean()


class SamTraining:
    """One training run, which lives in a folder and can be interrupted."""

    def __init__(self, run: Path, data: Path, minutes: float, learning_rate: float, seed: int) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.checkpoint, self.seed = run / "checkpoint.pt", seed
        self.sam = new_model().to(self.device, memory_format=torch.channels_last)
        freeze_early_layers(self.sam)
        self.average = loop.Average(self.sam)
        self.optimizer = loop.make_optimizer(self.sam, self.sam.image_encoder.backbone, learning_rate, 0.3)
        start = loop.Progress(0, 0.0)
        if self.checkpoint.exists():
            start = loop.load_checkpoint(self.checkpoint, self.sam, self.average, self.optimizer)
        self.step = start.step
        self.draw = training_photos(data)
        self.benchmarks = remembered("benchmarks-quick", lambda: load_benchmarks(data, quick=True))
        self.budget = loop.Budget(60 * minutes, start.spent_s)
        self.rng = np.random.default_rng(seed + self.step)

    def run(self) -> None:
        """Train through what is left of all stages, then measure and save."""
        for stage in STAGES:
            if self.budget.progress() < stage.until:
                self._run_stage(stage)
        self._evaluate()
        self._save()

    def _run_stage(self, stage: Stage) -> None:
        set_resolution(self.sam, stage.recipe.side_px)
        stream = loop.batches(samples(self.draw, stage.recipe, self.seed + self.step), stage.batch_size)
        saved_s = evaluated_s = logged_s = self.budget.elapsed_s()
        losses: list[float] = []
        while self.budget.progress() < stage.until:
            losses.append(self._train_step(stream, stage.rounds))
            now_s = self.budget.elapsed_s()
            if self.step % LOG_EVERY_STEPS == 0:
                pace_s = (now_s - logged_s) / LOG_EVERY_STEPS
                print(
                    f"{now_s / 60:6.1f} min  step {self.step}  {stage.recipe.side_px} px  "
                    f"loss {np.mean(losses):.4f}  {pace_s:.2f} s/step  {time.process_time() / 60:.1f} min of CPU",
                    flush=True,
                )
                losses, logged_s = [], now_s
            if now_s - saved_s > SAVE_EVERY_S:
                self._save()
                saved_s = now_s
            if now_s - evaluated_s > EVALUATE_EVERY_S:
                self._evaluate()
                evaluated_s = logged_s = self.budget.elapsed_s()

    def _train_step(self, stream: Iterator[dict[str, Tensor]], rounds: int) -> float:
        batch = {name: value.to(self.device) for name, value in next(stream).items()}
        loop.set_learning_rate(self.optimizer, loop.learning_rate_factor(self.step, self.budget.progress()))
        with loop.autocast(self.device):
            loss = step_loss(self.sam, batch, self.rng, rounds)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.sam.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self.average.update(self.sam, self.step)
        return loss.item()

    def _evaluate(self) -> None:
        started_s = time.monotonic()
        print(f"   step {self.step}: {summary(self.average.model, self.benchmarks)}", flush=True)
        self.budget.pause(time.monotonic() - started_s)

    def _save(self) -> None:
        progress = loop.Progress(self.step, self.budget.elapsed_s())
        loop.save_checkpoint(self.checkpoint, self.sam, self.average, self.optimizer, progress)
        save_sam(self.average.model, self.checkpoint.with_name("sam_tiny.safetensors"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/sam"), help="folder of the checkpoints")
    parser.add_argument("--data", type=Path, default=DATA_ROOT)
    parser.add_argument("--minutes", type=float, default=70.0, help="training time in all, earlier runs included")
    parser.add_argument("--learning-rate", type=float, default=8e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    cv2.setNumThreads(1)
    SamTraining(arguments.run, arguments.data, arguments.minutes, arguments.learning_rate, arguments.seed).run()


if __name__ == "__main__":
    main()
