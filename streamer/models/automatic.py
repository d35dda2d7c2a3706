"""Everything in an image: SAM's automatic masks (Kirillov et al., 2023, section 4) for any segmenter.

The same masks as upstream's ``SamAutomaticMaskGenerator`` on the same weights, in less time: points are decoded in
batches on one embedding, what is not sure enough is dropped before it is enlarged, and what is left stays at the low
resolution of the logits until it is known which masks are chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from streamer.data.automatic_mask import AutomaticMask, Box
from streamer.data.mask import box_of
from streamer.data.prompt import Prompt
from streamer.models.parameters import AutomaticParameters
from streamer.models.protocols import Embedding, Segmenter
from streamer.models.sam.networks import amg
from streamer.models.stability import stability

Logits = NDArray[np.float32]
Enlarge = Callable[[Logits], Logits]
"""``(M, h, w)`` low-resolution logits to the resolution on which masks are judged."""

MOST_ENLARGED = 16
"""Masks at once: more would only take memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A mask that SAM is sure enough of, at low resolution.

    Attributes:
        logits: ``(h, w)`` float32 low-resolution logits.
        box_xyxy: Tightest box at the resolution on which masks are judged, x0, y0, x1, y1, x1 and y1 exclusive.
        predicted_iou, stability_score: As in `AutomaticMask`.
        point: (x, y) that SAM was asked about, in pixels of the encoded image.
    """

    logits: Logits
    box_xyxy: Box
    predicted_iou: float
    stability_score: float
    point: tuple[float, float]


def automatic_masks(
    segmenter: Segmenter,
    image_rgb: NDArray[np.uint8],
    parameters: AutomaticParameters,
    embedding: Embedding | None = None,
) -> list[AutomaticMask]:
    """Everything in a ``(H, W, 3)`` uint8 RGB image, the surest first.

    Args:
        segmenter: Encodes the image (and, where crops are asked for, each crop of it) and decodes the points.
        image_rgb: What to look at.
        parameters: Of the generator, in its own words.
        embedding: Of the image, where there is one already.
    """
    height, width = image_rgb.shape[:2]
    grids = amg.build_all_layer_point_grids(
        parameters.points_per_side, parameters.crop_n_layers, parameters.crop_n_points_downscale_factor
    )
    boxes, layers = amg.generate_crop_boxes((height, width), parameters.crop_n_layers, parameters.crop_overlap_ratio)
    found: list[AutomaticMask] = []
    smallness: list[float] = []
    for (x0, y0, x1, y1), layer in zip(boxes, layers, strict=True):
        crop = np.ascontiguousarray(image_rgb[y0:y1, x0:x1])
        known = embedding if embedding is not None and layer == 0 else segmenter.encode(crop)
        points = grids[layer] * (x1 - x0, y1 - y0)
        of_crop = _of_crop(segmenter, known, points, parameters, (x0, y0, x1, y1), (width, height))
        found += of_crop
        smallness += [1 / ((x1 - x0) * (y1 - y0))] * len(of_crop)
    if len(boxes) > 1:  # the same thing is seen in several crops: the mask of the smallest one is the finest
        found = [found[at] for at in suppressed([one.box_xyxy for one in found], smallness, parameters.crop_nms_thresh)]
    if parameters.min_mask_region_area > 0:
        found = _without_small_regions(found, parameters)
    return found


def candidates(
    segmenter: Segmenter,
    embedding: Embedding,
    points: NDArray[np.floating],
    parameters: AutomaticParameters,
    enlarge: Enlarge,
) -> list[Candidate]:
    """What SAM says of ``(N, 2)`` points of the encoded image, as far as it is sure enough and stable.

    Args:
        segmenter: Decodes.
        embedding: Of the image.
        points: (x, y) in pixels of the image.
        parameters: What is sure enough.
        enlarge: To the resolution on which stability and boxes are judged.
    """
    kept: list[Candidate] = []
    for batch in _batches(points, parameters.points_per_batch):
        decoded = segmenter.decode(embedding, [Prompt([point]) for point in batch])
        sure = decoded.scores > parameters.pred_iou_thresh if parameters.pred_iou_thresh > 0 else decoded.scores > -1e9
        places = np.argwhere(sure)
        for some in _batches(places, MOST_ENLARGED):
            logits = decoded.logits[some[:, 0], some[:, 1]]
            for (row, column), small, large in zip(some.tolist(), logits, enlarge(logits), strict=True):
                stable = stability(large, parameters.stability_score_offset)
                if stable >= parameters.stability_score_thresh:
                    box = box_of(large > 0) or (0.0, 0.0, 1.0, 1.0)
                    x, y = batch[row].tolist()
                    kept.append(Candidate(small, box, float(decoded.scores[row, column]), stable, (x, y)))
    return kept


def suppressed(boxes: Sequence[Box], scores: Sequence[float], threshold: float) -> list[int]:
    """Places of the boxes that no better one overlaps with an IoU above the threshold, the best first."""
    if not boxes:
        return []
    x0, y0, x1, y1 = np.array(boxes, np.float32).T - np.array([[0], [0], [1], [1]], np.float32)  # as upstream's boxes
    areas = (x1 - x0) * (y1 - y0)
    open_ = np.argsort(-np.array(scores, np.float32), kind="stable")
    kept: list[int] = []
    while len(open_):
        best, open_ = open_[0], open_[1:]
        kept.append(int(best))
        shared_x = np.minimum(x1[best], x1[open_]) - np.maximum(x0[best], x0[open_])
        shared_y = np.minimum(y1[best], y1[open_]) - np.maximum(y0[best], y0[open_])
        shared = np.maximum(shared_x, 0) * np.maximum(shared_y, 0)
        with np.errstate(invalid="ignore"):  # two boxes of a pixel have no area, upstream's way
            iou = shared / (areas[best] + areas[open_] - shared)
        open_ = open_[~(iou.astype(np.float64) > threshold)]
    return kept


def distinct(found: Sequence[Candidate], threshold: float) -> list[Candidate]:
    """Candidates whose boxes no surer one overlaps with an IoU above the threshold, the surest first."""
    kept = suppressed([one.box_xyxy for one in found], [one.predicted_iou for one in found], threshold)
    return [found[at] for at in kept]


def _of_crop(
    segmenter: Segmenter,
    embedding: Embedding,
    points: NDArray[np.floating],
    parameters: AutomaticParameters,
    crop: tuple[int, int, int, int],
    image_size: tuple[int, int],
) -> list[AutomaticMask]:
    """The masks of one crop x0, y0, x1, y1 of an image of this (width, height), on the whole image."""
    x0, y0, x1, y1 = crop
    size = x1 - x0, y1 - y0
    found = candidates(segmenter, embedding, points, parameters, lambda logits: segmenter.upscale(logits, size))
    found = [one for one in found if not _is_cut_off(one.box_xyxy, crop, image_size)]
    masks = []
    for one in distinct(found, parameters.box_nms_thresh):
        mask = np.zeros(image_size[::-1], bool)
        mask[y0:y1, x0:x1] = segmenter.upscale(one.logits[None], size)[0] > 0
        left, top, right, bottom = one.box_xyxy
        box = left + x0, top + y0, right + x0, bottom + y0
        point = one.point[0] + x0, one.point[1] + y0
        masks.append(AutomaticMask(mask, box, one.predicted_iou, one.stability_score, point))
    return masks


def _is_cut_off(box: Box, crop: tuple[int, int, int, int], image_size: tuple[int, int]) -> bool:
    """Whether a box ends at the edge of its crop rather than at that of the image: another crop shows more of it."""
    inclusive = torch.tensor([[box[0], box[1], box[2] - 1, box[3] - 1]])
    return bool(amg.is_box_near_crop_edge(inclusive, list(crop), [0, 0, *image_size])[0])


def _without_small_regions(found: list[AutomaticMask], parameters: AutomaticParameters) -> list[AutomaticMask]:
    """Holes filled and islands dropped that are smaller than the least area; what then is a duplicate is left out."""
    cleaned, untouched = [], []
    for one in found:
        mask, changed = one.mask, False
        for mode in ("holes", "islands"):
            mask, now = amg.remove_small_regions(mask, parameters.min_mask_region_area, mode=mode)
            changed = changed or bool(now)
        untouched.append(float(not changed))
        mask = np.ascontiguousarray(mask, bool)
        cleaned.append(replace(one, mask=mask, box_xyxy=box_of(mask) or (0.0, 0.0, 1.0, 1.0)) if changed else one)
    threshold = max(parameters.box_nms_thresh, parameters.crop_nms_thresh)
    return [cleaned[at] for at in suppressed([one.box_xyxy for one in cleaned], untouched, threshold)]


def _batches(values: NDArray, count: int) -> Iterator[NDArray]:
    return (values[start : start + count] for start in range(0, len(values), count))
