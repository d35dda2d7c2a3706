"""Measure clicks: ``python -m training.evaluate_clicks`` corrects the masks of held-out photographs click by click.

The first click lies in the middle of a region, every further one in the middle of the largest piece that is wrong, as
in the protocol of RITM (Sofiiuk et al., 2022). What answers is what answers in the program.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from streamer.data.mask import innermost_of
from streamer.data.prompt import Prompt
from streamer.models.parameters import SegmenterParameters
from streamer.models.protocols import Segmenter
from streamer.models.registry import load_segmenter
from streamer.motion.pyramid import Grid
from streamer.tracking.clicks import ClickRequest, answer
from streamer.tracking.soft_masks import INSIDE, SoftMask, overlap
from training.photos import DATA_ROOT, Photo, load_coco

GRID_PX = 424
MIN_SHARE = 0.01
WORSE = 0.02


def clicked(segmenter: Segmenter, photo: Photo, region: int, embedding, clicks: int) -> list[float]:
    height, width = photo.image_rgb.shape[:2]
    grid = Grid.of((width, height), GRID_PX)
    truth = grid.shrink(photo.masks([region])[0]) > 0
    image = grid.shrink(photo.image_rgb)
    base: SoftMask | None = None
    coords, labels, ious = [], [], []
    for _ in range(clicks):
        mask = np.zeros_like(truth) if base is None else base > INSIDE
        coords.append(grid.to_frame(np.array([next_click(mask, truth)], np.float32))[0])
        x, y = np.rint(grid.from_frame(coords[-1][None])[0]).astype(int)
        labels.append(int(truth[y, x]))
        request = ClickRequest(1, 1, Prompt(coords, labels), base=base, fresh=1)
        base = answer(segmenter, embedding, [request], image, grid, 2)[0].soft_mask
        ious.append(overlap(base > INSIDE, truth))
        assert (base[y, x] > INSIDE) == truth[y, x]
    return ious


def next_click(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> tuple[float, float]:
    wrong = mask != truth
    if not wrong.any():
        return innermost_of(truth)
    both = []
    for part in (truth & ~mask, mask & ~truth):
        d = cv2.distanceTransform(np.pad(part.astype(np.uint8), 1), cv2.DIST_L2, 5)
        both.append((d.max(), part))
    return innermost_of(max(both, key=lambda e: e[0])[1])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=DATA_ROOT)
    options.add_argument("--clicks", type=int, default=6)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--limit", type=int, default=60)
    a = options.parse_args()
    torch.set_num_threads(a.threads)
    segmenter = load_segmenter(SegmenterParameters(), "cpu")
    rows = []
    for photo in load_coco(a.data, held_out=True)[: a.limit]:
        embedding = segmenter.encode(photo.image_rgb)
        for region in range(len(photo.regions)):
            if photo.masks([region])[0].mean() > MIN_SHARE:
                rows.append(clicked(segmenter, photo, region, embedding, a.clicks))
    table = np.array(rows)
    change = np.diff(table, axis=1)
    print(len(rows), "regions; mean IoU by click", np.round(table.mean(0), 3))
    print("worse by more than .02:", np.round((change < -WORSE).mean(0), 3), "all", (change < -WORSE).mean().round(3))
    noc = np.array([next((i + 1 for i, v in enumerate(r) if v >= 0.85), a.clicks) for r in table])
    print("NoC@85 (at most %d): %.2f" % (a.clicks, noc.mean()), "reached", (table.max(1) >= 0.85).mean().round(3))


if __name__ == "__main__":
    main()
