"""Clips from real videos and from rendered scenes, with a growing gap between their frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.synthetic import SceneSource
from training.memory_clips import Clip, Recipe
from training.memory_warps import compose, make_warp, walk
from training.photos import read_image
from training.scenes import FIRST_HELD_OUT_SEED, FIRST_TRAINING_SEED

# Never trained on: they choose between trainings. As hard as DAVIS gets: turns, speed, deformation, occlusion.
HELD_OUT = ("breakdance-flare", "dog-agility", "drift-turn", "horsejump-low", "soccerball")
POOL = 24
SCENE_LENGTH = 600
MaxGap = Callable[[], int]


@dataclass(frozen=True, slots=True)
class Video:
    """Files of one sequence.

    Attributes:
        name: Of the sequence.
        images, masks: One for each frame, in order; masks are 0 and 255.
    """

    name: str
    images: list[Path]
    masks: list[Path]

    def image(self, frame: int) -> NDArray[np.uint8]:
        """``(H, W, 3)`` uint8 RGB."""
        return read_image(self.images[frame])

    def mask(self, frame: int) -> NDArray[np.uint8]:
        """``(H, W)`` uint8, 0 or 1."""
        return (read_image(self.masks[frame])[..., 0] > 127).astype(np.uint8)


def load_videos(images: Path, annotations: Path) -> list[Video]:
    """The sequences whose frames lie in a folder each, by name."""
    return [
        Video(folder.name, sorted(folder.glob("*.jpg")), sorted((annotations / folder.name).glob("*.png")))
        for folder in sorted(images.iterdir())
    ]


def davis_train(data: Path, held_out: bool) -> list[Video]:
    """The training sequences of DAVIS-2016: those that are held out, or all others."""
    root = data / "davis-train"
    videos = load_videos(root / "JPEGImages", root / "Annotations")
    return [video for video in videos if (video.name in HELD_OUT) == held_out]


def davis(data: Path) -> list[Video]:
    """The nine sequences that confirm; measured with, never trained on."""
    return load_videos(data / "davis/JPEGImages/480p", data / "davis/Annotations/480p")


def gapped(length: int, count: int, max_gap: int, rng: np.random.Generator) -> list[int]:
    """``count`` frames of ``length``, each 1 to ``max_gap`` after the one before; half of the time backwards."""
    gaps = rng.integers(1, max_gap + 1, count - 1)
    while gaps.sum() >= length:
        gaps = np.maximum(1, gaps // 2)
    start = int(rng.integers(0, length - int(gaps.sum())))
    frames = [start, *(start + np.cumsum(gaps)).tolist()]
    return frames[::-1] if rng.random() < 0.5 else frames


class VideoClips:
    """Clips of real videos, each cut and moved a little as a whole.

    Args:
        max_gap: Asked anew for every clip, so that it may grow.
    """

    def __init__(self, videos: list[Video], max_gap: MaxGap) -> None:
        self._videos, self._max_gap = videos, max_gap

    def __call__(self, recipe: Recipe, rng: np.random.Generator) -> Clip:
        video = self._videos[int(rng.integers(len(self._videos)))]
        frames = gapped(len(video.images), recipe.frames, self._max_gap(), rng)
        return _cut([video.image(f) for f in frames], [[video.mask(f)] for f in frames], recipe, rng)


class SceneClips:
    """Clips of rendered scenes; a few dozen are alive at a time, since making one takes half a second.

    Args:
        twins: Share of the scenes whose objects all look the same and cross.
    """

    def __init__(self, max_gap: MaxGap, twins: float = 0.0) -> None:
        self._max_gap, self._twins = max_gap, twins
        self._scenes: list[SceneSource] = []

    def __call__(self, recipe: Recipe, rng: np.random.Generator) -> Clip:
        images, labels = self._rendered(recipe, rng)
        ids = [int(i) for i in np.unique(np.stack(labels)) if i]
        return _cut(images, [[(label == i).astype(np.uint8) for i in ids] for label in labels], recipe, rng)

    def _rendered(
        self, recipe: Recipe, rng: np.random.Generator
    ) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]]:
        """Images and labels of some frames; one in some ten thousand cannot be drawn, so then of others."""
        while True:
            scene = self._scene(recipe.size, rng)
            frames = gapped(SCENE_LENGTH, recipe.frames, self._max_gap(), rng)
            try:
                return [scene.render(frame) for frame in frames], [scene.truth(frame).labels for frame in frames]
            except cv2.error:
                continue

    def _scene(self, size: tuple[int, int], rng: np.random.Generator) -> SceneSource:
        if len(self._scenes) < POOL or rng.random() < 0.05:
            seed = int(rng.integers(FIRST_TRAINING_SEED, FIRST_HELD_OUT_SEED))
            twins = rng.random() < self._twins
            objects = int(rng.integers(4, 10) if twins else rng.integers(2, 10))
            self._scenes.append(SceneSource(seed, size, objects=objects, frame_count=None, twins=twins))
            self._scenes = self._scenes[-POOL:]
        return self._scenes[int(rng.integers(len(self._scenes)))]


def _cut(
    images: list[NDArray[np.uint8]], masks: list[list[NDArray[np.uint8]]], recipe: Recipe, rng: np.random.Generator
) -> Clip:
    """The same part of every frame, with a camera that shakes a little more than it did."""
    width, height = recipe.size
    source_height, source_width = images[0].shape[:2]
    scale = max(width / source_width, height / source_height) * np.exp(rng.uniform(0, 0.4))
    slack_x, slack_y = width - source_width * scale, height - source_height * scale
    flip = rng.random() < 0.5
    x, y = rng.uniform(slack_x, 0), rng.uniform(slack_y, 0)
    cut = np.array([[-scale, 0, x + source_width * scale - 1] if flip else [scale, 0, x], [0, scale, y]], np.float32)
    shake = walk(recipe.frames, (width / 2, height / 2), 0.01 * width, float(rng.choice([0.0, 0.02, 0.06])), rng)
    clip = Clip([], [])
    for image, frame_masks, step in zip(images, masks, shake, strict=True):
        warp = make_warp(compose(step, cut), recipe.size, 0, rng)
        clip.images.append(warp.image(image))
        clip.masks.append([warp.mask(mask) for mask in frame_masks])
    return clip
