"""Depth as ROS's `compressed_depth_image_transport` has it: a header of 12 bytes, then a 16-bit PNG.

The header is a little-endian int32 and two float32. The PNG holds either the integers themselves (16UC1), or inverse
depth (32FC1): a pixel q > 0 is ``a / (q - b)`` meters, with a and b from the header, and 0 is unknown. The formula and
the name of its constants are those of that package.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from streamer.sinks.encoding import png_of

_HEADER = struct.Struct("<iff")
_INVERSE_DEPTH = 0
_QUANTIZATION = 100.0
"""That package's default: a step is 0.1 mm at 1 m, 1 cm at 10 m, 25 cm at 50 m. Nearer than 0.16 m does not fit."""
FARTHEST_M = 100.0
"""What is farther is unknown; that package's default of 10 m is that of an indoor depth camera."""
_MOST = np.iinfo(np.uint16).max

FORMAT_32FC1, FORMAT_16UC1 = "32FC1; compressedDepth png", "16UC1; compressedDepth png"


def encode_meters(depth_m: NDArray[np.float32]) -> bytes:
    """A ``(H, W)`` map of meters as 32FC1, of inverse depth in 16 bits; what is farther than 100 m becomes unknown."""
    a = _QUANTIZATION * (_QUANTIZATION + 1)
    b = 1 - a / FARTHEST_M
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.rint(np.float32(a) / depth_m + np.float32(b)).clip(0, _MOST)
    known = (depth_m > 0) & (depth_m < FARTHEST_M)
    return _HEADER.pack(_INVERSE_DEPTH, a, b) + png_of(np.where(known, inverse, 0).astype(np.uint16))


def encode_integers(values: NDArray[np.uint16]) -> bytes:
    """A ``(H, W)`` map of whole numbers as 16UC1, as they are."""
    return _HEADER.pack(_INVERSE_DEPTH, 0, 0) + png_of(values)
