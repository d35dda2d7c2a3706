"""Rendered scenes that no training sees, to follow objects that leave, return and are hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from streamer.models.tiny.memory import MemoryNetwork
from streamer.models.tiny.sam import TinyImageEncoder
from streamer.synthetic import SceneSource
from training.memory_following import SIZE, STEP, Followed, Prepared, Variant, follow
from training.memory_steps import look
from training.scenes import FIRST_HELD_OUT_SEED

FRAMES = 211
OBJECTS = 6
FOLLOWED = 3
MIN_SHARE = 0.004
FOUND_IOU = 0.5


@dataclass(frozen=True, slots=True)
class SceneScores:
    """Means over all objects.

    Attributes:
        iou: Over the looks on which the object is to be seen.
        found: Share of the looks just after an absence whose IoU is above one half.
        ghosts: Share of the looks without the object on which something is shown for it.
    """

    iou: float
    found: float
    ghosts: float


@torch.inference_mode()
def prepare_scenes(encoder: TinyImageEncoder, count: int) -> list[Prepared]:
    """Every 7th frame of ``count`` scenes, once for each of the largest objects of the first frame."""
    prepared = []
    for seed in range(FIRST_HELD_OUT_SEED, FIRST_HELD_OUT_SEED + count):
        scene = SceneSource(seed, SIZE, objects=OBJECTS, frame_count=None)
        frames = range(0, FRAMES, STEP)
        features = [look(encoder, torch.from_numpy(scene.render(frame))[None, None]) for frame in frames]
        labels = [scene.truth(frame).labels for frame in frames]
        sizes = np.bincount(labels[0].ravel(), minlength=2)[1:]
        for index in np.argsort(-sizes)[:FOLLOWED].tolist():
            if sizes[index] > MIN_SHARE * labels[0].size:
                truths = [label == index + 1 for label in labels]
                prepared.append(Prepared(f"{seed}/{index + 1}", features, truths, []))
    return prepared


def scene_scores(network: MemoryNetwork, sequences: Sequence[Prepared], variant: Variant) -> SceneScores:
    """How well the objects of the scenes are followed, lost and found again."""
    ious: list[float] = []
    found: list[float] = []
    ghosts: list[float] = []
    for sequence in sequences:
        followed = follow(network, sequence, variant)
        seen, away = _split(followed, sequence)
        ious += seen
        ghosts += away
        found += _after_absence(followed, sequence)
    return SceneScores(float(np.mean(ious)), float(np.mean(found or [1.0])), float(np.mean(ghosts or [0.0])))


def _split(followed: Followed, sequence: Prepared) -> tuple[list[float], list[float]]:
    seen, away = [], []
    for iou, mask, truth in zip(followed.ious, followed.masks, sequence.truths[1:], strict=True):
        if truth.mean() > MIN_SHARE / 4:
            seen.append(iou)
        elif not truth.any():
            away.append(float(mask.any()))
    return seen, away


def _after_absence(followed: Followed, sequence: Prepared) -> list[float]:
    """For each return: whether it is found on the first two looks at which a fair part of it is to be seen."""
    found, was_away, looks = [], False, 0
    for iou, truth in zip(followed.ious, sequence.truths[1:], strict=True):
        if not truth.any():
            was_away, looks = True, 0
        elif was_away and truth.mean() > MIN_SHARE / 2:
            looks += 1
            if looks == 2:
                found.append(float(iou > FOUND_IOU))
                was_away = False
    return found
