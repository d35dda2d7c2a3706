"""The obvious loop, for comparison: read, depth, SAM, draw, show, frame after frame."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from streamer.models.base import DepthEstimator, Segmenter
from streamer.overlay import Overlay, Style
from streamer.producer import Producer
from streamer.prompts import Prompt, box_of
from streamer.result import Result, State, Track
from streamer.stats import Meter

Screen = Callable[[NDArray[np.uint8], Result], None]


def play_obvious_loop(
    producer: Producer,
    segmenter: Segmenter,
    estimator: DepthEstimator,
    prompts: Sequence[Prompt],
    seconds: float,
    meter: Meter,
    show: Screen | None = None,
) -> None:
    """Play a live source with a loop that shows a frame when the models have finished with it.

    Each object is found again in the box around its last mask. Frames that come meanwhile are dropped, as a camera
    drops them.

    Args:
        seconds: After which to end [s].
        meter: Told about every frame shown.
        show: Puts a drawing on the screen.
    """
    overlay, style = Overlay(), Style()
    boxes = {prompt.object_id or place: prompt.box for place, prompt in enumerate(prompts, start=1)}
    ends_s = time.monotonic() + seconds
    for frame in producer:
        depth = estimator.estimate(frame.image_rgb)
        masks = _masks(segmenter, frame.image_rgb, boxes)
        tracks = tuple(Track(number, mask, box_of(mask), 1.0, State.TRACKED) for number, mask in masks.items())
        low, high = (float(value) for value in np.percentile(depth[::8, ::8], (2, 98)))
        result = Result(frame, tracks, depth, (low, high), keyframe="every frame", depth_run=True)
        drawing = overlay.draw(result, style)
        if show is not None:
            show(drawing, result)
        meter.add(result, time.monotonic())
        if time.monotonic() >= ends_s:
            return


def _masks(
    segmenter: Segmenter, image_rgb: NDArray[np.uint8], boxes: dict[int, NDArray[np.float32] | None]
) -> dict[int, NDArray[np.bool_]]:
    """The mask in each object's box, which then moves to that mask."""
    embedding = segmenter.encode(image_rgb)
    height, width = image_rgb.shape[:2]
    decoded = segmenter.decode(embedding, [Prompt(box=box) for box in boxes.values()], multimask_output=False)
    masks = segmenter.upscale(decoded.logits[:, 0], (width, height)) > 0
    for number, mask in zip(boxes, masks, strict=True):
        tight = box_of(mask)
        if tight is not None:
            boxes[number] = np.asarray(tight, np.float32)
    return dict(zip(boxes, masks, strict=True))
