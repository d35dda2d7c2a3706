"""Train the tiny SAM: ``python -m training.train_sam --minutes 70``; run it again to go on where it stopped."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from segment_anything.modeling import Sam
from torch import Tensor

from streamer.models.tiny.backbone import EfficientNetLite0, fold_batch_norms
from streamer.models.tiny.sam import build_sam
from streamer.models.tiny.weights import load_sam, save_halved
from training import loop
from training.benchmarks import load_benchmarks, summary
from training.losses import mask_loss
from training.photos import load_bsds, load_coco, remembered
from training.pretrained import load_pretrained
from training.prompting import correct, decode, embed_images, set_resolution
from training.run import Batch, Part, Training, parser
from training.samples import DrawPhoto, Recipe, mixture, samples
from training.scenes import draw_scene

CARRIED_SHARE = 0.25


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
    Stage(0.10, Recipe(side_px=128, prompts_per_image=6, worn_mask_probability=0.0), batch_size=16, rounds=1),
    Stage(0.40, Recipe(side_px=192, prompts_per_image=6), batch_size=12, rounds=2),
    Stage(0.80, Recipe(side_px=256, prompts_per_image=6), batch_size=8, rounds=2),
    Stage(0.90, Recipe(side_px=384, prompts_per_image=6), batch_size=4, rounds=2),
    Stage(1.00, Recipe(side_px=512, prompts_per_image=6), batch_size=4, rounds=2),
)


def new_model() -> Sam:
    """The tiny SAM with the pretrained backbone; everything else is random, but starts out attending to places."""
    sam = build_sam()
    features = EfficientNetLite0()
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
    """Real photographs five times out of eight, rendered scenes otherwise."""
    coco = remembered("coco-train", lambda: load_coco(data, held_out=False))
    bsds = remembered("bsds-train", lambda: load_bsds(data, ("train", "val")))
    return mixture([(0.35, coco), (0.27, bsds), (0.38, draw_scene)])


def step_loss(sam: Sam, batch: Batch, rng: np.random.Generator, rounds: int) -> Tensor:
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


class SamTraining(Training):
    """The tiny SAM, from ImageNet's backbone or from the weights given."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.sam = new_model() if arguments.weights is None else load_sam(arguments.weights)
        freeze_early_layers(self.sam)
        super().__init__(self.sam.train(), self.sam.image_encoder.backbone, arguments)
        self.draw = training_photos(arguments.data)
        self.benchmarks = remembered("benchmarks-quick", lambda: load_benchmarks(arguments.data, quick=True))
        self.rng = np.random.default_rng(self.seed + self.step)

    def parts(self) -> list[Part]:
        """One for each stage."""
        return [
            Part(
                f"{stage.recipe.side_px} px",
                stage.until,
                partial(self._begin, stage),
                partial(step_loss, self.sam, rng=self.rng, rounds=stage.rounds),
            )
            for stage in STAGES
        ]

    def measure(self) -> str:
        """IoUs on a tenth of the benchmarks."""
        return summary(self.average.model, self.benchmarks)

    def export(self) -> None:
        """``sam_tiny.safetensors``."""
        save_halved(self.average.model, self.folder / "sam_tiny.safetensors")

    def _begin(self, stage: Stage) -> Iterator[Batch]:
        set_resolution(self.sam, stage.recipe.side_px)
        seed = self.seed + self.step
        # A batch holds prompts of one length: what a person says, or what the tracker says.
        kinds = [replace(stage.recipe, carried=carried) for carried in (False, True)]
        streams = [loop.batches(samples(self.draw, kind, seed), stage.batch_size) for kind in kinds]
        return loop.interleaved(streams, (1 - CARRIED_SHARE, CARRIED_SHARE), seed)


def main() -> None:
    options = parser(__doc__, run="runs/sam", minutes=70, learning_rate=8e-4)
    options.add_argument("--weights", type=Path, help="start from these weights of a tiny SAM rather than ImageNet's")
    SamTraining(options.parse_args()).run()


if __name__ == "__main__":
    main()
