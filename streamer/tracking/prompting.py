"""The prompt for one object: what the person said about it, and what is carried."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamer.data.mask import box_of, innermost_of
from streamer.data.prompt import FOREGROUND, Prompt
from streamer.motion.anchors import Anchor
from streamer.motion.pyramid import Grid
from streamer.tracking import points
from streamer.tracking.objects import Object
from streamer.tracking.refine import INSIDE


def seed_points(item: Object, gray: NDArray[np.uint8], grid: Grid, count: int) -> None:
    """Keep the object's followed points that are still on its mask, and choose new ones for the rest."""
    if item.shown is None or count == 0:
        return
    mask = item.shown > INSIDE
    if not mask.any():
        return
    kept = grid.from_frame(item.points)
    kept = kept[points.inside(mask, kept)]
    item.points, item.points_lost = grid.to_frame(points.positive(mask, gray, count, kept)), 0.0


def prompt_for(item: Object, others: NDArray[np.bool_], grid: Grid, negatives: int) -> Prompt | None:
    """Clicks, followed points, points beside it, and the box, drawn or else carried; None where nothing is known.

    Args:
        others: ``(h, w)`` where other objects are.
        negatives: How many points beside the object.
    """
    coords, labels, box = item.clicks, item.labels, item.box
    mask = None if item.shown is None else item.shown > INSIDE
    if mask is not None and mask.any():
        inner = item.points if len(item.points) else grid.to_frame(np.asarray([innermost_of(mask)], np.float32))
        more, kinds = points.labelled(inner, grid.to_frame(points.negative(mask, others, negatives)))
        coords, labels = np.concatenate([coords, more]), np.append(labels, kinds)
        tight = box_of(mask)
        # What the frame cuts off may be coming in: then its box of before keeps SAM from seeing the rest.
        if box is None and tight is not None and _is_within(tight, grid.size):
            box = grid.to_frame(np.asarray(tight, np.float32).reshape(2, 2) - 0.5).ravel()
    if box is None and not (labels == FOREGROUND).any():
        return None
    return Prompt(coords, labels, box)


def _is_within(box: tuple[float, float, float, float], size: tuple[int, int]) -> bool:
    """Whether a box x0, y0, x1, y1 leaves a pixel free on each side of a grid of (width, height) ``size``."""
    return box[0] > 1 and box[1] > 1 and box[2] < size[0] - 1 and box[3] < size[1] - 1


def moved(prompt: Prompt, anchor: Anchor) -> Prompt:
    """The prompt as it lay on the anchor's frame; a box is moved by its center."""
    coords = anchor.points_to_anchor(prompt.point_coords)
    box = prompt.box
    if box is not None:
        center = box.reshape(2, 2).mean(axis=0, keepdims=True)
        box = box + np.tile(anchor.points_to_anchor(center) - center, 2).ravel()
    return Prompt(coords, prompt.point_labels, box)
