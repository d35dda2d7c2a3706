"""Endless training samples for DPT: rendered scenes and rooms with measured depth, with real objects put into them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training import augment, prompts
from training.photos import Photo, read_image
from training.scenes import draw_rendered

TRAINING_FRAMES = 100


@dataclass(frozen=True, slots=True)
class DepthFrame:
    """A picture and how near everything in it is.

    Attributes:
        image_rgb: ``(H, W, 3)`` uint8.
        inverse_depth: ``(H, W)`` float32 [1/m], 0 where unknown.
    """

    image_rgb: NDArray[np.uint8]
    inverse_depth: NDArray[np.float32]


def load_rgbd(data: Path, held_out: bool) -> list[DepthFrame]:
    """The 7-Scenes frames: the first 100 to train with, the other 50 to measure with."""
    paths = sorted((data / "rgbd").glob("*.color.jpg"))
    chosen = paths[TRAINING_FRAMES:] if held_out else paths[:TRAINING_FRAMES]
    return [_with_depth(path) for path in chosen]


def load_place(folder: Path) -> list[DepthFrame]:
    """What a folder holds of `rgbd`'s kind: ``*.color.jpg`` beside ``*.depth.png``, 16-bit, in any unit, 0 unknown."""
    return [_with_depth(path) for path in sorted(folder.glob("*.color.jpg"))]


def load_hololens(data: Path) -> list[DepthFrame]:
    """The office and corridor frames of the HoloLens sample."""
    folder = data / "rgbd-hololens"
    return [_frame(path, folder / "depth" / path.name) for path in sorted((folder / "images").glob("*.png"))]


def _with_depth(path: Path) -> DepthFrame:
    return _frame(path, path.with_name(path.name.replace(".color.jpg", ".depth.png")))


def _frame(image_path: Path, depth_path: Path) -> DepthFrame:
    depth_mm = cv2.imread(str(depth_path), cv2.IMREAD_UNCHANGED)
    if depth_mm is None:
        raise FileNotFoundError(f"{depth_path} is no depth map: give the data's folder with --data.")
    known = (depth_mm > 0) & (depth_mm < 65535)
    inverse = np.where(known, 1000.0 / np.maximum(depth_mm, 1), 0.0).astype(np.float32)
    return DepthFrame(read_image(image_path), inverse)


def depth_samples(
    places: Sequence[Sequence[DepthFrame]], photos: Sequence[Photo], side_px: int, seed: int
) -> Iterator[dict[str, NDArray[Any]]]:
    """An endless stream of squares with inverse depth; the same seed gives the same stream."""
    rng = np.random.default_rng(seed)
    while True:
        yield make_depth_sample(places, photos, side_px, rng)


def make_depth_sample(
    places: Sequence[Sequence[DepthFrame]], photos: Sequence[Photo], side_px: int, rng: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """``image`` ``(S, S, 3)`` uint8, ``inverse_depth`` ``(S, S)`` float32, ``valid`` ``(S, S)`` float32 0 or 1."""
    if rng.random() < 0.5:
        # A hundred frames of one room tell more than one does, but not a hundred times as much.
        weights = np.sqrt([len(place) for place in places])
        place = places[int(rng.choice(len(places), p=weights / weights.sum()))]
        frame = place[int(rng.integers(len(place)))]
    else:
        rendered = draw_rendered(rng)
        frame = DepthFrame(rendered.image_rgb, rendered.inverse_depth)
    image, inverse = _crop(frame, side_px, rng)
    for _ in range(int(rng.integers(0, 4))):
        image, inverse = stand_in(image, inverse, photos[int(rng.integers(len(photos)))], rng)
    image = augment.spoil(augment.jitter_color(image, rng), rng)
    return {"image": image, "inverse_depth": inverse, "valid": (inverse > 0).astype(np.float32)}


def _crop(frame: DepthFrame, side_px: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A random part of the frame, squeezed into a square as DPT's own preprocessing does, perhaps flipped."""
    height, width = frame.inverse_depth.shape
    share = 1.0 if rng.random() < 0.4 else rng.uniform(0.5, 1.0)
    crop_width, crop_height = int(width * share), int(height * min(1.0, share * np.exp(rng.normal(0, 0.1))))
    x0, y0 = int(rng.integers(width - crop_width + 1)), int(rng.integers(height - crop_height + 1))
    window = np.s_[y0 : y0 + crop_height, x0 : x0 + crop_width]
    size = (side_px, side_px)
    image = cv2.resize(frame.image_rgb[window], size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    inverse = cv2.resize(frame.inverse_depth[window], size, interpolation=cv2.INTER_NEAREST).astype(np.float32)
    if rng.random() < 0.5:
        image, inverse = image[:, ::-1].copy(), inverse[:, ::-1].copy()
    return image, inverse


def stand_in(
    image: NDArray[np.uint8], inverse: NDArray[np.float32], photo: Photo, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Put an object of a photograph upright into the room, where its lowest point touches what is there.

    Objects in the foreground of real pictures are what rendered scenes and static rooms lack most.
    """
    source = photo.masks([int(rng.integers(len(photo.regions)))])[0]
    x0, y0, x1, y1 = prompts.tight_box(source).tolist()
    matrix = augment.paste_matrix((x0, y0, x1, y1), (image.shape[1], image.shape[0]), rng)
    mask = augment.warp_mask(source, matrix, (image.shape[1], image.shape[0]))
    if source.mean() > 0.5 or int(mask.sum()) < 100:
        return image, inverse
    lowest = int(np.flatnonzero(mask.any(axis=1))[-1])
    touched = inverse[lowest][mask[lowest] > 0]
    if not (touched > 0).any():
        return image, inverse
    nearness = np.float32(np.median(touched[touched > 0]) * rng.uniform(1.0, 1.1))
    mask &= (inverse <= nearness).astype(np.uint8)
    pasted = augment.warp_image(photo.image_rgb, matrix, (image.shape[1], image.shape[0]))
    return augment.blend(image, pasted, mask, rng), np.where(mask > 0, nearness, inverse)
