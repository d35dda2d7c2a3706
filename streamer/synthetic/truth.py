"""The exact truth of a rendered frame: labels, inverse depth and flow."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.synthetic.canvas import Canvas
from streamer.synthetic.geometry import Matrix
from streamer.synthetic.renderer import Renderer

SAME_SURFACE = 0.02
"""Relative difference of inverse depth up to which two pixels show the same place of a body."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SceneTruth:
    """What is exactly to be seen in one frame.

    Attributes:
        labels: ``(H, W)`` uint8, object ids from 1; 0 is the background.
        inverse_depth: ``(H, W)`` float32 [1/m], larger is nearer. The painted sky of an open scene is about 70 m away.
        backward_flow: ``(H, W, 2)`` float32 (x, y) [px]: the point seen at pixel p was at p + flow in the frame before,
            seen there or not. Finite everywhere; 0 on frame 0.
        flow_valid: ``(H, W)`` bool, where that point was seen in the frame before; False everywhere on frame 0.
        visible: For every object id, the part of its outline in the picture that nothing hides, 0 to 1; 0 outside.
    """

    labels: NDArray[np.uint8]
    inverse_depth: NDArray[np.float32]
    backward_flow: NDArray[np.float32]
    flow_valid: NDArray[np.bool_]
    visible: dict[int, float]


def truth_of(renderer: Renderer, t: float, before: float | None) -> SceneTruth:
    """The truth at time t [s], with the flow to the frame at time ``before``; None for the first frame."""
    earlier = renderer.canvas(before) if before is not None else None
    canvas = renderer.canvas(t)
    labels = renderer.object_of_body[canvas.body]
    if before is None or earlier is None:
        flow, valid = np.zeros((*labels.shape, 2), np.float32), np.zeros(labels.shape, bool)
    else:
        flow, valid = _flow(renderer, canvas, earlier, t, before)
    return SceneTruth(labels, canvas.inverse_depth.copy(), flow, valid, _visible(renderer, canvas, labels))


def _flow(
    renderer: Renderer, canvas: Canvas, earlier: Canvas, t: float, before: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Where everything was, body by body: p' ~ K (R K^-1 p + w t), w the inverse depth."""
    height, width = canvas.body.shape
    there = np.empty((3, height, width), np.float32)
    for index, (now, then) in enumerate(zip(renderer.poses(t), renderer.poses(before), strict=True)):
        move = then @ np.linalg.inv(now)
        if index == 0:
            there[:] = _moved(renderer, move, 0, 0, canvas.inverse_depth)
            continue
        seen = (canvas.body == index).view(np.uint8)
        x, y, columns, rows = cv2.boundingRect(seen)
        if columns:
            region = np.s_[y : y + rows, x : x + columns]
            mask = seen[region].astype(bool)
            moved = _moved(renderer, move, x, y, canvas.inverse_depth[region])
            for plane, values in zip(there, moved, strict=True):
                np.copyto(plane[region], values, where=mask)
    return _projected(there, canvas, earlier)


def _moved(renderer: Renderer, move: Matrix, x: int, y: int, inverse_depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Homogeneous pixels of the frame before, times inverse depth, ``(3, h, w)``."""
    rows, columns = inverse_depth.shape
    turn = renderer.lens.matrix @ move[:3, :3] @ renderer.lens.inverse
    drift = renderer.lens.matrix @ move[:3, 3]
    across, down = np.arange(x, x + columns), np.arange(y, y + rows)
    moved = np.empty((3, rows, columns), np.float32)
    for axis in range(3):
        np.multiply(inverse_depth, np.float32(drift[axis]), out=moved[axis])
        moved[axis] += (turn[axis, 0] * across + turn[axis, 2]).astype(np.float32)
        moved[axis] += (turn[axis, 1] * down).astype(np.float32)[:, None]
    return moved


def _projected(
    there: NDArray[np.float32], canvas: Canvas, earlier: Canvas
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Flow from homogeneous pixels, and where the same place of the same body was seen at its end."""
    height, width = canvas.body.shape
    ahead = there[2] > 1e-3
    depth_ratio = np.maximum(there[2], np.float32(1e-3))
    map_x, map_y = there[0] / depth_ratio, there[1] / depth_ratio
    body = cv2.remap(earlier.body, map_x, map_y, cv2.INTER_NEAREST, borderValue=255)
    inverse_depth = cv2.remap(earlier.inverse_depth, map_x, map_y, cv2.INTER_LINEAR, borderValue=-1)
    expected = canvas.inverse_depth / depth_ratio
    valid = ahead & (body == canvas.body) & (map_x >= 0) & (map_x <= width - 1) & (map_y >= 0) & (map_y <= height - 1)
    valid &= (canvas.body == 0) | (np.abs(inverse_depth - expected) < SAME_SURFACE * expected)
    flow = np.dstack([map_x - np.arange(width, dtype=np.float32), map_y - np.arange(height, dtype=np.float32)[:, None]])
    return flow, valid


def _visible(renderer: Renderer, canvas: Canvas, labels: NDArray[np.uint8]) -> dict[int, float]:
    seen = np.bincount(labels.ravel(), minlength=len(renderer.world.placed) + 1)
    visible = {}
    for object_id in range(1, len(renderer.world.placed) + 1):
        outline = np.count_nonzero(canvas.outlines & np.uint16(1 << (object_id - 1)))
        visible[object_id] = float(seen[object_id] / outline) if outline else 0.0
    return visible
