"""Outlines, boxes and names of tracks, for Foxglove to draw over the image: its `ImageAnnotations`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.colors import color_of
from streamer.data.track import State, Track

Fields = dict[str, Any]

_LINE_LOOP = 2
_STEP_PX = 1.0
"""How far a drawn outline may run beside the mask's edge: a polygon of some 50 corners instead of 1,000."""


def annotations_of(tracks: Sequence[Track], stamp: Fields) -> Fields:
    """What is drawn of the tracks that are seen; uncertain ones fainter, as in the window."""
    points: list[Fields] = []
    texts: list[Fields] = []
    for track in tracks:
        if track.box_xyxy is None:
            continue
        color = _color(track)
        points += [_loop(outline, color, stamp) for outline in outlines_of(track.mask)]
        texts.append(_name(track, color, stamp))
    return {"circles": [], "points": points, "texts": texts}


def outlines_of(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Closed polygons ``(N, 2)`` around the parts and holes of a ``(H, W)`` mask, (x, y) of pixel centers [px]."""
    found, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    polygons = (cv2.approxPolyDP(outline, _STEP_PX, closed=True)[:, 0] for outline in found)
    return [polygon.astype(np.float64) for polygon in polygons]


def _color(track: Track) -> Fields:
    red, green, blue = (channel / 255 for channel in color_of(track.id))
    return {"r": red, "g": green, "b": blue, "a": 1.0 if track.state is State.TRACKED else 0.5}


def _loop(outline: NDArray[np.float64], color: Fields, stamp: Fields) -> Fields:
    # Foxglove counts from the corner of the first pixel, not from its center.
    corners = [{"x": float(x), "y": float(y)} for x, y in outline + 0.5]
    return {
        "timestamp": stamp,
        "type": _LINE_LOOP,
        "points": corners,
        "outline_color": color,
        "outline_colors": [],
        "fill_color": {**color, "a": 0.25 * color["a"]},
        "thickness": 2.0,
    }


def _name(track: Track, color: Fields, stamp: Fields) -> Fields:
    assert track.box_xyxy is not None
    x0, y0, _, _ = track.box_xyxy
    return {
        "timestamp": stamp,
        "position": {"x": x0, "y": y0},
        "text": f"{track.id} {track.label or ''} {track.score:.2f}".replace("  ", " "),
        "font_size": 14.0,
        "text_color": {"r": 0.0, "g": 0.0, "b": 0.0, "a": 1.0},
        "background_color": color,
    }
