"""Annotated pictures: one for a source that is one picture, or one per frame where their names have numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from streamer.data.result import Result
from streamer.errors import SinkError
from streamer.sinks.lifting import lifted
from streamer.sinks.outputs import make_room, numbered, replacing

DEEP_SUFFIXES = (".png", ".tif", ".tiff")
"""Those that hold 16 bits."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


class ImageSink:
    """Draws a result and writes it as an image; without a number in its name, a later one takes an earlier one's place.

    Args:
        path: Where to write; the suffix (.png, .jpg, .webp, .bmp, .tif) chooses the format. The frame's index takes the
            place of ``%d``, ``%05d`` and the like.
        draw: Makes the ``(H, W, 3)`` uint8 RGB picture of a result.

    Raises:
        SinkError: The suffix is not known, or the path cannot be written.
    """

    def __init__(self, path: Path, draw: Callable[[Result], NDArray[np.uint8]]) -> None:
        check_image_path(path)
        self.name = path.name
        self._path = path
        self._draw = draw

    def write(self, result: Result) -> None:
        """Draw and write the next result; with 16 bits where the frame has its original and the format takes them.

        Raises:
            SinkError: It cannot be written.
        """
        path, drawn = numbered(self._path, result.index), self._draw(result)
        if result.frame.original is None or path.suffix.lower() not in DEEP_SUFFIXES:
            write_image(path, drawn)
            return
        deep = cv2.cvtColor(lifted(drawn, result.frame), cv2.COLOR_RGB2BGR)
        with replacing(path) as partial:
            cv2.imwrite(str(partial), deep)

    def close(self) -> None:
        """Nothing is left to do: each picture is whole once it is written."""


def check_image_path(path: Path) -> None:
    """Make sure that an image can have this path.

    Raises:
        SinkError: The suffix is not known, the folder cannot be created, or ``path`` is a folder.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SinkError(f"{path.name} is no picture that can be written: end its name in one of {', '.join(SUFFIXES)}.")
    make_room(path)


def write_image(path: Path, image_rgb: NDArray[np.uint8]) -> None:
    """Write a ``(H, W, 3)`` uint8 RGB picture by rename, JPEG and WebP at quality 95.

    Raises:
        SinkError: The suffix is not known, or the file cannot be written.
    """
    check_image_path(path)
    with replacing(path) as partial:
        Image.fromarray(image_rgb).save(partial, quality=95)
