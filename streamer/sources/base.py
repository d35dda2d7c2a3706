"""What every source of frames has in common."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from streamer.frame import Frame


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
    """

    name: str
    size: tuple[int, int]
    rate_hz: Fraction | None = None
    time_base: Fraction | None = None
    frame_count: int | None = None
    live: bool = False
    still: bool = False
    path: Path | None = None


class Source(Protocol):
    """Reads frames one after the other. Used from one thread."""

    @property
    def info(self) -> SourceInfo: ...

    @property
    def damage(self) -> str | None:
        """One sentence about what could not be read, once reading has ended early; None where all is well."""
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
