"""What a recording says about itself: title, time, chapters, and the languages of its tracks."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import Any

import av

_OWN = frozenset({"encoder", "major_brand", "minor_version", "compatible_brands", "duration"})
"""Tags that are about the file rather than about what is in it."""
_OF_TRACKS = ("language", "title", "handler_name")


def copy_tags(source: av.container.InputContainer, target: av.container.OutputContainer, origin_s: Fraction) -> None:
    """Copy title, place, time and the like, and the chapters, whose times count from ``origin_s`` of the source [s]."""
    target.metadata.update({name: text for name, text in source.metadata.items() if name.lower() not in _OWN})
    chapters = [moved for chapter in source.chapters() if (moved := _moved(chapter, origin_s)) is not None]
    if chapters:
        with suppress(av.FFmpegError, ValueError):
            target.set_chapters(chapters)


def copy_track_tags(source: av.stream.Stream, target: av.stream.Stream) -> None:
    """Copy language and title of a track, and whether players choose it by themselves."""
    for name in _OF_TRACKS:
        if name in source.metadata:
            target.metadata[name] = source.metadata[name]
    target.disposition = source.disposition


def _moved(chapter: Any, origin_s: Fraction) -> dict[str, Any] | None:
    """A chapter that many seconds earlier; None where it has ended by then."""
    shift = round(origin_s / chapter["time_base"])
    start, end = max(chapter["start"] - shift, 0), chapter["end"] - shift
    return None if end <= start else {**chapter, "start": start, "end": end}
