"""How the pixels of a frame are shown: turned, mirrored, and square."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Pixel = TypeVar("Pixel", np.uint8, np.uint16)

_MATRIX = "DISPLAYMATRIX"
_WIDEST = 16
"""Pixels more stretched than this are a damaged header."""
_NEARLY_SQUARE = 0.02
_LONGEST_PX = 16_384
"""No side grows beyond what encoders take."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """Which of the eight ways of laying a rectangle on itself a player takes.

    Attributes:
        transposed: Rows become columns, before the rest.
        flipped_x: Left and right change places.
        flipped_y: Top and bottom change places.
    """

    transposed: bool = False
    flipped_x: bool = False
    flipped_y: bool = False

    @classmethod
    def of(cls, frame: av.VideoFrame) -> Orientation:
        """From the display matrix of a frame: ``x' = a x + c y``, ``y' = b x + d y``; the nearest quarter turn."""
        for data in frame.side_data:
            if data.type.name == _MATRIX:
                a, b, _, c, d = np.frombuffer(bytes(data)[:20], "<i4").tolist()
                if abs(a) >= abs(b):
                    return cls(False, a < 0, d < 0)
                return cls(True, c < 0, b < 0)
        return cls()

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of an image of this size once it is upright [px]."""
        return (size[1], size[0]) if self.transposed else size

    def upright(self, image: NDArray[Pixel]) -> NDArray[Pixel]:
        """``(H, W, 3)`` uint8 or uint16, turned and mirrored."""
        if self.transposed:
            image = cv2.transpose(image)
        if self.flipped_x or self.flipped_y:
            image = cv2.flip(image, -1 if self.flipped_x and self.flipped_y else int(self.flipped_x))
        return np.ascontiguousarray(image)


def square_size(size: tuple[int, int], pixel_aspect: Fraction | None) -> tuple[int, int]:
    """(width, height) at which the pixels are square, before rotation; no side is made shorter [px]."""
    width, height = size
    aspect = float(pixel_aspect or 1)
    if not 1 / _WIDEST <= aspect <= _WIDEST or abs(aspect - 1) < _NEARLY_SQUARE:
        return size
    if aspect > 1:
        width = round(width * aspect / 2) * 2
    else:
        height = round(height / aspect / 2) * 2
    if max(width, height) <= _LONGEST_PX:
        return width, height
    scale = _LONGEST_PX / max(width, height)
    return round(width * scale / 2) * 2, round(height * scale / 2) * 2


def placed(image: NDArray[Pixel], size: tuple[int, int]) -> NDArray[Pixel]:
    """The image, where it is smaller in the middle of a black one of this (width, height)."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    canvas = np.zeros((size[1], size[0], 3), image.dtype)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    canvas[top : top + height, left : left + width] = image
    return canvas


def size_within(size: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """The largest (width, height) of this shape that ``room`` holds [px]."""
    scale = min(room[0] / size[0], room[1] / size[1])
    return min(room[0], max(1, round(size[0] * scale))), min(room[1], max(1, round(size[1] * scale)))
