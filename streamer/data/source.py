"""What every source of frames has in common."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

from streamer.data.camera_model import CameraModel
from streamer.data.frame import Frame
from streamer.data.original import Hdr
from streamer.errors import SourceError

HEIF_SUFFIXES = frozenset({".heic", ".heif", ".hif"})
IMAGE_SUFFIXES = HEIF_SUFFIXES | {
    *(".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".jp2", ".avif")  # a GIF is a video
}


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source once it is open.

    Attributes:
        name: Short name for people and for output files ("dog", "camera 0"); never holds credentials.
        size: (width, height) of the frames as shown, rotation applied [px].
        rate_hz: Nominal frame rate; None where there is none (a folder of pictures has the rate it is played at).
        time_base: Unit of the source's own timestamps [s]; None where they come from a clock.
        frame_count: Expected number of frames; None where unknown. A hint for progress, not a promise.
        live: Whether frames arrive by themselves and are gone if nobody takes them (camera, stream).
        still: Whether the source is one picture, so that the output is a picture too.
        path: The file that it was read from, where there is one (audio is copied from there).
        address: Where on a server it lies, if it is a file there, credentials included: not to be shown.
        again: Gives the same bytes once more, from the first on, where they come only once (a pipe, a file that grows).
        video_stream: Which stream of its file the frames come from.
        folders: Where its pictures lie, if it is made of pictures.
        renewable: Whether it can be opened again where it went on meanwhile, as a camera can.
        settings: What a camera was really set to, in words; empty where there is nothing to set.
        notice: One sentence where that is not what was asked for, else None.
        camera: Its camera, where the source itself knows it.
        hdr: How its frames' originals are coded, where they are HDR and shall stay so.
    """

    name: str
    size: tuple[int, int]
    rate_hz: Fraction | None = None
    time_base: Fraction | None = None
    frame_count: int | None = None
    live: bool = False
    still: bool = False
    path: Path | None = None
    address: str | None = field(default=None, repr=False)
    again: Callable[[], Any] | None = field(default=None, repr=False)
    video_stream: int | None = None
    folders: frozenset[Path] = frozenset()
    renewable: bool = True
    settings: str = ""
    notice: str | None = None
    camera: CameraModel | None = None
    hdr: Hdr | None = None

    @property
    def is_alone(self) -> bool:
        """Whether it is surely one frame: a picture, or the only one that was given. A video file's count is a hint."""
        return self.still or (self.frame_count == 1 and self.path is None)


@runtime_checkable
class Pausable(Protocol):
    """A source that can be held where it is: what is recorded waits, what a camera sees does not."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...


@runtime_checkable
class Peekable(Protocol):
    """A source whose first frame can be seen before it is read."""

    def peek(self) -> Frame | None:
        """The first frame before reading begins; it is read all the same. None where there is none.

        Raises:
            SourceError: As `Source.read`.
        """
        ...


@runtime_checkable
class Source(Protocol):
    """Reads frames one after the other. Used from one thread."""

    @property
    def info(self) -> SourceInfo: ...

    @property
    def damage(self) -> str | None:
        """One sentence about what could not be read, once reading has ended early; None where all is well."""
        ...

    @property
    def remark(self) -> str | None:
        """One sentence about what was done to frames that a person should know, as soon as it is known; else None."""
        ...

    def read(self) -> Frame | None:
        """The next frame, or None at the end.

        Raises:
            SourceError: A live source stopped answering.
        """
        ...

    def close(self) -> None:
        """Let go of the device or file. May be called twice, and from another thread than `read`."""
        ...


def exact_rate(rate_hz: Fraction | float) -> Fraction:
    """The rate as a fraction, so that times do not drift (29.97 becomes 2997/100, 30000/1001 stays) [Hz].

    Raises:
        SourceError: The rate is not between 1/1000 and 1000.
    """
    if not 0.001 <= rate_hz <= 1000:
        raise SourceError(
            f"There is no playing at {float(rate_hz):g} frames per second: give a rate from 0.001 to 1000."
        )
    return Fraction(rate_hz).limit_denominator(1001)


class BaseSource:
    """A source that may be closed at any time from any thread, even while `read` is blocked in a driver.

    Neither PyAV nor OpenCV survives being released under a running read, so whoever leaves last lets go: `close`
    when nobody reads, otherwise the reading thread on its way out. `close` itself never waits.

    Children set ``_info`` and write `_read` and `_release`.
    """

    _info: SourceInfo

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._reading = False
        self._damage: str | None = None

    @property
    def info(self) -> SourceInfo:
        return self._info

    @property
    def damage(self) -> str | None:
        return self._damage

    @property
    def remark(self) -> str | None:
        """One sentence about what was done on the way that a person should know, though nothing is lost."""
        return None

    def read(self) -> Frame | None:
        with self._lock:
            if self._closed.is_set():
                return None
            self._reading = True
        try:
            return self._read()
        finally:
            with self._lock:
                self._reading = False
                left_last = self._closed.is_set()
            if left_last:
                self._release()

    def close(self) -> None:
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            left_last = not self._reading
        if left_last:
            self._release()

    def _read(self) -> Frame | None:
        raise NotImplementedError

    def _release(self) -> None:
        """Let go of the device or file; called exactly once, never during `_read`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
