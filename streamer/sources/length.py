"""How long a source is, without decoding any of it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import av

from streamer.data.source import IMAGE_SUFFIXES
from streamer.errors import SourceError
from streamer.sources.open import kind_of, matches

_USUAL_HZ = 25


def frames_in(source: str) -> int | None:
    """About how many frames a source has, as its header says; None where nobody knows before it is read."""
    kind = kind_of(source)
    if kind == "folder":
        files = [str(file) for file in Path(source).iterdir()] if Path(source).is_dir() else matches(source)
        return sum(Path(file).suffix.lower() in IMAGE_SUFFIXES for file in files)
    return _frames_of_file(source) if kind in ("video", "image") else None


def _frames_of_file(path: str) -> int | None:
    try:
        with av.open(str(Path(path).absolute()), metadata_errors="replace") as container:
            if not container.streams.video:
                return None
            stream = container.streams.video[0]
            if stream.frames:
                return stream.frames
            duration_s = float(container.duration or 0) / av.time_base
            return round(duration_s * float(stream.average_rate or _USUAL_HZ)) or None
    except (av.FFmpegError, OSError):
        return None


def packets_in(path: str) -> int:
    """About how many frames a video file has, counted without decoding any; up to where it is damaged.

    Raises:
        SourceError: It is no video.
    """
    count = 0
    try:
        with av.open(str(Path(path).absolute()), metadata_errors="replace") as container:
            if not container.streams.video:
                raise SourceError(f"{path} holds no video: give a video file.")
            with suppress(av.FFmpegError, IndexError):
                for packet in container.demux(container.streams.video[0]):
                    count += packet.size > 0
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{path} cannot be read as a video ({error.strerror}): give a video file.") from None
    return count
