"""What DPT is measured on: frames with known depth, after one scale and one shift per frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DPTForDepthEstimation

from streamer.models.tiny.dpt import IMAGE_SIZE_PX, PIXEL_MEAN, PIXEL_STD
from training.depth_samples import DepthFrame, load_place, load_rgbd
from training.losses import align
from training.scenes import held_out

HELD_OUT_PLACES = Path("runs/places/test")


@dataclass(frozen=True, slots=True)
class DepthBenchmark:
    """Frames with known depth."""

    name: str
    frames: list[DepthFrame]


@dataclass(frozen=True, slots=True)
class DepthScores:
    """Means over frames.

    Attributes:
        absolute_relative: Mean of \\|d - d*\\| / d*, the AbsRel of Eigen et al. (2014).
        within: Share of pixels whose ratio to the truth is below 1.25.
    """

    absolute_relative: float
    within: float


def load_depth_benchmarks(data: Path, scenes: int = 100, places: Path = HELD_OUT_PLACES) -> list[DepthBenchmark]:
    """The frames of `rgbd` that are never trained on, held-out scenes, and what there is of other places."""
    rendered = [DepthFrame(r.image_rgb, r.inverse_depth) for r in held_out(scenes)]
    elsewhere = [frame for folder in sorted(places.glob("*")) for frame in load_place(folder)]
    benchmarks = [DepthBenchmark("rgbd", load_rgbd(data, held_out=True)), DepthBenchmark("scenes", rendered)]
    return benchmarks + ([DepthBenchmark("other places", elsewhere)] if elsewhere else [])


@torch.inference_mode()
def estimate(dpt: DPTForDepthEstimation, image_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """``(H, W)`` float32 inverse depth, up to scale and shift."""
    square = cv2.resize(image_rgb, (IMAGE_SIZE_PX, IMAGE_SIZE_PX), interpolation=cv2.INTER_AREA)
    pixels = torch.from_numpy((square.astype(np.float32) / 255 - PIXEL_MEAN) / PIXEL_STD).permute(2, 0, 1)[None]
    device = next(dpt.parameters()).device
    inverse = dpt(pixels.to(device)).predicted_depth[0].float().cpu().numpy()
    size = (image_rgb.shape[1], image_rgb.shape[0])
    return cv2.resize(inverse, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)


def score(prediction: NDArray[np.float32], truth: NDArray[np.float32]) -> DepthScores:
    """Compare ``(H, W)`` inverse depths; 0 in ``truth`` is unknown. Distances beyond 80 m count as 80 m."""
    valid = torch.from_numpy((truth > 0).astype(np.float32))[None]
    fitted = align(torch.from_numpy(prediction)[None], torch.from_numpy(truth)[None], valid)[0].numpy()
    known = truth > 0
    depth, true_depth = 1 / np.clip(fitted[known], 1 / 80, None), 1 / truth[known]
    ratio = np.maximum(depth / true_depth, true_depth / depth)
    return DepthScores(float(np.mean(np.abs(depth - true_depth) / true_depth)), float(np.mean(ratio < 1.25)))


def measure_depth(dpt: DPTForDepthEstimation, benchmark: DepthBenchmark) -> DepthScores:
    """Mean scores over the frames."""
    scores = [score(estimate(dpt, frame.image_rgb), frame.inverse_depth) for frame in benchmark.frames]
    return DepthScores(
        float(np.mean([s.absolute_relative for s in scores])), float(np.mean([s.within for s in scores]))
    )


def depth_summary(dpt: DPTForDepthEstimation, benchmarks: Sequence[DepthBenchmark]) -> str:
    """One line: AbsRel and share within 1.25 of every benchmark."""
    parts = []
    for benchmark in benchmarks:
        scores = measure_depth(dpt, benchmark)
        parts.append(f"{benchmark.name} AbsRel {scores.absolute_relative:.3f} within 1.25 {scores.within:.3f}")
    return " | ".join(parts)
