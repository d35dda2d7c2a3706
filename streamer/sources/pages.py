"""One file of several images: an animated WebP, PNG or AVIF, or the pages of a TIFF."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

from PIL import Image

from streamer.data.frame import Frame
from streamer.data.source import BaseSource, SourceInfo, exact_rate
from streamer.sources.images import fitted, opened_image, rgb_of

_SEQUENCES = frozenset({"TIFF", "WEBP", "PNG", "AVIF"})
"""Formats whose further images come after the first; those of a JPEG (MPO) or an icon are the same one again."""
_MS = Fraction(1, 1000)


class PagesSource(BaseSource):
    """The images of one file, one after the other.

    Animations keep their own times; pages, which have none, get those of the rate. All frames have the size of the
    first.

    Args:
        path: See `is_sequence`.
        rate_hz: What pages are played at.

    Raises:
        SourceError: It cannot be read.
    """

    def __init__(self, path: str | Path, rate_hz: Fraction | float = 24) -> None:
        super().__init__()
        path = Path(path)
        self._rate_hz = exact_rate(rate_hz)
        self._image = opened_image(path)
        self._count = getattr(self._image, "n_frames", 1)
        self._index = 0
        self._time_s = Fraction(0)
        is_animated = bool(self._image.info.get("duration"))
        self._info = SourceInfo(
            path.stem,
            self._image.size,
            rate_hz=1 / (_duration_ms(self._image) * _MS) if is_animated else self._rate_hz,
            time_base=_MS if is_animated else 1 / self._rate_hz,
            frame_count=self._count,
            folders=frozenset({path.resolve().parent}),
        )
        self._path = path

    def _read(self) -> Frame | None:
        if self._index >= self._count:
            return None
        index, time_s = self._index, self._time_s
        self._index += 1
        try:
            self._image.seek(index)
            image = rgb_of(self._image)
        except (OSError, EOFError, SyntaxError, ValueError):
            self._damage = f"{self._path} is damaged: {index} of {self._count} images could be read."
            return None
        self._time_s += _duration_ms(self._image) * _MS if self._image.info.get("duration") else 1 / self._rate_hz
        return Frame(index, float(time_s), fitted(image, self._info.size), time.monotonic())

    def _release(self) -> None:
        self._image.close()


def is_sequence(path: Path) -> bool:
    """Whether an image file holds several images of one size that follow each other.

    Raises:
        SourceError: It cannot be read.
    """
    with opened_image(path) as image:
        if image.format not in _SEQUENCES or getattr(image, "n_frames", 1) < 2:
            return False
        first = image.size
        try:
            image.seek(1)
        except (OSError, EOFError, SyntaxError, ValueError):
            return False
        return image.size == first  # the further pages of a photo's TIFF are smaller versions of the first


def _duration_ms(image: Image.Image) -> Fraction:
    """How long an image of an animation is shown; browsers show what asks for less than 11 ms for 100 ms [ms]."""
    duration_ms = Fraction(image.info.get("duration") or 0).limit_denominator(1000)
    return duration_ms if duration_ms >= 11 else Fraction(100)
