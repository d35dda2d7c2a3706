"""The obvious loop, for comparison: read, depth, SAM, draw, frame after frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from streamer.data.frame import Frame
from streamer.data.mask import box_of
from streamer.data.prompt import Prompt
from streamer.data.reason import Reason
from streamer.data.result import Result, StageStatus
from streamer.data.track import State, Track
from streamer.models.protocols import Segmenter

Image = NDArray[np.uint8]
Segment = Callable[[Image, Sequence[Prompt]], Iterable[NDArray[np.bool_]]]
Estimate = Callable[[Image], NDArray[np.float32]]


def obvious_loop(
    frames: Iterable[Frame], segment: Segment | None, estimate: Estimate | None, prompts: Sequence[Prompt]
) -> Iterator[Result]:
    """Every frame, when the models have finished with it.

    Args:
        frames: Where they come from.
        segment: ``(H, W)`` masks for prompts about a ``(H, W, 3)`` RGB image; None leaves masks out.
        estimate: ``(H, W)`` inverse depth of such an image; None leaves depth out.
        prompts: About the first frame; afterwards each object is found again in the box around its last mask.
    """
    asked = {prompt.object_id or place: prompt for place, prompt in enumerate(prompts, start=1)}
    for frame in frames:
        depth = None if estimate is None else estimate(frame.image_rgb)
        masks = [] if segment is None else segment(frame.image_rgb, list(asked.values()))
        tracks = tuple(
            Track(number, mask, box_of(mask), 1.0, State.TRACKED) for number, mask in zip(asked, masks, strict=False)
        )
        asked |= {track.id: Prompt(box=track.box_xyxy) for track in tracks if track.box_xyxy is not None}
        ran = {"masks": segment is not None, "depth": estimate is not None}
        stages = {name: StageStatus(Reason.INTERVAL, 0) for name, did in ran.items() if did}
        yield Result(frame, tracks, depth, _range_of(depth), stages=stages)


def segment_with(segmenter: Segmenter) -> Segment:
    """One look and one batch of prompts per frame."""

    def segment(image_rgb: Image, prompts: Sequence[Prompt]) -> NDArray[np.bool_]:
        height, width = image_rgb.shape[:2]
        decoded = segmenter.decode(segmenter.encode(image_rgb), prompts, multimask_output=False)
        return segmenter.upscale(decoded.logits[:, 0], (width, height)) > 0

    return segment


def _range_of(depth: NDArray[np.float32] | None) -> tuple[float, float] | None:
    if depth is None:
        return None
    low, high = (float(value) for value in np.percentile(depth[::8, ::8], (2, 98)))
    return low, high
