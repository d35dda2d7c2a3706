"""The outlines of masks, as lines that can be drawn within the time of a frame."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.track import State, Track
from streamer.motion.pyramid import halve
from streamer.ui import drawing

SUBPIXEL_BITS = 4
"""Strokes are in 1/16 px, which cv2.polylines takes as ``shift``."""

_SPECK_PX, _LARGE_AREA_PX = 5, 200**2
_MOST_OUTLINES, _MOST_POINTS, _MOST_DASHES = 12, 2500, 48
_DEVIATION_PX = 0.5


def box_of(track: Track) -> drawing.Box:
    """The whole pixels of a mask that is not empty, x0, y0, x1, y1."""
    assert track.box_xyxy is not None
    x0, y0, x1, y1 = track.box_xyxy
    return int(np.floor(x0)), int(np.floor(y0)), int(np.ceil(x1)), int(np.ceil(y1))


def crop(track: Track) -> tuple[NDArray[np.uint8], tuple[slice, slice], tuple[int, int]]:
    """The mask inside its box, ``(h, w)`` uint8; where it lies in the frame; and its upper left corner, (x, y)."""
    mask = track.mask.view(np.uint8)
    x0, y0, x1, y1 = drawing.clip(box_of(track), mask)
    where = slice(y0, y1), slice(x0, x1)
    return mask[where], where, (x0, y0)


def strokes(track: Track, dash_px: int) -> Iterator[NDArray[np.int32]]:
    """The mask's outline as smooth lines in 1/16 px: closed ones, or dashes where the object is uncertain."""
    for outline in _outlines(track):
        line = _smooth(outline)
        dash = len(line) if track.state == State.TRACKED else max(3, dash_px // 2, len(line) // _MOST_DASHES)
        for start in range(0, len(line), 2 * dash):
            # Long straight stretches become one segment each: drawing costs by the segment.
            kept = cv2.approxPolyDP(line[start : start + dash], _DEVIATION_PX, track.state == State.TRACKED)
            yield np.round(kept * (1 << SUBPIXEL_BITS)).astype(np.int32)


def _outlines(track: Track) -> list[NDArray[np.float32]]:
    """The mask's longest outlines, ``(N, 2)`` (x, y) [px].

    A mask may be noise of thousands of specks, which would cost more than the whole frame has time for: so specks are
    wiped off, large masks are looked at in half the size, and what is longer than any thing's outline is cut off.
    """
    mask, _, corner = crop(track)
    if not mask.size:
        return []
    step = 2 if mask.size > _LARGE_AREA_PX else 1
    whole = halve(mask) if step == 2 else mask
    if mask.size > _SPECK_PX**4:
        # Of zeros and ones the rounded mean is the median, which takes up to fifty times as long in narrow pictures.
        whole = cv2.blur(whole, (_SPECK_PX // step | 1,) * 2, borderType=cv2.BORDER_REPLICATE)
    found, _ = cv2.findContours(whole, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    longest = sorted(found, key=len, reverse=True)[:_MOST_OUTLINES]
    # The one that goes beyond the limit is the last.
    count = 1 + int(np.searchsorted(np.cumsum([len(outline) for outline in longest]), _MOST_POINTS))
    middle = np.add(corner, (step - 1) / 2)
    return [(outline[:_MOST_POINTS, 0] * step + middle).astype(np.float32) for outline in longest[:count]]


def _smooth(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take the pixel steps out of a closed outline: the running mean of every second point."""
    if len(points) < 24:
        return points
    points = points[::2]
    reach = min(2, len(points) // 12)
    around = np.concatenate([points[-reach:], points, points[:reach]])
    return cv2.blur(around[:, None], (1, 2 * reach + 1))[reach:-reach, 0]
