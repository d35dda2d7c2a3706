"""What a frame is drawn on: color, inverse depth and the rigid body seen, nearest surface first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.synthetic.geometry import Lens, Matrix, shift
from streamer.synthetic.surfaces import SAMPLE, Texture

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Stamp:
    """One surface as it was put on a canvas: where it would be seen alone, and where it was the nearest so far."""

    region: tuple[slice, slice]
    mask: NDArray[np.uint8]
    nearer: NDArray[np.uint8]
    body: int
    object_id: int


class Canvas:
    """The buffers of one frame.

    ``body`` and ``outlines``, which only the truth needs, are found once all is drawn, where they are asked for.

    Attributes:
        image: ``(H, W, 4)`` uint8, RGB and a channel that means nothing (OpenCV is three times faster on four).
        inverse_depth: ``(H, W)`` float32 [1/m], 0 where nothing was drawn.
        bare_rows: How many rows at the top nothing was drawn on yet.
    """

    def __init__(self, lens: Lens) -> None:
        self.lens = lens
        width, height = lens.size
        self.image = np.zeros((height, width, 4), np.uint8)
        self.inverse_depth = np.zeros((height, width), np.float32)
        self.bare_rows = height
        self._stamps: list[_Stamp] = []

    def clear(self) -> None:
        """Start a new frame. The image need not be wiped, since the background covers it all."""
        self.inverse_depth.fill(0)
        self.bare_rows = len(self.image)
        self._stamps.clear()
        for found in ("body", "outlines"):
            self.__dict__.pop(found, None)

    @cached_property
    def body(self) -> NDArray[np.uint8]:
        """``(H, W)`` uint8, index of the rigid body seen; 0 is everything that does not move."""
        body = np.zeros(self.inverse_depth.shape, np.uint8)
        for stamp in self._stamps:
            np.copyto(body[stamp.region], stamp.body, where=stamp.nearer.view(bool))
        return body

    @cached_property
    def outlines(self) -> NDArray[np.uint16]:
        """``(H, W)`` uint16, bit k set where object k + 1 would be seen if nothing stood before it."""
        outlines = np.zeros(self.inverse_depth.shape, np.uint16)
        for stamp in self._stamps:
            region = outlines[stamp.region]
            cv2.bitwise_or(region, 1 << (stamp.object_id - 1), dst=region, mask=stamp.mask)
        return outlines

    def lay(self, box: Box, texture: Texture, warp: Matrix, slope: Matrix) -> None:
        """Draw a part of the backdrop on the region ``box`` where nothing nearer is there.

        ``warp`` is 3x3, pixels of the picture to those of ``texture``; ``slope`` gives 1/depth by x, y and 1.
        """
        x0, y0, x1, y1 = box
        split = min(max(y0, self.bare_rows), y1)
        if y0 < split:
            part, region = (x0, y0, x1, split), np.s_[y0:split, x0:x1]
            _sampled(texture, warp, part, self.image[region])
            plane_values(part, slope, self.inverse_depth[region])
        if split < y1:
            part, region = (x0, split, x1, y1), np.s_[split:y1, x0:x1]
            inverse_depth = plane_values(part, slope)
            nearer = cv2.compare(inverse_depth, self.inverse_depth[region], cv2.CMP_GT)
            cv2.copyTo(_sampled(texture, warp, part), nearer, self.image[region])
            cv2.copyTo(inverse_depth, nearer, self.inverse_depth[region])

    def put(
        self,
        box: Box,
        colors: NDArray[np.uint8],
        inverse_depth: NDArray[np.float32],
        mask: NDArray[np.uint8],
        body: int,
        object_id: int,
    ) -> None:
        """Draw a surface on the region ``box`` where ``mask`` (0 or 255) is set and nothing nearer is there."""
        x0, y0, x1, y1 = box
        region = np.s_[y0:y1, x0:x1]
        nearer = cv2.compare(inverse_depth, self.inverse_depth[region], cv2.CMP_GT)
        cv2.bitwise_and(nearer, mask, dst=nearer)
        cv2.copyTo(colors, nearer, self.image[region])
        cv2.copyTo(inverse_depth, nearer, self.inverse_depth[region])
        self._stamps.append(_Stamp(region, mask, nearer, body, object_id))

    def shade(self, box: Box, factors: NDArray[np.uint8]) -> None:
        """Multiply the colors of the region ``box`` by ``factors / 255``, ``(h, w, 4)``."""
        x0, y0, x1, y1 = box
        region = self.image[y0:y1, x0:x1]
        cv2.multiply(region, factors, dst=region, scale=1 / 255)


def plane_values(box: Box, coefficients: Matrix, out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """The linear function a x + b y + c on the pixels of ``box``, as float32 ``(h, w)``."""
    x0, y0, x1, y1 = box
    a, b, c = coefficients
    row = (a * np.arange(x0, x1) + c).astype(np.float32)
    column = (b * np.arange(y0, y1)).astype(np.float32)
    return np.add(column[:, None], row, out=out)


def _sampled(texture: Texture, warp: Matrix, box: Box, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    x0, y0, x1, y1 = box
    warp = warp @ shift(x0, y0)
    return cv2.warpPerspective(texture, warp, (x1 - x0, y1 - y0), out, SAMPLE, cv2.BORDER_REPLICATE)
