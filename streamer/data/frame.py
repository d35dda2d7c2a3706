"""One picture of a source, and the moment it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from streamer.data.original import Original


class StampOrigin(StrEnum):
    """How the moment of capture is known; the value is what outputs write."""

    DRIVER = "driver"
    """The camera's driver said when the picture was taken."""
    ARRIVAL = "arrival"
    """When the picture came to this program: later than it was taken by what sensor, encoder and network need."""
    PUSHED = "pushed"
    """Whoever pushed the picture said so."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Frame:
    """One picture with its place in the source.

    Attributes:
        index: Position in the source, from 0. Dropped live frames leave gaps.
        time_s: Media time since the start of the source [s].
        image_rgb: ``(H, W, 3)`` uint8, RGB, C-contiguous. Shared, not copied: nobody writes into it.
        captured_at_s: ``time.monotonic()`` at capture, as far as that is known: see ``stamp_origin`` [s].
        stem: File name without its suffix where the frame was a file of its own (a picture in a folder).
        damaged: Whether it was decoded with errors, or from frames that were: shown, but no model is to learn from it.
        stamp_ns: Wall clock at capture, since the Unix epoch [ns]; None where nobody knows it (a recording).
        stamp_origin: How it is known; None where it is not.
        original: The picture with all its bits, where it has more than 8 and an output asked for them.
    """

    index: int
    time_s: float
    image_rgb: NDArray[np.uint8]
    captured_at_s: float
    stem: str | None = None
    damaged: bool = False
    stamp_ns: int | None = None
    stamp_origin: StampOrigin | None = None
    original: Original | None = None

    def __post_init__(self) -> None:
        image = self.image_rgb
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"image_rgb must be (H, W, 3) uint8, but it is {image.shape} {image.dtype}.")

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) [px]."""
        height, width = self.image_rgb.shape[:2]
        return width, height

    def __repr__(self) -> str:
        width, height = self.size
        return f"Frame(index={self.index}, time_s={self.time_s:.3f}, size={width}x{height})"
