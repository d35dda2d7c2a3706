"""Beside the drawing: the objects, and the depth inside the one that is selected."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from streamer.data.colors import color_of
from streamer.data.result import Result
from streamer.data.track import State, Track
from streamer.depth.inside import depth_inside
from streamer.ui import depth_chart, drawing
from streamer.ui.readings import depth_text, label_text
from streamer.ui.window.layout import Layout

STATE_COLORS = {State.TRACKED: drawing.GREEN, State.UNCERTAIN: drawing.AMBER, State.LOST: drawing.RED}
_STATE, _SCORE, _DEPTH, _WIDTH = 3, 11, 15, 20
"""Where the columns of the list begin, and where it ends [letters]."""
_CHART_LETTERS = 12
"""Height of what is said about depth [letters]."""


def list_rows(layout: Layout, tracks: Sequence[Track]) -> list[tuple[drawing.Box, int]]:
    """Box of each object's row in the list on the canvas, and its id; as many as there is room for."""
    letter_px, bottom = layout.letter_px, _list_bottom(layout, tracks)
    row_px = round((3.5 if any(track.label for track in tracks) else 2) * letter_px)
    left, top = letter_px // 2, layout.bar_px + 2 * letter_px
    fitting = max(0, (bottom - top) // row_px)
    return [
        ((left, top + row * row_px, left + _WIDTH * letter_px, top + (row + 1) * row_px), track.id)
        for row, track in enumerate(tracks[:fitting])
    ]


def _list_bottom(layout: Layout, tracks: Sequence[Track]) -> int:
    has_chart = layout.sidebar_px and any(track.depth for track in tracks)
    return layout.canvas_size[1] - layout.bar_px - (_CHART_LETTERS if has_chart else 1) * layout.letter_px


def draw(canvas: drawing.Image, layout: Layout, result: Result, selected: int | None) -> None:
    """Draw the list, and where there is room beside the drawing the depth of the selected object below it."""
    _draw_list(canvas, layout, result.tracks, selected)
    if layout.sidebar_px:
        _draw_depth(canvas, layout, result, selected)


def _draw_list(canvas: drawing.Image, layout: Layout, tracks: Sequence[Track], selected: int | None) -> None:
    rows = list_rows(layout, tracks)
    if not rows:
        return
    letter_px = layout.letter_px
    first, last = rows[0][0], rows[-1][0]
    header = first[1] - round(1.6 * letter_px)
    if not layout.sidebar_px:
        gap = letter_px // 3
        box = first[0] - gap, header - gap, last[2] + gap, last[3] + gap
        drawing.panel(canvas, box, drawing.INK, 0.8, letter_px // 2)
    words = ((0, "object"), (_SCORE, "sure"), *(((_DEPTH, "depth"),) if any(track.depth for track in tracks) else ()))
    for column, word in words:
        left = first[0] + letter_px // 3 + column * letter_px
        drawing.write(canvas, word, left, header + letter_px, letter_px, drawing.SILVER)
    for track, (box, _) in zip(tracks, rows, strict=False):
        _draw_row(canvas, track, box, letter_px, track.id == selected)
    if len(rows) < len(tracks):
        drawing.write(
            canvas,
            f"and {len(tracks) - len(rows)} more",
            first[0] + letter_px,
            last[3] + letter_px,
            letter_px,
            drawing.SILVER,
        )


def _draw_row(canvas: drawing.Image, track: Track, box: drawing.Box, letter_px: int, is_selected: bool) -> None:
    x0, y0, *_ = box
    baseline = y0 + round(1.35 * letter_px)
    if is_selected:
        drawing.panel(canvas, box, drawing.WHITE, 0.22, letter_px // 3)
    color = color_of(track.id)
    drawing.chip(canvas, x0 + letter_px // 3, y0 + letter_px // 7, str(track.id), "", letter_px, color)
    drawing.write(canvas, str(track.state), x0 + _STATE * letter_px, baseline, letter_px, STATE_COLORS[track.state])
    drawing.write(canvas, f"{track.score:.2f}", x0 + _SCORE * letter_px, baseline, letter_px, drawing.WHITE)
    if track.depth:
        reading = depth_text(track.depth.median, track.depth.unit)
        drawing.write(canvas, reading, x0 + _DEPTH * letter_px, baseline, letter_px, drawing.SILVER)
    if track.label is not None:
        label = label_text(track.label)
        drawing.write(
            canvas, label, x0 + _STATE * letter_px, baseline + round(1.4 * letter_px), letter_px, drawing.WHITE
        )


def _draw_depth(canvas: drawing.Image, layout: Layout, result: Result, selected: int | None) -> None:
    track = _of_interest(result.tracks, selected)
    if track is None or result.depth_map is None or result.depth_range is None:
        return
    size = result.depth_map.shape[1], result.depth_map.shape[0]
    mask = cv2.resize(track.mask.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    inside = depth_inside(result.depth_map, mask, result.depth_range, result.depth_unit)
    if inside is None:
        return
    letter_px = layout.letter_px
    bottom = layout.canvas_size[1] - layout.bar_px - letter_px
    top = bottom - (_CHART_LETTERS - 1) * letter_px
    if top >= layout.bar_px:
        box = letter_px, top, layout.sidebar_px - letter_px, bottom
        depth_chart.draw(canvas, box, f"depth inside object {track.id}", inside, letter_px)


def _of_interest(tracks: Sequence[Track], selected: int | None) -> Track | None:
    """The selected object, or the newest that is there."""
    there = [track for track in tracks if track.box_xyxy is not None and track.state is not State.LOST]
    chosen = [track for track in there if track.id == selected]
    return next(reversed(chosen or there), None)
