"""What the window shows around and over the drawing: bars, sidebar, help sheet, pointer. Never in a recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2

from streamer.data.result import Result
from streamer.ui import drawing
from streamer.ui.readings import map_text
from streamer.ui.window import help_sheet, sidebar
from streamer.ui.window.layout import Layout, Point


@dataclass(frozen=True, slots=True)
class Status:
    """What the run has to say beside the result itself; None or empty where it is not known.

    Attributes:
        rate_hz: Frames shown per second.
        latency_ms: From capture to display.
        reasons: Why each slow model was asked last, by the name of its stage.
        device: What the models run on.
        selected: Id of the object that the next clicks belong to; None for a new one.
        paused, ended, stalled, recording: What the run does.
        place: Which picture of several this is, in words.
        awaited: What the person is waiting for, in a few words.
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
    ended: bool = False
    place: str = ""
    awaited: str = ""


@dataclass(frozen=True, slots=True)
class Pointer:
    """The mouse, in pixels of the canvas: where it is, where a drag began, and the last clicks with their labels."""

    at: Point | None = None
    dragged_from: Point | None = None
    clicks: tuple[tuple[float, float, int], ...] = ()


def draw(
    canvas: drawing.Image,
    layout: Layout,
    result: Result,
    status: Status,
    pointer: Pointer,
    help_open: bool = False,
    objects_open: bool = True,
) -> None:
    """Draw everything on a ``(H, W, 3)`` RGB canvas on which the drawing already lies."""
    _clear_around(canvas, layout)
    _draw_pointer(canvas, layout, pointer)
    _draw_awaited(canvas, layout, status.awaited)
    if objects_open:
        sidebar.draw(canvas, layout, result, status.selected)
    _draw_top(canvas, layout, result, status)
    _draw_bottom(canvas, layout, result, status, pointer)
    if help_open:
        help_sheet.draw(canvas, layout)


def _clear_around(canvas: drawing.Image, layout: Layout) -> None:
    """What lay beside the drawing is of the frame before."""
    x0, y0, x1, y1 = layout.area
    for beside in (canvas[:y0], canvas[y1:], canvas[:, :x0], canvas[:, x1:]):
        beside[:] = drawing.BACKGROUND


def _draw_awaited(canvas: drawing.Image, layout: Layout, text: str) -> None:
    """What the person is waiting for, in the middle of the picture's lower edge."""
    letter_px = layout.letter_px
    width = drawing.text_width(text, letter_px) + 2 * letter_px
    x0, _, _, y1 = layout.area
    left = x0 + round((layout.frame_size[0] * layout.scale - width) / 2)
    if not text or left < x0:
        return
    box = left, y1 - 3 * letter_px, left + width, y1 - letter_px
    drawing.panel(canvas, box, drawing.INK, 0.8, letter_px // 2)
    drawing.write(canvas, text, left + letter_px, box[3] - round(0.6 * letter_px), letter_px, drawing.AMBER)


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


def _draw_top(canvas: drawing.Image, layout: Layout, result: Result, status: Status) -> None:
    width, _ = layout.canvas_size
    letter_px = layout.letter_px
    baseline, _ = layout.baselines
    left = letter_px
    for shown, word, color in (
        (status.stalled, "STALLED", drawing.RED),
        (status.paused, "PAUSED", drawing.AMBER),
        (status.ended, "END", drawing.AMBER),
        (status.recording, "REC", drawing.RED),
    ):
        if shown:
            drawing.chip(canvas, left, layout.bar_px // 2 - round(0.85 * letter_px), word, "", letter_px, color)
            left += drawing.chip_size(word, "", letter_px)[0] + letter_px // 2
    right = width - letter_px
    if status.device:
        right -= drawing.text_width(status.device, letter_px)
        drawing.write(canvas, status.device, right, baseline, letter_px, drawing.SILVER)
    left += letter_px // 2
    for before, value, after in _readings(result, status):
        words = [(before, drawing.SILVER), (value, drawing.WHITE), (after, drawing.SILVER)]
        widths = [drawing.text_width(word, letter_px) + letter_px // 2 if word else 0 for word, _ in words]
        if left + sum(widths) > right:
            break
        for (word, color), word_width in zip(words, widths, strict=True):
            drawing.write(canvas, word, left, baseline, letter_px, color)
            left += word_width
        left += letter_px


def _readings(result: Result, status: Status) -> list[tuple[str, str, str]]:
    readings = [("", status.place, "")] if status.place else []
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
    letter_px = layout.letter_px
    _, baseline = layout.baselines
    right = layout.canvas_size[0] - letter_px
    if pointer.at is not None and layout.covers(pointer.at):
        x, y = layout.to_frame(pointer.at)
        reading = f"x {x:.0f}  y {y:.0f}"
        if result.inverse_depth is not None:
            reading += f"  depth {map_text(result.inverse_depth[round(y), round(x)], result.depth_unit)}"
        right -= drawing.text_width(reading, letter_px)
        drawing.write(canvas, reading, right, baseline, letter_px)
    target = "a new object" if status.selected is None else f"object {status.selected}"
    hint = f"clicks go to {target}, h shows the keys"
    for text, color in ((status.message, drawing.AMBER), (hint, drawing.SILVER)):
        if text and letter_px + drawing.text_width(text, letter_px) + letter_px < right:
            drawing.write(canvas, text, letter_px, baseline, letter_px, color)
            return
