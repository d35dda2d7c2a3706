"""Which video codecs this installation of PyAV brings."""

from __future__ import annotations

from typing import Literal

import av

CODECS: tuple[tuple[str, Literal["r", "w"], str], ...] = (
    ("h264", "r", "reading H.264"),
    ("hevc", "r", "reading HEVC"),
    ("libx264", "w", "writing H.264"),
)
"""Those that are needed: FFmpeg's name, whether it is read or written with, and what it is for."""


def is_here(name: str, mode: Literal["r", "w"]) -> bool:
    """Whether there is a codec of FFmpeg's name for reading ("r") or writing ("w")."""
    try:
        av.codec.Codec(name, mode)
    except ValueError:
        return False
    return True
