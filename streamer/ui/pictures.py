"""Pictures of one photo: everything in it in colors, its depth beside it, and what was pointed at with its depth."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.automatic_mask import AutomaticMask, by_area
from streamer.data.colors import color_of
from streamer.data.depth_unit import DepthUnit
from streamer.data.result import Result
from streamer.depth.inside import DepthInside, outward
from streamer.ui import depth_chart, drawing, overlay
from streamer.ui.overlay import Style
from streamer.ui.readings import depth_text, scale_title

Image = NDArray[np.uint8]

_FILL = 0.45
_FAR_SHARE, _NEAR_SHARE = 0.02, 0.98
"""Of the pixels of a depth map, between which it is colored: a speck of glare would take all colors otherwise."""


def draw_everything(image_rgb: Image, masks: Sequence[AutomaticMask]) -> Image:
    """Every mask in a color of its own on a ``(H, W, 3)`` uint8 RGB image, the largest first: none is hidden."""
    drawn = image_rgb.copy()
    line_px = max(1, round(drawing.letter_px((image_rgb.shape[1], image_rgb.shape[0])) / 8))
    for number, one in enumerate(by_area(masks), start=1):
        x0, y0, x1, y1 = (int(corner) for corner in one.box_xyxy)
        part = one.mask.view(np.uint8)[y0:y1, x0:x1]
        drawing.tint(drawn[y0:y1, x0:x1], color_of(number), _FILL, part)
        outlines, _ = cv2.findContours(part, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE, offset=(x0, y0))
        cv2.drawContours(drawn, outlines, -1, color_of(number), line_px, cv2.LINE_AA)
    return drawn


def depth_limits(inverse_depth: NDArray[np.float32]) -> tuple[float, float]:
    """(far, near) values between which a map is colored."""
    far, near = np.quantile(inverse_depth, (_FAR_SHARE, _NEAR_SHARE)).tolist()
    return far, max(near, far + 1e-6)


def draw_depth(image_rgb: Image, inverse_depth: NDArray[np.float32], unit: DepthUnit, name: str) -> Image:
    """The image and its depth in inferno beside it, under a title, with a color bar that says near, far and unit.

    Args:
        image_rgb: ``(H, W, 3)`` uint8.
        inverse_depth: ``(H, W)`` float32, larger is nearer; 1/m where ``unit`` is meters.
        unit: What the map's numbers mean.
        name: Of the model, for the title.
    """
    height, width = image_rgb.shape[:2]
    letter_px = max(11, drawing.letter_px((width, height)))
    title_px, bar_px = 3 * letter_px, 10 * letter_px
    canvas = np.full((height + title_px, 2 * width + bar_px, 3), drawing.BACKGROUND, np.uint8)
    far, near = depth_limits(inverse_depth)
    shades = np.clip((inverse_depth - far) / (near - far) * 255, 0, 255).astype(np.uint8)
    canvas[title_px:, :width] = image_rgb
    canvas[title_px:, width : 2 * width] = drawing.depth_colors()[shades]
    for left, text in ((0, "image"), (width, f"{scale_title(unit)} ({name})")):
        baseline = title_px - letter_px
        drawing.write(canvas, text, left + letter_px, baseline, letter_px)
    far_text, near_text = (depth_text(float(value), unit) for value in outward(np.array([far, near]), unit))
    box = 2 * width + letter_px // 2, title_px, 2 * width + bar_px - letter_px // 2, height + title_px
    drawing.depth_scale(canvas, box, scale_title(unit), near_text, far_text, letter_px)
    return canvas


def draw_masks(result: Result, insides: Sequence[tuple[int, DepthInside]]) -> Image:
    """What was pointed at on its image, and beside it for each object the depth inside: quartiles and histogram."""
    drawn = overlay.draw(result, Style())
    if not insides:
        return drawn
    height, width = drawn.shape[:2]
    letter_px = max(11, drawing.letter_px((width, height)))
    chart_px = 26 * letter_px
    row_px = max((depth_chart.LEAST_LETTERS + 2) * letter_px, height // len(insides))
    canvas = np.full((max(height, row_px * len(insides)), width + chart_px, 3), drawing.BACKGROUND, np.uint8)
    canvas[:height, :width] = drawn
    for row, (object_id, inside) in enumerate(insides):
        box = width + letter_px, row * row_px + letter_px, width + chart_px - letter_px, (row + 1) * row_px - letter_px
        depth_chart.draw(canvas, box, f"depth inside object {object_id}", inside, letter_px)
    return canvas
