"""Depth as a lossless video, as LeRobot keeps it: 12 bits per pixel, finer where it is near."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.data.depth_unit import DepthUnit
from streamer.data.result import Result
from streamer.data.source import SourceInfo
from streamer.errors import SinkError
from streamer.sinks.containers import Container
from streamer.sinks.depth_maps import without_meters
from streamer.sinks.video import VideoSink

NEAREST_M, FARTHEST_M, SHIFT_M = 0.01, 10.0, 3.5
"""LeRobot's defaults: 12 bits from 1 cm to 10 m, by the logarithm of depth plus shift. A step is 1.2 mm at 1 cm and 4.4
mm at 10 m."""
MOST = 4095
_LOW, _HIGH = math.log(NEAREST_M + SHIFT_M), math.log(FARTHEST_M + SHIFT_M)
_KIND = Container(
    "matroska",
    {"flush_packets": "1", "cluster_time_limit": "1000"},
    codec="libx265",
    pix_fmt="gray12le",
    encoding={"preset": "veryfast", "x265-params": "lossless=1:bframes=0:keyint=30:log-level=error"},
)


class DepthVideoSink:
    """Writes ``gray12le`` HEVC without loss into Matroska; what is nearer or farther than it goes is cut off.

    The container's metadata says how numbers become meters, under ``depth_quantization``.

    Args:
        path: Ends in ``.mkv``.
        info: The source, whose times are kept.

    Raises:
        SinkError: The name does not end in ``.mkv``, or the file cannot be written.

    Attributes:
        relative: Frames that were left out because depth had no meters.
    """

    def __init__(self, path: Path, info: SourceInfo) -> None:
        if path.suffix.lower() != ".mkv":
            raise SinkError(f"{path.name} cannot hold lossless depth: end its name in .mkv.")
        self.name = path.name
        self.relative = 0
        told = {"depth_min": NEAREST_M, "depth_max": FARTHEST_M, "shift": SHIFT_M, "use_log": True, "unit": "m"}
        self._video = VideoSink(
            path,
            lambda result: codes_of(_meters(result)),
            rate_hz=info.rate_hz,
            time_base=info.time_base if info.time_base else Fraction(1, 1000),
            kind=_KIND,
            metadata={"depth_quantization": json.dumps(told), "title": f"depth of {info.name}"},
        )

    def write(self, result: Result) -> None:
        """Encode the depth of one frame; there is none to encode before the first map, and none that is relative.

        Raises:
            SinkError: The file cannot be written.
        """
        if result.depth_map is None:
            return
        if result.depth_unit is not DepthUnit.METERS:
            self.relative += 1
            return
        self._video.write(result)

    @property
    def warning(self) -> str | None:
        """What had to be left out; None where nothing had."""
        return without_meters(self.relative, "frames", "--depth-video")

    def close(self) -> None:
        """Finish the file and give it its final name. May be called twice."""
        self._video.close()


def codes_of(depth_m: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Depth [m] as numbers from 0 (1 cm and nearer) to 4095 (10 m and farther)."""
    share = (np.log(np.clip(depth_m, NEAREST_M, FARTHEST_M) + np.float32(SHIFT_M)) - _LOW) / (_HIGH - _LOW)
    return np.rint(share * MOST).astype(np.uint16)


def meters_of(codes: NDArray[np.uint16]) -> NDArray[np.float32]:
    """The way back of :func:`codes_of` [m]."""
    return (np.exp(codes.astype(np.float64) / MOST * (_HIGH - _LOW) + _LOW) - SHIFT_M).astype(np.float32)


def _meters(result: Result) -> NDArray[np.float32]:
    assert result.depth_m is not None
    return result.depth_m
