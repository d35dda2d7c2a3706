"""A picture with all the bits that its source has, for outputs that can hold them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PQ, HLG = 16, 18
"""How FFmpeg numbers the transfer functions SMPTE ST 2084 and ARIB STD-B67."""
WHITE_NITS = 203.0
"""Diffuse white of HDR programs, ITU-R BT.2408 [cd/m2]."""
PEAK_NITS = 1000.0
"""What most programs are graded for, and the nominal screen of HLG [cd/m2]."""
SCREEN_GAMMA = 2.4
"""Of a BT.1886 screen."""
TO_709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
)
"""From BT.2020 to BT.709 primaries, ITU-R BT.2087, of linear light."""


@dataclass(frozen=True, slots=True)
class Hdr:
    """How high dynamic range in BT.2020 is coded.

    Attributes:
        transfer: `PQ` or `HLG`.
        mastering: The screen that it was graded on: x and y of red, green, blue and white [1/50000], then its least and
            most light [1/10000 cd/m2]; None where nobody says.
        light_levels: The most light of a pixel, and of a frame in the mean [cd/m2]; None likewise.
    """

    transfer: int
    mastering: tuple[int, ...] | None = None
    light_levels: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Original:
    """The same picture as a frame's ``image_rgb``, before it was brought down to 8 bits.

    Attributes:
        image: ``(H, W, 3)`` uint16 RGB, as it is coded.
        white: The value that is 255 in ``image_rgb``.
        hdr: What the values mean where they are HDR; None where they are those of an ordinary screen.
    """

    image: NDArray[np.uint16]
    white: int = 65535
    hdr: Hdr | None = None
