"""Brightness of images of more than 8 bits, whose files do not say how many of them are used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_INTEGER_WHITES = tuple(float(2**bits - 1) for bits in (10, 12, 14, 16))
"""Sensors of 10, 12 and 14 bits are written into 16 as they are."""
_FLOAT_WHITES = (1.0, 255.0, 65535.0)
_LINEAR = 16.0
"""Floating point up to here is light or meters rather than 8-bit levels."""


class Levels:
    """What is white in the images of one sequence: the same for all, so that they do not flicker.

    Attributes:
        white: The value that is white; it grows when a brighter image comes.
    """

    def __init__(self) -> None:
        self.white = 0.0

    def in_8_bits(self, values: NDArray[np.generic]) -> NDArray[np.uint8]:
        """Values of any type from black to white as uint8; what is not finite is black."""
        numbers = np.nan_to_num(np.asarray(values, np.float32), nan=0, posinf=0, neginf=0)
        is_float = np.issubdtype(values.dtype, np.floating)
        self.white = max(self.white, _white_of(float(numbers.max(initial=0)), is_float))
        scaled = np.clip(numbers / self.white, 0, 1) * 255
        return scaled.round().astype(np.uint8) if is_float else np.floor(scaled).astype(np.uint8)


def _white_of(most: float, is_float: bool) -> float:
    if is_float and 1 < most <= _LINEAR:
        return most
    return next((white for white in (_FLOAT_WHITES if is_float else _INTEGER_WHITES) if most <= white), most)
