"""Measure the depth of people: ``python -m training.evaluate_people`` on frames of DAVIS-2016 train with people.

There is no true depth, but a person stands before what is around. So: the share of a person's pixels that the depth
model puts nearer than the median of a ring around the person, a tenth of their height wide.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from streamer.data.mask import box_of
from streamer.models.parameters import DepthParameters
from streamer.models.registry import load_depth
from training.memory_videos import load_videos
from training.photos import DATA_ROOT

PEOPLE = ("breakdance-flare", "dance-jump", "hike", "hockey", "lucia", "rollerblade", "swing", "tennis")
STEP = 10
RING_SHARE = 0.1


def nearer_share(inverse_depth: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """Share of the mask that is nearer than the median around it; both ``(H, W)``."""
    box = box_of(mask)
    assert box is not None
    side = 2 * max(2, round(RING_SHARE * (box[3] - box[1]))) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    ring = (cv2.dilate(mask.astype(np.uint8), disc) > 0) & ~mask
    return float((inverse_depth[mask] > np.median(inverse_depth[ring])).mean())


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=DATA_ROOT)
    options.add_argument("--model", default="tiny")
    options.add_argument("--threads", type=int, default=1)
    arguments = options.parse_args()
    torch.set_num_threads(arguments.threads)
    estimator, root = load_depth(DepthParameters(model=arguments.model), "cpu"), arguments.data / "davis-train"
    means = []
    for video in load_videos(root / "JPEGImages", root / "Annotations"):
        if video.name not in PEOPLE:
            continue
        frames = [frame for frame in range(0, len(video.images), STEP) if video.mask(frame).any()]
        shares = [nearer_share(estimator.estimate(video.image(at)), video.mask(at).astype(bool)) for at in frames]
        means.append(float(np.mean(shares)))
        print(f"{video.name}: {means[-1]:.3f} ({len(shares)} frames)", flush=True)
    print(f"mean: {np.mean(means):.3f}")


if __name__ == "__main__":
    main()
