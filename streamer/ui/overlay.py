"""Draws a result: masks, contours, clicks, labels and depth. Pure pictures, no window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.colors import Color, color_of
from streamer.data.result import Result
from streamer.data.track import State, Track
from streamer.ui import drawing
from streamer.ui.outlines import SUBPIXEL_BITS, box_of, crop, strokes
from streamer.ui.parameters import DepthPlace, OverlayParameters
from streamer.ui.readings import depth_text, error_text, label_text, map_text, scale_title

_WAITING, _WAITING_SHADE = "no depth yet", 0.4
_INSET_SHARE, _INSET_LETTERS = 0.4, 0.75
"""Of the sides of the picture, and of its letters: of half the sides it would hide a quarter of what is followed."""

Outlined = tuple[Track, list[NDArray[np.int32]]]
"""An object with the strokes of its outline, in 1/16 px of the frame."""


@dataclass(frozen=True, slots=True)
class Style:
    """What is drawn, and how strongly.

    Attributes:
        masks: Whether masks, contours, boxes, clicks and labels are drawn at all.
        mask_opacity: Of the fill, from 0 to 1.
        depth: ``off``, ``overlay`` (over the picture), ``inset`` (small, in its lower right corner) or ``side`` (beside
            it; the drawing is twice as wide).
        depth_opacity: Of the depth in ``overlay``, from 0 to 1.
        labels, boxes, points: Whether these are drawn.
    """

    masks: bool = True
    mask_opacity: float = 0.45
    depth: DepthPlace = "off"
    depth_opacity: float = 0.6
    labels: bool = True
    boxes: bool = False
    points: bool = True

    @classmethod
    def of(cls, parameters: OverlayParameters, masks: bool = True, depth: bool = True, watched: bool = True) -> Self:
        """What the parameters ask for, where masks and depth are there to be drawn, and somebody watches or not."""
        place: DepthPlace = "side" if watched else "inset"
        if parameters.depth != "auto":
            place = parameters.depth
        return cls(
            masks=masks,
            mask_opacity=parameters.mask_opacity,
            depth=place if depth else "off",
            depth_opacity=parameters.depth_opacity,
        )


class Overlay:
    """Draws results, each one once per style: the window and a recording of the same style share the drawing.

    Drawings are read-only arrays of their own, so they may be kept. Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._result: Result | None = None
        self._drawings: dict[Style, drawing.Image] = {}
        self._scratch: drawing.Image | None = None

    def draw(self, result: Result, style: Style) -> drawing.Image:
        """See :func:`draw`."""
        with self._lock:
            if result is not self._result:
                self._result = result
                self._drawings = {}
            if style not in self._drawings:
                if self._scratch is None or self._scratch.shape != result.frame.image_rgb.shape:
                    self._scratch = np.empty_like(result.frame.image_rgb)
                self._drawings[style] = draw(result, style, self._scratch)
                self._drawings[style].setflags(write=False)
            return self._drawings[style]


def drawing_size(frame_size: tuple[int, int], style: Style) -> tuple[int, int]:
    """(width, height) of the drawings of frames of this (width, height) [px]."""
    width, height = frame_size
    return (2 * width if style.depth == "side" else width), height


def draw(result: Result, style: Style, scratch: drawing.Image | None = None) -> drawing.Image:
    """Draw one result; ``scratch`` is room of the frame's shape that saves taking it anew each time.

    Returns:
        A new ``(H, W, 3)`` uint8 RGB picture, or ``(H, 2 W, 3)`` with the depth beside it; the same size for every
        result of a run, also while there is no depth map yet. Pixels that nothing is drawn on are those of the frame.
    """
    width, height = result.frame.size
    canvas_width, _ = drawing_size((width, height), style)
    canvas = np.empty((height, canvas_width, 3), np.uint8)
    image, beside = canvas[:, :width], canvas[:, width:]
    image[:] = result.frame.image_rgb
    scratch = np.empty_like(image) if scratch is None else scratch
    has_depth = result.depth_map is not None and result.depth_range is not None
    taken: list[drawing.Box] = []
    if style.depth == "overlay" and has_depth:
        depth = _color_depth(result, scratch)
        cv2.addWeighted(image, 1 - style.depth_opacity, depth, style.depth_opacity, 0, dst=image)
        taken = [_draw_scale(image, result, drawing.letter_px((width, height)))]
    seen = [track for track in result.tracks if track.box_xyxy is not None and track.state != State.LOST]
    outlined = _outlined(seen if style.masks else [], (width, height))
    _draw_objects(image, outlined, style, scratch)
    if style.depth == "side":
        _draw_depth(beside, result, outlined, drawing.letter_px((width, height)))
    if style.depth == "inset":
        taken = [_draw_inset(image, result, outlined)]
    if style.masks and style.labels:
        _draw_labels(image, seen, taken)
    return canvas


