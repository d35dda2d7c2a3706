"""What the window shows around and over the drawing: bars, object list, help sheet, pointer. Never in a recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import cv2

from streamer.data.colors import color_of
from streamer.data.result import Result
from streamer.data.track import State, Track
from streamer.ui import drawing
from streamer.ui.readings import depth_text, label_text, map_text
from streamer.ui.window.layout import Layout, Point

BACKGROUND: drawing.Color = (24, 27, 32)
HELP = (
    ("left click", "this belongs to the object"),
    ("right click", "this does not"),
    ("drag", "box around an object"),
    ("n", "next click begins a new object"),
    ("tab, 1-9", "select an object (or click it in the list)"),
    ("d, del", "delete the selected object"),
    ("u", "undo"),
    ("space", "pause, go on"),
    ("m", "masks on, off"),
    ("t", "depth off, over the picture, beside it"),
    ("s", "save a snapshot"),
    ("r", "record on, off"),
    ("k", "keyframe now"),
    ("h, ?", "this sheet"),
    ("q, esc", "quit"),
)
_STATE_COLORS = {State.TRACKED: drawing.GREEN, State.UNCERTAIN: drawing.AMBER, State.LOST: drawing.RED}


@dataclass(frozen=True, slots=True)
class Status:
    """What the run has to say beside the result itself; None or empty where it is not known.

    Attributes:
        rate_hz: Frames shown per second.
        latency_ms: From capture to display.
        reasons: Why each slow model was asked last, by the name of its stage.
        device: What the models run on.
        selected: Id of the object that the next clicks belong to; None for a new one.
        message: One short line for the person, for as long as it is passed.
    """

    rate_hz: float | None = None
    latency_ms: float | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    device: str = ""
    selected: int | None = None
    paused: bool = False
    stalled: bool = False
    recording: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True)
class Pointer:
    """The mouse, in pixels of the canvas: where it is, where a drag began, and the last clicks with their labels."""

    at: Point | None = None
    dragged_from: Point | None = None
    clicks: tuple[tuple[float, float, int], ...] = ()


def list_rows(layout: Layout, tracks: Sequence[Track]) -> list[tuple[drawing.Box, int]]:
    """Box of each object's row in the list on the canvas, and its id; as many as there is room for."""
    letter_px = layout.letter_px
    row_px, left, top = 2 * letter_px, letter_px, layout.bar_px + letter_px
    fitting = max(0, (layout.canvas_size[1] - 2 * layout.bar_px - 2 * letter_px) // row_px)
    width = _list_width(letter_px, tracks)
    return [
        ((left, top + row * row_px, left + width, top + (row + 1) * row_px), track.id)
        for row, track in enumerate(tracks[:fitting])
    ]


def _list_width(letter_px: int, tracks: Sequence[Track]) -> int:
    labels_px = [drawing.text_width(label_text(track.label), letter_px) for track in tracks if track.label is not None]
    return _label_left(letter_px, tracks) + (max(labels_px) + letter_px if labels_px else 0)


def _label_left(letter_px: int, tracks: Sequence[Track]) -> int:
    return letter_px * (20 if any(track.depth for track in tracks) else 15)


def draw(
    canvas: drawing.Image, layout: Layout, result: Result, status: Status, pointer: Pointer, help_open: bool = False
) -> None:
    """Draw everything on a ``(H, W, 3)`` RGB canvas on which the drawing already lies."""
    _draw_pointer(canvas, layout, pointer)
    _draw_list(canvas, layout, result.tracks, status.selected)
    _draw_top(canvas, layout, result, status)
    _draw_bottom(canvas, layout, result, status, pointer)
    if help_open:
        _draw_help(canvas, layout)


def _draw_pointer(canvas: drawing.Image, layout: Layout, pointer: Pointer) -> None:
    radius_px = layout.letter_px
    for x, y, label in pointer.clicks:
        drawing.crosshair(canvas, x, y, radius_px, label == 1)
    if pointer.at is None or not (layout.covers(pointer.at) or pointer.dragged_from):
        return
    start = pointer.dragged_from
    here = layout.to_frame(pointer.at, start)
    for half in layout.halves:
        x, y = layout.to_canvas(here, half)
        if start:
            corner = layout.to_canvas(layout.to_frame(start), half)
            ends = (round(corner[0]), round(corner[1])), (round(x), round(y))
            for color, width in ((drawing.INK, 3), (drawing.WHITE, 1)):
                cv2.rectangle(canvas, *ends, color, width, cv2.LINE_AA)
        elif abs(x - pointer.at[0]) > 2:  # the twin of the mouse on the other half
            cv2.circle(canvas, (round(x), round(y)), radius_px // 2, drawing.INK, 3, cv2.LINE_AA)
            cv2.circle(canvas, (round(x), round(y)), radius_px // 2, drawing.WHITE, 1, cv2.LINE_AA)


def _draw_list(canvas: drawing.Image, layout: Layout, tracks: Sequence[Track], selected: int | None) -> None:
    rows = list_rows(layout, tracks)
    if not rows:
        return
    letter_px = layout.letter_px
    gap = letter_px // 3
    first, last = rows[0][0], rows[-1][0]
    drawing.panel(
        canvas, (first[0] - gap, first[1] - gap, last[2] + gap, last[3] + gap), drawing.INK, 0.8, letter_px // 2
    )
    for track, ((x0, y0, x1, y1), _) in zip(tracks, rows, strict=False):
        baseline = y0 + round(1.35 * letter_px)
        if track.id == selected:
            drawing.panel(canvas, (x0, y0, x1, y1), drawing.WHITE, 0.22, letter_px // 3)
        drawing.chip(canvas, x0 + gap, y0 + letter_px // 7, str(track.id), "", letter_px, color_of(track.id))
        color = _STATE_COLORS[track.state]
        drawing.write(canvas, str(track.state), x0 + 3 * letter_px, baseline, letter_px, color)
        drawing.write(canvas, f"{track.score:.2f}", x0 + 11 * letter_px, baseline, letter_px)
        if track.depth:
            drawing.write(
                canvas,
                depth_text(track.depth.median, track.depth.unit),
                x0 + 15 * letter_px,
                baseline,
                letter_px,
                drawing.SILVER,
            )
        if track.label is not None:
            drawing.write(canvas, label_text(track.label), x0 + _label_left(letter_px, tracks), baseline, letter_px)


def _draw_top(canvas: drawing.Image, layout: Layout, result: Result, status: Status) -> None:
    width, _ = layout.canvas_size
    letter_px = layout.letter_px
    canvas[: layout.bar_px] = BACKGROUND
    left = letter_px
    for shown, word, color in (
        (status.stalled, "STALLED", drawing.RED),
        (status.paused, "PAUSED", drawing.AMBER),
        (status.recording, "REC", drawing.RED),
    ):
        if shown:
            drawing.chip(canvas, left, layout.bar_px // 2 - round(0.85 * letter_px), word, "", letter_px, color)
            left += drawing.chip_size(word, "", letter_px)[0] + letter_px // 2
    right = width - letter_px
    if status.device:
        right -= drawing.text_width(status.device, letter_px)
        drawing.write(canvas, status.device, right, _baseline(layout), letter_px, drawing.SILVER)
    left += letter_px // 2
    for before, value, after in _readings(result, status):
        words = [(before, drawing.SILVER), (value, drawing.WHITE), (after, drawing.SILVER)]
        widths = [drawing.text_width(word, letter_px) + letter_px // 2 if word else 0 for word, _ in words]
        if left + sum(widths) > right:
            break
        for (word, color), word_width in zip(words, widths, strict=True):
            drawing.write(canvas, word, left, _baseline(layout), letter_px, color)
            left += word_width
        left += letter_px


def _readings(result: Result, status: Status) -> list[tuple[str, str, str]]:
    readings = []
    if status.rate_hz is not None:
        readings.append(("", f"{status.rate_hz:.1f}", "fps"))
    if status.latency_ms is not None:
        readings.append(("", f"{status.latency_ms:.0f}", "ms"))
    for name, stage in result.stages.items():
        if stage.age is not None:
            reason = f" ({status.reasons[name]})" if name in status.reasons else ""
            readings.append((name, str(stage.age), f"{'frame' if stage.age == 1 else 'frames'} old{reason}"))
    return readings


def _draw_bottom(canvas: drawing.Image, layout: Layout, result: Result, status: Status, pointer: Pointer) -> None:
    width, height = layout.canvas_size
    letter_px = layout.letter_px
    canvas[height - layout.bar_px :] = BACKGROUND
    baseline = height - layout.bar_px + _baseline(layout)
    right = width - letter_px
    if pointer.at is not None and layout.covers(pointer.at):
        x, y = layout.to_frame(pointer.at)
        reading = f"x {x:.0f}  y {y:.0f}"
        if result.inverse_depth is not None:
            reading += f"  depth {map_text(result.inverse_depth[round(y), round(x)], result.depth_unit)}"
        right -= drawing.text_width(reading, letter_px)
        drawing.write(canvas, reading, right, baseline, letter_px)
    target = "a new object" if status.selected is None else f"object {status.selected}"
    for text, color in ((status.message, drawing.AMBER), (f"clicks go to {target}, h shows the keys", drawing.SILVER)):
        if text and letter_px + drawing.text_width(text, letter_px) + letter_px < right:
            drawing.write(canvas, text, letter_px, baseline, letter_px, color)
            return


def _baseline(layout: Layout) -> int:
    return layout.bar_px // 2 + round(0.37 * layout.letter_px)


def _draw_help(canvas: drawing.Image, layout: Layout) -> None:
    width, height = layout.canvas_size
    letter_px = max(7, min(layout.letter_px, height // (2 * len(HELP) + 3), width // 30))
    keys_px = max(drawing.text_width(keys, letter_px) for keys, _ in HELP) + 2 * letter_px
    sheet_width = keys_px + max(drawing.text_width(meaning, letter_px) for _, meaning in HELP) + 3 * letter_px
    sheet_height = 2 * letter_px * len(HELP) + 2 * letter_px
    left, top = (width - sheet_width) // 2, (height - sheet_height) // 2
    drawing.panel(canvas, (left, top, left + sheet_width, top + sheet_height), drawing.INK, 0.92, letter_px)
    for row, (keys, meaning) in enumerate(HELP):
        baseline = top + round(letter_px * (2 * row + 2.4))
        drawing.write(canvas, keys, left + round(1.5 * letter_px), baseline, letter_px, drawing.AMBER)
        drawing.write(canvas, meaning, left + round(1.5 * letter_px) + keys_px, baseline, letter_px)
