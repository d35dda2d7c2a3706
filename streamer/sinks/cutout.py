"""The objects without what is around them, for editors: alpha 255 on what belongs to any of them, 0 elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamer.data.result import Result
from streamer.data.source import SourceInfo
from streamer.sinks.containers import PRORES
from streamer.sinks.pngs import PngSink
from streamer.sinks.video import VideoSink


class CutoutSink(PngSink):
    """Writes one RGBA PNG per frame, its colors everywhere as they were, so that edges can be moved later."""

    def image_of(self, result: Result) -> Image.Image:
        """The frame with its alpha."""
        return Image.fromarray(cut_out(result))


def matte_sink(path: Path, info: SourceInfo) -> VideoSink:
    """A ProRes 4444 video with the same alpha, with the times of the source and without its sound.

    Raises:
        SinkError: The path cannot be written.
    """
    return VideoSink(path, cut_out, rate_hz=info.rate_hz, time_base=info.time_base, kind=PRORES)


def cut_out(result: Result) -> NDArray[np.uint8]:
    """``(H, W, 4)`` uint8 RGBA: the frame, and where the objects are; colors are not multiplied by alpha."""
    width, height = result.frame.size
    inside = np.zeros((height, width), bool)
    for track in result.tracks:
        inside |= track.mask
    return np.dstack([result.frame.image_rgb, np.where(inside, np.uint8(255), np.uint8(0))])
