"""Videos as the refiner learns from them: every frame on the half level, with the flow to it and the true masks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.motion.anchors import Plane
from streamer.motion.motion import Motion
from streamer.motion.pyramid import Grid, Pyramid, halve
from streamer.synthetic import SceneSource
from training.augment import blend
from training.memory_clips import Image, visible_masks
from training.memory_videos import Video
from training.memory_warps import Warp, warp_through
from training.photos import Photo
from training.prompts import tight_box
from training.samples import DrawPhoto

SIZE = (512, 288)
MIN_SHARE = 0.002
BEND_CELLS = 4
COVER = 1.35
Labels = NDArray[np.uint8]
_NOTHING = np.empty((0, 0), np.uint8)


@dataclass(frozen=True, slots=True)
class Film:
    """T frames of one video, without cuts.

    Attributes:
        grid: Of its frames.
        halves: T times ``(h / 2, w / 2, 4)`` uint8.
        flows: T times ``(2, h / 2, w / 2)`` float16 [px of the half], to the frame before; the first is 0.
        labels: T times ``(h, w)`` uint8 on the grid: the object that is seen, 0 for none.
        objects: The numbers of its objects.
    """

    name: str
    grid: Grid
    halves: list[NDArray[np.uint8]]
    flows: list[NDArray[np.float16]]
    labels: list[NDArray[np.uint8]]
    objects: list[int]

    def pyramid(self, at: int) -> Pyramid:
        """Only the half level of it."""
        return Pyramid(self.grid, _NOTHING, _NOTHING, self.halves[at])

    def step(self, at: int, identity: tuple[Plane, Plane]) -> tuple[Plane, Plane]:
        """Where every pixel of the half level was one frame before."""
        x, y = self.flows[at].astype(np.float32)
        return identity[0] + x, identity[1] + y

    def truth(self, at: int, number: int) -> NDArray[np.uint8]:
        """``(h / 2, w / 2)`` soft mask of the object."""
        return halve((self.labels[at] == number).astype(np.uint8) * 255)

    def others(self, at: int, number: int) -> NDArray[np.uint8]:
        """``(h / 2, w / 2)`` soft mask of all other objects."""
        return halve(((self.labels[at] != number) & (self.labels[at] > 0)).astype(np.uint8) * 255)


def film(name: str, frames: Iterable[tuple[Image, NDArray[Any]]]) -> list[Film]:
    """What the program's own motion makes of images and their labels, ``(H, W)``: one film for each scene."""
    motion, parts = Motion(), list[Film]()
    for index, (image, labels) in enumerate(frames):
        motion.advance(index, image)
        rows, columns = np.indices(motion.grid.half_size[::-1]).astype(np.float32)
        if motion.step is None or motion.scene_cut:
            parts.append(Film(f"{name}@{index}", motion.grid, [], [], [], []))
            flow = np.zeros((2, *rows.shape))
        else:
            flow = np.subtract(motion.step, (columns, rows))
        now = parts[-1]
        now.halves.append(motion.present.half_rgbx)
        now.flows.append(flow.astype(np.float16))
        small = cv2.resize(labels.astype(np.uint8), motion.grid.size, interpolation=cv2.INTER_NEAREST)
        now.labels.append(small.astype(np.uint8))
    for part in parts:
        sizes = np.bincount(part.labels[0].ravel(), minlength=256)
        sizes = np.maximum(sizes, np.bincount(part.labels[len(part.labels) // 2].ravel(), minlength=256))
        part.objects.extend(i for i in range(1, 256) if sizes[i] > MIN_SHARE * part.labels[0].size)
    return [part for part in parts if len(part.halves) > 4 and part.objects]


def of_video(video: Video, frames: Iterable[int]) -> list[Film]:
    """Of one object."""
    return film(video.name, ((video.image(at), video.mask(at)) for at in frames))


def of_scene(seed: int, frames: int, objects: int, twins: bool) -> list[Film]:
    """A rendered scene."""
    scene = SceneSource(seed, SIZE, objects=objects, frame_count=None, twins=twins)
    return film(f"scene-{seed}", ((scene.render(at), scene.truth(at).labels) for at in range(frames)))


def of_photos(draw: DrawPhoto, frames: int, rng: np.random.Generator) -> list[Film]:
    """A photograph that moves, and cut-outs of it and of others that move in front of it."""
    return film("photos", _photo_frames(draw, frames, rng))


@dataclass(frozen=True, slots=True)
class _Layer:
    """Something cut out that moves in front of what is behind it."""

    image: Image
    mask: Image
    path: _Path

    def over(self, image: Image, at: int) -> tuple[Image, Image]:
        """An image with it on a frame, and its mask there."""
        warp = self.path.warp(at)
        shape = warp.mask(self.mask)
        return (blend(image, warp.image(self.image), shape, np.random.default_rng(0)) if shape.any() else image), shape


def _photo_frames(draw: DrawPhoto, frames: int, rng: np.random.Generator) -> Iterator[tuple[Image, Labels]]:
    photo = draw(rng)
    masks = list(photo.masks(rng.permutation(len(photo.regions))[:5].tolist()))
    ground, layers = _ground(photo, rng), _layers(photo, draw, rng)
    blur_px, noise = rng.choice([0.0, 0.0, 0.8]), rng.choice([0.0, 3.0, 6.0])
    for at in range(frames):
        warp = ground.warp(at)
        image, shapes = warp.image(photo.image_rgb), [warp.mask(mask) for mask in masks]
        for layer in layers:
            image, shape = layer.over(image, at)
            shapes.append(shape)
        labels = np.zeros(SIZE[::-1], np.uint8)
        for number, shape in enumerate(visible_masks(shapes), 1):
            labels[shape > 0] = number
        if blur_px:
            image = cv2.GaussianBlur(image, (0, 0), blur_px).astype(np.uint8)
        yield np.clip(image + rng.normal(0, noise, image.shape), 0, 255).astype(np.uint8), labels


def _ground(photo: Photo, rng: np.random.Generator) -> _Path:
    height, width = photo.image_rgb.shape[:2]
    fit = COVER * max(SIZE[0] / width, SIZE[1] / height)
    middle = SIZE[0] / 2, SIZE[1] / 2
    return _Path((width / 2, height / 2), middle, fit, rng, speed=float(rng.choice([0.0, 1.0, 3.0])), bend_px=1.0)


def _layers(photo: Photo, draw: DrawPhoto, rng: np.random.Generator) -> list[_Layer]:
    """Cut out of the photograph itself, of others, or the twin of the one before."""
    layers: list[_Layer] = []
    for _ in range(int(rng.integers(1, 5))):
        if layers and rng.random() < 0.5:
            image, mask = layers[-1].image, layers[-1].mask
        else:
            source = photo if rng.random() < 0.3 else draw(rng)
            image, mask = source.image_rgb, source.masks([int(rng.integers(len(source.regions)))])[0]
        x0, y0, x1, y1 = tight_box(mask).tolist()
        scale = rng.uniform(0.12, 0.6) * SIZE[1] / max(x1 - x0, y1 - y0, 1)
        place = rng.uniform(0.1, 0.9) * SIZE[0], rng.uniform(0.15, 0.85) * SIZE[1]
        speed, middle = float(rng.choice([1.0, 3.0, 7.0])), ((x0 + x1) / 2, (y0 + y1) / 2)
        path = _Path(middle, place, scale, rng, speed, bend_px=0.1 * (x1 - x0) * scale)
        layers.append(_Layer(image, mask, path))
    return layers


class _Path:
    """A smooth way through the picture: it drifts, sways, turns, grows and bends.

    Args:
        center: Of what moves, in its own picture [px].
        place: Where that is on the first frame [px].
        scale: By how much it is enlarged there.
        rng: Draws.
        speed: How fast it moves [px per frame].
        bend_px: How far it bends.
    """

    def __init__(
        self,
        center: tuple[float, float],
        place: tuple[float, float],
        scale: float,
        rng: np.random.Generator,
        speed: float,
        bend_px: float,
    ) -> None:
        self._center, self._place, self._scale = np.asarray(center), np.asarray(place), scale
        self._velocity = rng.normal(0, speed, 2)
        self._sway, self._phase = rng.normal(0, 4 * speed, 2), rng.uniform(0, 2 * np.pi, 6)
        self._rate = rng.uniform(0.1, 0.5, 6)
        self._turn, self._grow = rng.normal(0, 0.02 * min(speed, 3)), rng.normal(0, 0.012 * min(speed, 2))
        self._rock = rng.normal(0, 0.1 * min(speed, 2))
        self._bends = rng.normal(0, 0.6 * bend_px, (2, BEND_CELLS, BEND_CELLS, 2)).astype(np.float32)
        self._flip = rng.choice([-1.0, 1.0])

    def warp(self, at: int) -> Warp:
        """On a frame."""
        swing = np.sin(self._rate * at + self._phase)
        place = self._place + self._velocity * at + self._sway * swing[:2]
        angle = self._turn * at + self._rock * swing[2]
        scale = self._scale * np.exp(np.clip(self._grow * at, -0.7, 0.7))
        spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = scale * spin @ np.diag([self._flip, 1.0])
        matrix = np.column_stack([linear, place - linear @ self._center]).astype(np.float32)
        bends = self._bends[0] * swing[3] + self._bends[1] * swing[4]
        return warp_through(matrix, cv2.resize(bends, SIZE, interpolation=cv2.INTER_CUBIC).astype(np.float32))
