"""The color of an object: the same in the window, in recordings and in robots' logs."""

from __future__ import annotations

import colorsys
from functools import cache

Color = tuple[int, int, int]
"""RGB, 0 to 255."""

_PALETTE: tuple[Color, ...] = (
    (56, 168, 255),  # azure
    (255, 186, 51),  # amber
    (55, 214, 145),  # mint
    (255, 95, 109),  # coral
    (178, 124, 255),  # violet
    (255, 122, 48),  # orange
    (38, 210, 220),  # cyan
    (255, 116, 190),  # pink
    (170, 220, 62),  # lime
    (226, 190, 148),  # sand
)
_GOLDEN_RATIO = 0.618034


@cache
def color_of(object_id: int) -> Color:
    """The object's own RGB color: always the same, and far from those of the neighboring ids."""
    if 1 <= object_id <= len(_PALETTE):
        return _PALETTE[object_id - 1]
    red, green, blue = colorsys.hsv_to_rgb(object_id * _GOLDEN_RATIO % 1, 0.62, 0.98)
    return round(red * 255), round(green * 255), round(blue * 255)
