"""What the benchmarks play: a rendered scene in a video file, with its truth beside it, or any file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.mask import box_of
from streamer.data.prompt import Prompt
from streamer.data.result import Result
from streamer.synthetic import SceneSource

TRUTH_EVERY = 10
"""Frames between two that masks are compared on."""
FOLLOWED, CLICKED = (1, 2, 3), 4
"""Objects of the scene that are followed from the start, and the one that is clicked on."""
_CRF = 16


@dataclass(frozen=True, slots=True, eq=False)
class BenchClip:
    """A video that is played as though a camera showed it.

    Attributes:
        path: The file.
        size: (width, height) [px].
        rate_hz: Frames per second.
        labels: Frame index to ``(H, W)`` uint8 object ids, every `TRUTH_EVERY` frames; empty without a truth.
    """

    path: Path
    size: tuple[int, int]
    rate_hz: float
    labels: dict[int, NDArray[np.uint8]] = field(default_factory=dict)

    def prompts(self) -> list[Prompt]:
        """Boxes around the objects to be followed; none where objects are to be found."""
        if not self.labels:
            return []
        first = self.labels[0]
        return [Prompt(box=box_of(first == object_id), object_id=object_id) for object_id in FOLLOWED]

    def place_to_click(self, index: int) -> tuple[float, float] | None:
        """The middle of what is not followed yet, about frame ``index``; None while it cannot be seen."""
        if not self.labels:
            return self.size[0] / 2, self.size[1] / 2
        labels = self.labels[min(self.labels, key=lambda known: abs(known - index))]
        depth_px = cv2.distanceTransform((labels == CLICKED).astype(np.uint8), cv2.DIST_L2, 3)
        row, column = np.unravel_index(int(depth_px.argmax()), depth_px.shape)
        # An object may move by half its width until the nearest frame that is known.
        return (float(column), float(row)) if depth_px[row, column] >= 12 else None


def clip_of(path: Path) -> BenchClip:
    """A video without a truth.

    Raises:
        SourceError: It cannot be opened.
    """
    from streamer.sources.file import VideoSource

    with VideoSource(path) as source:
        return BenchClip(path, source.info.size, float(source.info.rate_hz or 30))


def rendered_clip(
    folder: Path, size: tuple[int, int], rate_hz: int, frame_count: int, tell: Callable[[str], None], seed: int = 0
) -> BenchClip:
    """The rendered scene as a file, made once per length, size and rate, with the labels of its objects."""
    name = f"scene-{seed}-{size[0]}x{size[1]}-{rate_hz}hz-{frame_count}"
    path, truth = folder / f"{name}.mp4", folder / f"{name}.npz"
    if not (path.exists() and truth.exists()):
        tell(f"Rendering {frame_count} frames of {size[0]}x{size[1]}, once; they are kept in {folder}.")
        _render(path, truth, SceneSource(seed, size, Fraction(rate_hz), frame_count, CLICKED))
    with np.load(truth) as stored:
        labels = {int(index): one for index, one in zip(stored["indices"], stored["labels"], strict=True)}
    return BenchClip(path, size, rate_hz, labels)


def _render(path: Path, truth: Path, scene: SceneSource) -> None:
    from streamer.sinks.video import VideoSink

    labels: dict[int, NDArray[np.uint8]] = {}
    sink = VideoSink(
        path,
        lambda result: result.frame.image_rgb,
        rate_hz=scene.info.rate_hz,
        time_base=scene.info.time_base,
        crf=_CRF,
    )
    try:
        while (frame := scene.read()) is not None:
            sink.write(Result(frame))
            if frame.index % TRUTH_EVERY == 0:
                labels[frame.index] = scene.truth(frame.index).labels
    finally:
        sink.close()
    np.savez_compressed(truth, indices=list(labels), labels=np.stack(list(labels.values())))