def _outlined(tracks: Sequence[Track], frame_size: tuple[int, int]) -> list[Outlined]:
    return [(track, list(strokes(track, drawing.letter_px(frame_size)))) for track in tracks]


def inset_box(frame_size: tuple[int, int]) -> drawing.Box:
    """Where depth lies as an inset on a picture of this (width, height), without its border: x0, y0, x1, y1 [px]."""
    width, height = frame_size
    margin = drawing.letter_px(frame_size) // 2
    x1, y1 = max(width - margin, 1), max(height - margin, 1)
    return max(0, x1 - max(1, round(_INSET_SHARE * width))), max(0, y1 - max(1, round(_INSET_SHARE * height))), x1, y1


def _draw_inset(image: drawing.Image, result: Result, outlined: Sequence[Outlined]) -> drawing.Box:
    x0, y0, x1, y1 = inset_box(result.frame.size)
    letter_px = drawing.letter_px(result.frame.size)
    border = max(1, letter_px // 8)
    box = drawing.clip((x0 - border, y0 - border, x1 + border, y1 + border), image)
    inset = np.empty((y1 - y0, x1 - x0, 3), np.uint8)
    _draw_depth(inset, result, outlined, max(9, round(_INSET_LETTERS * letter_px)))
    image[box[1] : box[3], box[0] : box[2]] = drawing.INK
    image[y0:y1, x0:x1] = inset
    return box


def _draw_depth(room: drawing.Image, result: Result, outlined: Sequence[Outlined], letter_px: int) -> None:
    """The depth map with the objects' outlines and its scale, as large as the room; or that there is none yet."""
    if result.depth_map is None or result.depth_range is None:
        _draw_waiting(room, result.frame.image_rgb, letter_px)
        return
    _color_depth(result, room)
    _draw_scale(room, result, letter_px)
    zoom = np.divide(room.shape[1::-1], result.frame.size)
    for track, lines in outlined:
        if (zoom != 1).any():
            lines = [np.rint(line * zoom).astype(np.int32) for line in lines]
        _outline(room, track, lines, max(1, round(letter_px / 7) // 2))


def _draw_waiting(room: drawing.Image, image: drawing.Image, letter_px: int) -> None:
    """Where depth will be: the picture, gray and dark, with the word that says what is missing."""
    height, width = room.shape[:2]
    gray = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (width, height), interpolation=cv2.INTER_AREA)
    cv2.cvtColor(cv2.convertScaleAbs(gray, alpha=_WAITING_SHADE), cv2.COLOR_GRAY2RGB, dst=room)
    left = (width - drawing.text_width(_WAITING, letter_px)) // 2
    drawing.write(room, _WAITING, left, height // 2, letter_px)


def _color_depth(result: Result, out: drawing.Image) -> drawing.Image:
    small = cv2.applyColorMap(normalize_depth(result), drawing.depth_colors()[:, None])
    return cv2.resize(small, out.shape[1::-1], dst=out, interpolation=cv2.INTER_LINEAR)


def normalize_depth(result: Result) -> NDArray[np.uint8] | None:
    """``(h, w)`` uint8: 0 at the far end of ``depth_range`` and beyond, 255 at the near one; None without a map."""
    if result.depth_map is None or result.depth_range is None:
        return None
    far, near = result.depth_range
    scale = 255 / max(near - far, 1e-9)
    # addWeighted is the one call that scales, shifts and clips in one go.
    return cv2.addWeighted(result.depth_map, scale, result.depth_map, 0, -far * scale, dtype=cv2.CV_8U)


def _draw_objects(image: drawing.Image, outlined: Sequence[Outlined], style: Style, scratch: drawing.Image) -> None:
    height, width = image.shape[:2]
    letter_px = drawing.letter_px((width, height))
    line_px = max(1, round(letter_px / 7))
    click_px = max(2, round(0.011 * (width * height) ** 0.5))
    for track, _ in outlined:
        _fill(image, track, style.mask_opacity, scratch)
    for track, lines in outlined:
        _outline(image, track, lines, line_px)
        if style.boxes:
            x0, y0, x1, y1 = box_of(track)
            cv2.rectangle(image, (x0, y0), (x1 - 1, y1 - 1), _line_color(track), max(1, line_px // 2))
    if style.points:
        for track, _ in outlined:
            for (x, y), label in zip(track.point_coords, track.point_labels, strict=True):
                drawing.crosshair(image, x, y, click_px, label == 1)


def _outline(image: drawing.Image, track: Track, lines: Sequence[NDArray[np.int32]], line_px: int) -> None:
    closed = track.state == State.TRACKED
    cv2.polylines(image, lines, closed, _line_color(track), line_px, cv2.LINE_AA, SUBPIXEL_BITS)


def _line_color(track: Track) -> Color:
    red, green, blue = color_of(track.id)
    dimmed = 1.0 if track.state == State.TRACKED else 0.75
    return round(red * dimmed), round(green * dimmed), round(blue * dimmed)


def _fill(image: drawing.Image, track: Track, opacity: float, scratch: drawing.Image) -> None:
    mask, where, _ = crop(track)
    if track.state == State.UNCERTAIN:
        opacity /= 2
    if mask.size:
        drawing.tint(image[where], color_of(track.id), opacity, mask, scratch[where])


def _draw_labels(image: drawing.Image, tracks: Sequence[Track], taken: list[drawing.Box]) -> None:
    height, width = image.shape[:2]
    letter_px = drawing.letter_px((width, height))
    if 8 * letter_px > height:
        return
    for track in tracks:
        tag, text = str(track.id), caption(track)
        size = drawing.chip_size(tag, text, letter_px)
        if 2 * size[0] > width:
            text, size = "", drawing.chip_size(tag, "", letter_px)
        place = free_place(box_of(track), size, taken, (width, height))
        taken.append(place)
        drawing.chip(image, place[0], place[1], tag, text, letter_px, color_of(track.id))


def caption(track: Track) -> str:
    """Label where it has one, state where it is not the usual one, score, and median depth where there is one."""
    parts = [] if track.label is None else [label_text(track.label)]
    if track.state != State.TRACKED:
        parts.append(str(track.state))
    parts.append(f"{track.score:.2f}")
    if track.depth is not None:
        parts.append(f"depth {depth_text(track.depth.median, track.depth.unit)}")
    return "  ".join(parts)


def free_place(
    box: drawing.Box, size: tuple[int, int], taken: Sequence[drawing.Box], frame_size: tuple[int, int]
) -> drawing.Box:
    """Where a label of this (width, height) goes: above its box, below, or inside, on the frame and beside the others.

    Where all of these are taken it goes next above or below another label, and over one only when there is no room.
    """
    width, height = size
    others = np.array(taken, np.int64).reshape(-1, 4)
    near = [(x, y) for y in (box[1] - height - 2, box[3] + 2, box[1] + 2) for x in (box[0], box[2] - width)]
    beside = np.concatenate([others[:, 3:], others[:, 1:2] - height], axis=1).reshape(-1, 1)
    corners = np.array(near), np.concatenate([np.full_like(beside, box[0]), beside], axis=1)
    place, covered = np.zeros(4, np.int64), np.inf
    for wanted in corners:
        if covered > 0 and len(wanted):
            low = np.clip(wanted, 0, np.maximum(np.subtract(frame_size, size), 0))
            boxes = np.concatenate([low, low + size], axis=1)
            overlaps = _overlaps(boxes, others)
            if (least := overlaps.min()) < covered:
                place, covered = boxes[overlaps.argmin()], least
    x0, y0, x1, y1 = place.tolist()
    return x0, y0, x1, y1


def _overlaps(boxes: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """``(N,)`` how much of each of ``(N, 4)`` boxes the ``(M, 4)`` others cover, each counted for itself [px]."""
    ours = boxes[:, None]
    sides = np.minimum(ours[..., 2:], others[:, 2:]) - np.maximum(ours[..., :2], others[:, :2])
    covered: NDArray[np.int64] = sides.clip(min=0).prod(axis=2).sum(axis=1)
    return covered


def _draw_scale(image: drawing.Image, result: Result, letter_px: int) -> drawing.Box:
    assert result.depth_range is not None
    height, width = image.shape[:2]
    far, near = (map_text(value, result.depth_unit) for value in result.depth_range)
    title = scale_title(result.depth_unit)
    if result.depth_error is not None:
        title = f"{title} {error_text(result.depth_error)}"
    across = max(drawing.text_width(word, letter_px) for word in (title, near, far)) + letter_px
    if 4 * across > width or 16 * letter_px > height:
        return 0, 0, 0, 0
    gap = letter_px // 2
    box = width - gap - across, height // 4, width - gap, height - height // 4
    drawing.depth_scale(image, box, title, near, far, letter_px)
    return box
