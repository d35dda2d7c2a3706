"""What needs no training: GrabCut from the box, flood fill and watershed from the click.

They run on the picture at 256 px, which costs them next to nothing and spares minutes; their masks are scaled back.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.mask import innermost_of
from streamer.evaluation.metrics import iou
from training import prompts
from training.benchmarks import Benchmark, large_regions

SIDE_PX = 256

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def grabcut(image: Image, box: NDArray[np.float32]) -> Mask:
    """GrabCut (Rother et al., 2004), five iterations from a box x0, y0, x1, y1 [px]."""
    x0, y0, x1, y1 = (round(float(value)) for value in box)
    labels = np.zeros(image.shape[:2], np.uint8)
    if (x1 - x0) * (y1 - y0) >= labels.size or x1 - x0 < 2 or y1 - y0 < 2:
        return np.ones(labels.shape, bool)
    rectangle = (x0, y0, x1 - x0, y1 - y0)
    cv2.setRNGSeed(0)
    cv2.grabCut(image, labels, rectangle, None, None, 5, cv2.GC_INIT_WITH_RECT)
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def flood_fill(image: Image, point: tuple[float, float], tolerance: int = 12) -> Mask:
    """Everything connected to the click whose neighbors differ by at most ``tolerance`` in each channel."""
    smooth = cv2.bilateralFilter(image, 5, 40, 5)
    mask = np.zeros((image.shape[0] + 2, image.shape[1] + 2), np.uint8)
    seed = (int(point[0]), int(point[1]))
    cv2.floodFill(smooth, mask, seed, (0, 0, 0), (tolerance,) * 3, (tolerance,) * 3, 4 | cv2.FLOODFILL_MASK_ONLY)
    return mask[1:-1, 1:-1] > 0


def watershed(image: Image, point: tuple[float, float]) -> Mask:
    """Watershed with one seed at the click and one along the picture's border."""
    markers = np.ones(image.shape[:2], np.int32)
    # OpenCV writes over the outermost pixels, so a seed needs to be wider than one.
    markers[2:-2, 2:-2] = 0
    cv2.circle(markers, (int(point[0]), int(point[1])), 4, 2, -1)
    return cv2.watershed(image, markers) == 2


def measure_baselines(benchmark: Benchmark) -> dict[str, float]:
    """Mean IoU of each baseline over the same regions as the model's."""
    results: dict[str, list[float]] = {"GrabCut, box": [], "flood fill, click": [], "watershed, click": []}
    for photo in benchmark.photos:
        height, width = photo.image_rgb.shape[:2]
        scale = SIDE_PX / max(height, width)
        small_size = (round(width * scale), round(height * scale))
        small = cv2.resize(photo.image_rgb, small_size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        for truth in large_regions(photo):
            x, y = innermost_of(truth)
            box, point = prompts.tight_box(truth) * np.float32(scale), (x * scale, y * scale)
            attempts = {
                "GrabCut, box": grabcut(small, box),
                "flood fill, click": flood_fill(small, point),
                "watershed, click": watershed(small, point),
            }
            for name, small_mask in attempts.items():
                mask = cv2.resize(small_mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
                results[name].append(iou(mask > 0, truth))
    return {name: float(np.mean(values)) for name, values in results.items()}
