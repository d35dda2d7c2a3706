"""What a frame says about its high dynamic range."""

from __future__ import annotations

import av
import numpy as np

from streamer.data.original import HLG, PQ, Hdr

_RATIONALS = 10
"""Of FFmpeg's AVMasteringDisplayMetadata: x and y of red, green, blue and white, then least and most light."""
_UNITS = (50_000,) * 8 + (10_000,) * 2


def is_hdr(frame: av.VideoFrame) -> bool:
    """Whether a frame is HLG or PQ."""
    return int(frame.color_trc or 0) in (PQ, HLG)


def name_of(frame: av.VideoFrame) -> str:
    """What people call the kind of HDR."""
    return "PQ" if int(frame.color_trc) == PQ else "HLG"


def hdr_of(frame: av.VideoFrame) -> Hdr | None:
    """How the frame is coded, and the screen and light levels it tells of; None where it is not HDR."""
    if not is_hdr(frame):
        return None
    told = {data.type.name: bytes(data) for data in frame.side_data}
    return Hdr(
        int(frame.color_trc),
        _mastering(told.get("MASTERING_DISPLAY_METADATA", b"")),
        _light_levels(told.get("CONTENT_LIGHT_LEVEL", b"")),
    )


def _mastering(data: bytes) -> tuple[int, ...] | None:
    values = np.frombuffer(data[: len(data) // 4 * 4], np.int32).tolist()
    if len(values) < 2 * _RATIONALS + 2 or not all(values[2 * _RATIONALS : 2 * _RATIONALS + 2]):
        return None
    pairs = zip(values[0 : 2 * _RATIONALS : 2], values[1 : 2 * _RATIONALS : 2], strict=True)
    return tuple(round(up / (down or 1) * unit) for (up, down), unit in zip(pairs, _UNITS, strict=True))


def _light_levels(data: bytes) -> tuple[int, int] | None:
    if len(data) < 8:
        return None
    most, mean = np.frombuffer(data[:8], np.uint32).tolist()
    return (most, mean) if most else None
