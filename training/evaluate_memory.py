"""Measure a memory: ``python -m training.evaluate_memory --memory runs/memory/memory_tiny.safetensors``.

Every 7th frame, the true mask of the first one given. The held-out training sequences of DAVIS choose; ``--confirm``
measures the nine validation sequences as well, once for each candidate.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from streamer.evaluation.metrics import calibration_error
from streamer.models.tiny.memory import MemoryNetwork
from streamer.models.tiny.weights import SAM_WEIGHTS, load_memory, load_sam
from training.memory_following import VARIANTS, WITH_FLOW, Prepared, follow, prepare
from training.memory_scenes import prepare_scenes, scene_scores
from training.memory_videos import davis, davis_train
from training.photos import DATA_ROOT


def report(network: MemoryNetwork, sequences: list[Prepared]) -> None:
    """Print a table of J of each sequence, and the means of J, F and the calibration error."""
    names = [sequence.name for sequence in sequences]
    print("| memory |", " | ".join(names), "| J | F | calibration error |")
    print("|", " --- |" * (len(names) + 4))
    for variant in (*VARIANTS, WITH_FLOW):
        all_followed = [follow(network, sequence, variant, contours=True) for sequence in sequences]
        ious = [float(np.mean(followed.ious)) for followed in all_followed]
        contours = float(np.mean([np.mean(followed.contours) for followed in all_followed]))
        scores = [
            presence * expected
            for followed in all_followed
            for presence, expected in zip(followed.presences, followed.expected, strict=True)
        ]
        error = calibration_error(scores, [value for followed in all_followed for value in followed.ious])
        cells = [f"{value:.3f}" for value in (*ious, float(np.mean(ious)), contours)]
        print(f"| {variant.name} |", " | ".join(cells), f"| {error:.3f} |" if variant.decoded else "| |", flush=True)


def report_scenes(network: MemoryNetwork, sequences: list[Prepared]) -> None:
    """Print a table of how objects that leave, return and are hidden are followed, lost and found again."""
    print("| memory | IoU in view | returns found | ghosts |")
    print("| --- | --- | --- | --- |")
    for variant in VARIANTS:
        scores = scene_scores(network, sequences, variant)
        cells = " | ".join(f"{value:.3f}" for value in (scores.iou, scores.found, scores.ghosts))
        print(f"| {variant.name} | {cells} |", flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--memory", type=Path, default=Path("runs/memory/memory_tiny.safetensors"))
    options.add_argument("--sam", type=Path, default=SAM_WEIGHTS)
    options.add_argument("--data", type=Path, default=DATA_ROOT)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--confirm", action="store_true", help="the nine validation sequences as well")
    options.add_argument("--scenes", type=int, default=0, help="so many held-out rendered scenes as well")
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    network, encoder = load_memory(arguments.memory), load_sam(arguments.sam).image_encoder
    print("Held-out training sequences\n")
    report(network, prepare(encoder, davis_train(arguments.data, held_out=True), with_flow=True))
    if arguments.scenes:
        print("\nHeld-out rendered scenes\n")
        report_scenes(network, prepare_scenes(encoder, arguments.scenes))
    if arguments.confirm:
        print("\nNine validation sequences\n")
        report(network, prepare(encoder, davis(arguments.data), with_flow=True))


if __name__ == "__main__":
    main()
