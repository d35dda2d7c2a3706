"""How an image lies in the square input of a SAM, and how masks travel between the image and the small logits."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

CERTAIN_LOGIT = 7.0
"""Of a mask that is known for certain: a probability of 0.999."""
LOW_RES_MARGIN_PX = 2
"""Low-resolution pixels beyond the image that bilinear interpolation reads at its edge."""


@dataclass(frozen=True, slots=True)
class InputSquare:
    """The input of a SAM.

    Attributes:
        side_px: Of the square [px].
        low_res_px: Side of the low-resolution logits of the whole square [px]. Where there is padding it divides the
            square's.
        multiple_px: Padding may end at the next multiple of this: ``side_px`` where the network takes squares only.
        keeps_aspect: Whether the longer side of the image fills the square and the rest is padding (SAM), or the image
            is stretched over all of it (SAM 2 and what follows it).
    """

    side_px: int
    low_res_px: int
    multiple_px: int
    keeps_aspect: bool = True

    @property
    def _factor(self) -> int:
        """Pixels of the square per pixel of the low-resolution logits, in x and in y."""
        return self.side_px // self.low_res_px

    def resized(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of the image inside the square [px]."""
        if not self.keeps_aspect:
            return self.side_px, self.side_px
        scale = self.side_px / max(image_size)
        columns, rows = (int(side * scale + 0.5) for side in image_size)  # rounded as upstream does
        return columns, rows

    def padded(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of the network's input [px]."""
        columns, rows = self.resized(image_size)
        return _up_to(self.multiple_px, columns), _up_to(self.multiple_px, rows)

    def low_res(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of the low-resolution logits."""
        if not self.keeps_aspect:
            return self.low_res_px, self.low_res_px
        columns, rows = self.padded(image_size)
        return columns // self._factor, rows // self._factor

    def valid_low_res(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of the part of the low-resolution logits that shows the image."""
        columns, rows = (max(1, round(side * self.low_res_px / self.side_px)) for side in self.resized(image_size))
        return columns, rows

    def scale(self, image_size: tuple[int, int]) -> tuple[float, float]:
        """Pixels of the square per pixel of the image, in x and y."""
        columns, rows = self.resized(image_size)
        return columns / image_size[0], rows / image_size[1]

    def mask_input(self, mask: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]:
        """Turn a soft mask (0 to 1, or bool) of an image into ``(h, w)`` logits to be used as ``mask_input``.

        The mask may be of any size; it is averaged down to the low resolution. The padding counts as outside.
        """
        columns, rows = self.valid_low_res(image_size)
        small = cv2.resize(mask.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
        sure = 1 / (1 + np.exp(-CERTAIN_LOGIT))
        small = np.clip(small, 1 - sure, sure)
        logits = np.full(self.low_res(image_size)[::-1], -CERTAIN_LOGIT, np.float32)
        logits[:rows, :columns] = np.log(small / (1 - small))
        return logits

    def upscale(self, logits: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]:
        """Bring ``(M, h, w)`` low-resolution logits to the frame: ``(M, H, W)`` float32; above 0 is inside.

        Where there is padding, the two bilinear steps of upstream's ``Sam.postprocess_masks`` without its rows; else
        the one step of SAM 2.
        """
        upscaled = np.empty((len(logits), image_size[1], image_size[0]), np.float32)
        for source, target in zip(logits, upscaled, strict=True):
            image = self._square_of(source, image_size) if self.keeps_aspect else np.ascontiguousarray(source)
            cv2.resize(image, image_size, dst=target, interpolation=cv2.INTER_LINEAR)
        return upscaled

    def _square_of(self, logits: NDArray[np.float32], image_size: tuple[int, int]) -> NDArray[np.float32]:
        """``(h, w)`` logits at the size of the square, only the image."""
        columns, rows = self.resized(image_size)
        factor = self._factor
        used_rows = min(-(-rows // factor) + LOW_RES_MARGIN_PX, logits.shape[0])
        used_columns = min(-(-columns // factor) + LOW_RES_MARGIN_PX, logits.shape[1])
        used = np.ascontiguousarray(logits[:used_rows, :used_columns])
        square = cv2.resize(used, (used_columns * factor, used_rows * factor), interpolation=cv2.INTER_LINEAR)
        return square[:rows, :columns]


def _up_to(multiple: int, length: int) -> int:
    """The length, or the next multiple above it."""
    return -(-length // multiple) * multiple
