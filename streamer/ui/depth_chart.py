"""The depth inside one mask as a chart: quartiles in words, and a histogram in the colors of the map."""

from __future__ import annotations

import cv2
import numpy as np

from streamer.data.depth_unit import DepthUnit
from streamer.depth.inside import DepthInside
from streamer.ui import drawing
from streamer.ui.readings import depth_text

LEAST_LETTERS = 10
"""Height of the smallest chart [letters]."""


def draw(canvas: drawing.Image, box: drawing.Box, title: str, inside: DepthInside, letter_px: int) -> None:
    """Draw it into x0, y0, x1, y1 of a ``(H, W, 3)`` RGB canvas; the histogram takes what the words leave."""
    x0, y0, x1, y1 = box
    unit = "in meters" if inside.unit is DepthUnit.METERS else "larger is nearer"
    lower, median, upper = (depth_text(value, inside.unit) for value in (inside.lower, inside.median, inside.upper))
    words = f"median {median}, {unit}", f"half of it {lower} to {upper}"
    drawing.write(canvas, title, x0, y0 + letter_px, letter_px)
    for row, text in enumerate(words, start=1):
        drawing.write(canvas, text, x0, y0 + round((1 + 1.5 * row) * letter_px), letter_px, drawing.SILVER)
    _draw_bars(canvas, (x0, y0 + round(4.8 * letter_px), x1, y1 - round(1.5 * letter_px)), inside)
    first, last = (depth_text(value, inside.unit) for value in inside.edges[[0, -1]].tolist())
    drawing.write(canvas, first, x0, y1, letter_px, drawing.SILVER)
    drawing.write(canvas, last, x1 - drawing.text_width(last, letter_px), y1, letter_px, drawing.SILVER)


def _draw_bars(canvas: drawing.Image, box: drawing.Box, inside: DepthInside) -> None:
    """Bars in the colors of the map, and a line at the median."""
    x0, y0, x1, y1 = drawing.clip(box, canvas)
    if x1 - x0 < len(inside.counts) or y1 <= y0:
        return
    canvas[y0:y1, x0:x1] = drawing.INK
    shades = np.linspace(40, 255, x1 - x0).astype(int)[:: -1 if inside.unit is DepthUnit.METERS else 1]
    columns = np.arange(x1 - x0) * len(inside.counts) // (x1 - x0)
    heights = np.ceil(inside.counts / max(inside.counts.max(), 1) * (y1 - y0)).astype(int)[columns]
    filled = np.arange(y1 - y0)[:, None] >= (y1 - y0) - heights[None]
    colors = np.broadcast_to(drawing.depth_colors()[shades], (y1 - y0, x1 - x0, 3))
    canvas[y0:y1, x0:x1][filled] = colors[filled]
    first, last = inside.edges[[0, -1]].tolist()
    share = min(max((inside.median - first) / (last - first), 0.0), 1.0)
    x = x0 + round(share * (x1 - x0 - 1))
    cv2.line(canvas, (x, y0), (x, y1 - 1), drawing.WHITE, 1)
