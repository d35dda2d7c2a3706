"""Strokes that the overlay and the window's own display have in common: colors, letters, chips, crosshairs.

Everything draws in place into ``(H, W, 3)`` uint8 RGB pictures and may lie partly or wholly outside of them.
"""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.colors import Color

Image = NDArray[np.uint8]
Box = tuple[int, int, int, int]

WHITE: Color = (255, 255, 255)
SILVER: Color = (178, 184, 192)
INK: Color = (16, 18, 22)
BACKGROUND: Color = (24, 27, 32)
"""Of whatever lies around pictures."""
RED: Color = (255, 82, 82)
AMBER: Color = (255, 190, 61)
GREEN: Color = (74, 222, 128)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_UNIT_PX = 22.0


@cache
def depth_colors() -> Image:
    """``(256, 3)`` RGB from far (dark) to near (bright): inferno, whose lightness rises evenly."""
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    return np.ascontiguousarray(cv2.applyColorMap(ramp, cv2.COLORMAP_INFERNO)[:, 0, ::-1])


def letter_px(size: tuple[int, int]) -> int:
    """Height of the letters that suits a picture of this (width, height), portrait or landscape [px]."""
    return max(9, round(0.0165 * (size[0] * size[1]) ** 0.5))


def clip(box: Box, image: Image) -> Box:
    """The part of x0, y0, x1, y1 [px] that lies on the picture; without area where none does."""
    height, width = image.shape[:2]
    x0, y0 = min(max(box[0], 0), width), min(max(box[1], 0), height)
    return x0, y0, max(x0, min(box[2], width)), max(y0, min(box[3], height))


def tint(image: Image, color: Color, opacity: float, shape: NDArray[np.uint8], scratch: Image | None = None) -> None:
    """Lay the color over the picture where ``shape`` ``(H, W)`` is not zero; ``scratch`` is room of the same size."""
    faded = cv2.convertScaleAbs(image, dst=scratch, alpha=1 - opacity)
    cv2.add(faded, (*(channel * opacity for channel in color), 0.0), dst=faded)
    cv2.copyTo(faded, shape, image)


def panel(image: Image, box: Box, color: Color = INK, opacity: float = 0.72, radius_px: int = 0) -> None:
    """Lay a translucent rectangle with rounded corners over the picture."""
    x0, y0, x1, y1 = clip(box, image)
    if x1 <= x0 or y1 <= y0:
        return
    shape = _rounded(box[2] - box[0], box[3] - box[1], radius_px)[y0 - box[1] : y1 - box[1], x0 - box[0] : x1 - box[0]]
    tint(image[y0:y1, x0:x1], color, opacity, shape)


@lru_cache(maxsize=256)
def _rounded(width: int, height: int, radius_px: int) -> Image:
    radius = min(radius_px, width // 2, height // 2)
    shape = np.zeros((height, width), np.uint8)
    cv2.rectangle(shape, (radius, 0), (width - 1 - radius, height - 1), 255, -1)
    cv2.rectangle(shape, (0, radius), (width - 1, height - 1 - radius), 255, -1)
    for x in (radius, width - 1 - radius):
        for y in (radius, height - 1 - radius):
            cv2.circle(shape, (x, y), radius, 255, -1)
    return shape


@lru_cache(maxsize=1024)
def text_width(text: str, height_px: int) -> int:
    """Width of one line of letters of this height [px]."""
    (width, _), _ = cv2.getTextSize(text, _FONT, height_px / _FONT_UNIT_PX, _weight(height_px))
    return int(width)


def write(image: Image, text: str, left: int, baseline: int, height_px: int, color: Color = WHITE) -> None:
    """Write one line of ASCII text."""
    scale = height_px / _FONT_UNIT_PX
    cv2.putText(image, text, (left, baseline), _FONT, scale, color, _weight(height_px), cv2.LINE_AA)


def _weight(height_px: int) -> int:
    return max(1, round(height_px / 14))


def chip_size(tag: str, text: str, height_px: int) -> tuple[int, int]:
    """(width, height) of a chip [px]."""
    return _tag_width(tag, height_px) + _rest_width(text, height_px), round(1.7 * height_px)


def _tag_width(tag: str, height_px: int) -> int:
    return max(text_width(tag, height_px) + height_px, round(1.7 * height_px))


def _rest_width(text: str, height_px: int) -> int:
    return text_width(text, height_px) + height_px if text else 0


def chip(image: Image, left: int, top: int, tag: str, text: str, height_px: int, color: Color) -> None:
    """A label: the tag on the object's color, then the text on a dark ground."""
    width, height = chip_size(tag, text, height_px)
    tag_width = _tag_width(tag, height_px)
    baseline = top + round(1.22 * height_px)
    radius = height_px // 4
    if text:
        panel(image, (left, top, left + width, top + height), INK, 0.72, radius)
        write(image, text, left + tag_width + height_px // 2, baseline, height_px)
    panel(image, (left, top, left + tag_width, top + height), color, 0.95, radius)
    write(image, tag, left + (tag_width - text_width(tag, height_px)) // 2, baseline, height_px, INK)


def crosshair(image: Image, x: float, y: float, radius_px: int, foreground: bool = True) -> None:
    """Mark a click: an upright white cross is foreground, a red one on its side is background."""
    center = round(x), round(y)
    turn = 1.0 if foreground else 0.7071
    arms = ((1, 0), (-1, 0), (0, 1), (0, -1)) if foreground else ((1, 1), (-1, 1), (1, -1), (-1, -1))
    thickness = max(1, radius_px // 6)
    ring_px = max(1, round(radius_px * 0.6))
    for stroke, width in ((INK, thickness + 2), (WHITE if foreground else RED, thickness)):
        cv2.circle(image, center, ring_px, stroke, width, cv2.LINE_AA)
        for dx, dy in arms:
            root, tip = (
                (round(x + dx * turn * reach), round(y + dy * turn * reach)) for reach in (ring_px, radius_px * 1.25)
            )
            cv2.line(image, root, tip, stroke, width, cv2.LINE_AA)
    cv2.circle(image, center, thickness, WHITE, -1, cv2.LINE_AA)


def depth_scale(image: Image, box: Box, title: str, near: str, far: str, height_px: int) -> None:
    """An upright color bar inside x0, y0, x1, y1 [px]: its title, near at the top, far at the bottom, their values."""
    x0, y0, x1, y1 = box
    pad = height_px // 2
    panel(image, box, INK, 0.6, pad)
    line_px = round(1.4 * height_px)
    top, bottom = y0 + pad + 3 * line_px, y1 - pad - 2 * line_px
    if bottom - top < height_px:
        return
    middle = (x0 + x1) // 2
    left, right = max(middle - height_px // 2, 0), max(middle + height_px // 2, 0)
    bar = image[max(top, 0) : max(bottom, 0), left:right]
    steps = np.linspace(255, 0, bottom - top).astype(np.uint8)
    bar[:] = depth_colors()[steps][: bar.shape[0], None]
    baseline = round(1.1 * height_px)
    for text, line_top, color in (
        (title, y0 + pad, WHITE),
        ("near", y0 + pad + line_px, SILVER),
        (near, y0 + pad + 2 * line_px, WHITE),
        (far, bottom, WHITE),
        ("far", bottom + line_px, SILVER),
    ):
        write(image, text, middle - text_width(text, height_px) // 2, line_top + baseline, height_px, color)
