"""Objects without a prompt: SAM's automatic masks on an embedding that is there already, and which are worth following.

They are judged at the low resolution of the logits, where that is a hundred times cheaper than on frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.models.automatic import Candidate, Logits, candidates, distinct
from streamer.models.parameters import AutomaticParameters
from streamer.models.protocols import Embedding, Found, Segmenter
from streamer.models.sam.networks import amg

LOW_RES_PX_PER_POINT = 20
"""Pixels of the logits between two points of the grid that is asked about, in x and in y: five cells of embeddings."""
MIN_POINTS_PER_SIDE = 8
SURE_ENOUGH = AutomaticParameters(points_per_batch=16, pred_iou_thresh=0.15, stability_score_thresh=0.2)
"""Low, since small models are less certain of all; what counts is how an object compares with the best one."""
MIN_WORTH_SHARE, MIN_THING_WORTH_SHARE = 0.5, 0.2
"""Of what the best object is worth; the latter where it is known what is a thing, which tells far more apart."""
THING_WEIGHT = 2
"""Exponent of the share of a region that is a thing."""
MIN_AREA_SHARE = 0.002
"""Of the frame; below are specks."""
MAX_AREA_SHARE = 0.6
"""Of the frame; above is background."""
MAX_BORDER_SHARE = 0.2
"""Of the pixels along the frame's border; what covers more of them is background."""
MAX_OVERLAP = 0.5
"""Of the smaller of two masks; what overlaps more is the same object."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A mask that may be an object.

    Attributes:
        mask: ``(h, w)`` bool on the part of the low-resolution logits that shows the frame.
        candidate: Of which it is the mask.
        thing: How much of it is a thing rather than a wall, sky or floor, 0 to 1; 1 where nobody knows.
    """

    mask: NDArray[np.bool_]
    candidate: Candidate
    thing: float = 1.0


def find(
    segmenter: Segmenter,
    embedding: Embedding,
    valid_size: tuple[int, int],
    limit: int,
    things: NDArray[np.float32] | None = None,
) -> list[Found]:
    """Up to ``limit`` objects as `Segmenter.find` returns them, the one most worth following first: see `_worth`.

    Left out is what looks like background (most of the frame or of its border), specks, what mostly overlaps with an
    object found before, and what is worth far less than the best one.

    Args:
        segmenter: Decodes the points.
        embedding: Of the frame.
        valid_size: (width, height) of the part of the low-resolution logits that shows the frame.
        limit: How many objects at most.
        things: ``(h, w)`` probability that there is a thing, of any resolution; None where the model does not say.
    """
    columns, rows = valid_size

    def valid(logits: Logits) -> Logits:
        return logits[..., :rows, :columns]

    points_per_side = max(MIN_POINTS_PER_SIDE, max(valid_size) // LOW_RES_PX_PER_POINT)
    points = amg.build_point_grid(points_per_side) * embedding.image_size
    found = distinct(candidates(segmenter, embedding, points, SURE_ENOUGH, valid), SURE_ENOUGH.box_nms_thresh)
    regions = [Region(valid(one.logits) > 0, one) for one in found]
    if things is None:
        chosen = [one.candidate for one in _worthiest(regions, limit)]
    else:
        chances = cv2.resize(things, valid_size, interpolation=cv2.INTER_LINEAR)
        known = [replace(one, thing=float(chances[one.mask].mean()) if one.mask.any() else 0.0) for one in regions]
        chosen = [one.candidate for one in _worthiest(known, limit, MIN_THING_WORTH_SHARE)]
    if not chosen:
        return []
    masks = segmenter.upscale(np.stack([one.logits for one in chosen]), embedding.image_size) > 0
    return [Found(mask, one.predicted_iou) for mask, one in zip(masks, chosen, strict=True)]


def _worthiest(regions: Sequence[Region], limit: int, least_share: float = MIN_WORTH_SHARE) -> list[Region]:
    ranked = sorted(
        ((_worth(region), region) for region in regions if _is_object(region.mask)),
        key=lambda pair: pair[0],
        reverse=True,
    )
    chosen: list[Region] = []
    for worth, region in ranked:
        if len(chosen) == limit or worth < least_share * ranked[0][0]:
            break
        if not any(_overlap(region.mask, other.mask) for other in chosen):
            chosen.append(region)
    return chosen


def _worth(region: Region) -> float:
    """How much one would want to follow it: sure, stable, not cut off by the frame, as background is, and rather large.

    Taking the largest stable ones found 15 % of the objects of held-out photographs with 2.0 masks each, 36 % of them
    right; this found 28 % with 2.9, 43 % right; what knows things from the rest, more (`training/README.md`).
    """
    mask, one = region.mask, region.candidate
    outline = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    cut_off = np.count_nonzero(_border(mask))
    whole = outline / (outline + cut_off)
    shape = one.predicted_iou * one.stability_score * whole**2 * mask.mean() ** 0.125
    return float(shape * region.thing**THING_WEIGHT)


def _is_object(mask: NDArray[np.bool_]) -> bool:
    return MIN_AREA_SHARE <= mask.mean() <= MAX_AREA_SHARE and _border(mask).mean() <= MAX_BORDER_SHARE


def _border(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])


def _overlap(mask: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    return bool(np.count_nonzero(mask & other) > MAX_OVERLAP * min(np.count_nonzero(mask), np.count_nonzero(other)))
