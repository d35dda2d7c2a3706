"""Measure clicks: ``python -m training.evaluate_clicks`` corrects the masks of held-out photographs click by click.

The first click lies in the middle of a region, every further one in the middle of the widest piece that is wrong, as in
interactive segmentation (RITM, Sofiiuk et al., 2022). What answers is what answers in the program.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from streamer.data.mask import innermost_of
from streamer.data.prompt import Prompt
from streamer.models.parameters import SegmenterParameters
from streamer.models.protocols import Embedding, Segmenter
from streamer.models.registry import load_segmenter
from streamer.motion.parameters import FlowParameters
from streamer.motion.pyramid import Grid
from streamer.tracking.clicks import ClickRequest, answer
from streamer.tracking.parameters import TrackingParameters
from streamer.tracking.soft_masks import INSIDE, SoftMask, overlap
from training.photos import DATA_ROOT, Photo, load_coco

Mask = NDArray[np.bool_]
MIN_SHARE = 0.01
WORSE = 0.02
GOOD_IOU = 0.85
SHOWN_CLICKS = 6


def clicked(segmenter: Segmenter, photo: Photo, embedding: Embedding, region: int, clicks: int) -> list[float]:
    """IoU with a region after each click; the clicks end where nothing is wrong."""
    height, width = photo.image_rgb.shape[:2]
    grid = Grid.of((width, height), FlowParameters().grid_side_px)
    truth, image = grid.shrink(photo.masks([region])[0]) > 0, grid.shrink(photo.image_rgb)
    coords: list[NDArray[np.float32]] = []
    labels: list[int] = []
    base: SoftMask | None = None
    ious: list[float] = []
    for _ in range(clicks):
        x, y = next_click(np.zeros_like(truth) if base is None else base > INSIDE, truth)
        coords.append(grid.to_frame(np.array([[x, y]], np.float32))[0])
        labels.append(int(truth[y, x]))
        request = ClickRequest(1, Prompt(coords, labels), base=base, fresh=1)
        base = answer(segmenter, embedding, [request], image, grid, TrackingParameters().passes)[0].soft_mask
        assert (base[y, x] > INSIDE) == truth[y, x], "a click is always as it was meant"
        ious.append(overlap(base > INSIDE, truth))
    return ious


def next_click(mask: Mask, truth: Mask) -> tuple[int, int]:
    """The middle of the widest wrong piece; of the region itself where nothing is wrong."""
    wrong = [part for part in (truth & ~mask, mask & ~truth) if part.any()] or [truth]
    x, y = innermost_of(max(wrong, key=_depth_of))
    return round(x), round(y)


def _depth_of(mask: Mask) -> float:
    return float(cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5).max())


def report(table: NDArray[np.float64]) -> None:
    """Print what clicks bring; ``table`` is (regions, clicks) IoU."""
    shown = table[:, :SHOWN_CLICKS]
    worse = np.diff(shown, axis=1) < -WORSE
    reached = table >= GOOD_IOU
    needed = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, table.shape[1])
    print(f"{len(table)} regions")
    print("mean IoU after click 1, 2, ...:", " ".join(f"{value:.3f}" for value in shown.mean(axis=0)))
    print(f"share of further clicks that make it worse by more than {WORSE}: {worse.mean():.3f}")
    print(f"clicks to IoU {GOOD_IOU}, at most {table.shape[1]}: {needed.mean():.2f}")
    print(f"share of regions that reach it: {reached.any(axis=1).mean():.3f}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=DATA_ROOT)
    options.add_argument("--clicks", type=int, default=20)
    options.add_argument("--threads", type=int, default=1)
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    segmenter = load_segmenter(SegmenterParameters(), "cpu")
    rows = []
    for photo in load_coco(arguments.data, held_out=True):
        embedding = segmenter.encode(photo.image_rgb)
        regions = [at for at in range(len(photo.regions)) if photo.masks([at])[0].mean() > MIN_SHARE]
        rows += [clicked(segmenter, photo, embedding, at, arguments.clicks) for at in regions]
    report(np.array(rows))


if __name__ == "__main__":
    main()
