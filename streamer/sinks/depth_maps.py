"""Depth as 16-bit PNGs, as recordings of depth cameras have it: millimeters, or else nearness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamer.data.result import Result
from streamer.sinks.pngs import PngSink

STEPS = 1000
"""What a pixel holds is the depth in such parts of one."""
_MOST = np.iinfo(np.uint16).max


def without_meters(count: int, what: str, option: str) -> str | None:
    """The sentence about what an output in meters left out; None where that was nothing."""
    if not count:
        return None
    return (
        f"{count} {what} are not in {option}, because depth had no meters there: choose a metric model, or give "
        "--known-distance twice or --camera-height with --camera-pitch."
    )


class DepthMapSink(PngSink):
    """Writes one 16-bit PNG per frame: millimeters where depth is metric, else a thousand times the inverse depth.

    Of inverse depth, larger is nearer, as in `Result.inverse_depth`; scale and shift are the same for the whole clip.
    Values below 0 and above 65.535 are cut off. Frames before the first map get no file.
    """

    def image_of(self, result: Result) -> Image.Image | None:
        integers = integers_of(result)
        return None if integers is None else Image.fromarray(integers)


def integers_of(result: Result) -> NDArray[np.uint16] | None:
    """Depth as ``(H, W)`` whole numbers, as :class:`DepthMapSink` writes them; None before the first map."""
    values = result.inverse_depth if result.depth_m is None else result.depth_m
    if values is None:
        return None
    return np.rint(values * np.float32(STEPS)).clip(0, _MOST).astype(np.uint16)
