"""What is made of a result for those who watch: a JPEG with what is known beside it, or one JSON line."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field, replace
from typing import Any

import cv2

from streamer.data.colors import color_of
from streamer.data.result import Result
from streamer.data.source import SourceInfo
from streamer.data.track import Track
from streamer.sinks.encoding import jpeg_of
from streamer.sinks.jsonl import header_of, line_of, to_text
from streamer.sinks.lines import MasksInJsonl
from streamer.ui.overlay import Overlay, Style
from streamer.ui.readings import depth_text
from streamer.ui.window.hud import Status

_QUALITY = 80
"""Of the JPEG: above it the file grows by half and nobody sees a difference on moving pictures."""
_MAX_SIDE_PX = 1280
"""Of the frame in the picture: what a larger one shows is lost on a screen, and costs time and network."""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One result on its way to the browsers, with how the run stood and what is watched."""

    result: Result
    status: Status
    info: SourceInfo


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A JPEG, and what the page shows around it.

    Attributes:
        jpeg: The drawing.
        about: Ready for JSON.
        captured_at_s: When its frame arrived, monotonic [s].
    """

    jpeg: bytes
    about: dict[str, Any]
    captured_at_s: float

    def packed(self, more: dict[str, Any]) -> bytes:
        """One binary message: length of the JSON (4 bytes, big-endian), the JSON with ``more`` in it, the JPEG."""
        about = json.dumps({**self.about, **more}, separators=(",", ":")).encode()
        return struct.pack(">I", len(about)) + about + self.jpeg


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures in one style; equal ones are made once for all."""

    style: Style
    _overlay: Overlay = field(default_factory=Overlay, compare=False, repr=False)

    def make(self, shot: Shot) -> Picture:
        """The picture of a result."""
        image = self._overlay.draw(shot.result, self.style)
        shrink = _MAX_SIDE_PX / max(shot.result.frame.size)
        if shrink < 1:
            image = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        return Picture(jpeg_of(image, _QUALITY), about(shot, self.style), shot.result.frame.captured_at_s)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """The line of a frame, and the one before the first of its source; both with their ends."""

    line: bytes
    header: bytes
    info: SourceInfo


@dataclass(frozen=True, slots=True)
class Lines:
    """Results as the JSON-lines sink writes them."""

    masks: MasksInJsonl = "rle"

    def make(self, shot: Shot) -> Told:
        """The line of a result."""
        line, header = line_of(shot.result, self.masks), header_of(shot.info, shot.result, self.masks)
        return Told(f"{to_text(line)}\n".encode(), f"{to_text(header)}\n".encode(), shot.info)


def on_page(style: Style) -> Style:
    """A style as the page wants it: labels are its own, so that they can be read on a small screen as well."""
    return replace(style, labels=False)


def about(shot: Shot, style: Style) -> dict[str, Any]:
    """What the page shows beside a picture."""
    result, status = shot.result, shot.status
    return {
        "frame_id": result.index,
        "time_s": round(result.time_s, 3),
        "size": result.frame.size,
        "halves": 2 if style.depth == "side" else 1,
        "objects": [_object(track) for track in result.tracks],
        "rate_hz": None if status.rate_hz is None else round(status.rate_hz, 1),
        "latency_ms": None if status.latency_ms is None else round(status.latency_ms),
        "device": status.device,
        "paused": status.paused,
        "stalled": status.stalled,
        "recording": status.recording,
        "ended": status.ended,
        "place": status.place,
        "awaited": status.awaited,
    }


def _object(track: Track) -> dict[str, Any]:
    return {
        "id": int(track.id),
        "label": track.label,
        "color": "#{:02x}{:02x}{:02x}".format(*color_of(int(track.id))),
        "state": str(track.state),
        "score": round(float(track.score), 2),
        "depth": None if track.depth is None else depth_text(track.depth.median, track.depth.unit),
        "box": None if track.box_xyxy is None else [round(float(corner)) for corner in track.box_xyxy],
    }
