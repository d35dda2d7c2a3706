"""What a frame is drawn on: colour, inverse depth and the rigid body seen, nearest surface first."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.sources.scene.geometry import Lens, Matrix

Box = tuple[int, int, int, int]


class Canvas:
    """The buffers of one frame.

    Attributes:
        image: ``(H, W, 4)`` uint8, RGB and a channel that means nothing (OpenCV is three times faster on four).
        inverse_depth: ``(H, W)`` float32 [1/m], 0 where nothing was drawn.
        body: ``(H, W)`` uint8, index of the rigid body seen; 0 is everything that does not move.
        outlines: ``(H, W)`` uint16, bit k set where object k + 1 would be seen if nothing stood before it.
    """

    def __init__(self, lens: Lens) -> None:
        self.lens = lens
        width, height = lens.size
        self.image = np.zeros((height, width, 4), np.uint8)
        self.inverse_depth = np.zeros((height, width), np.float32)
        self.body = np.zeros((height, width), np.uint8)
        self.outlines = np.zeros((height, width), np.uint16)
        self._fill = np.empty((height, width), np.uint8)

    def clear(self) -> None:
        """Start a new frame. The image need not be wiped, since the background covers it all."""
        self.inverse_depth.fill(0)
        self.body.fill(0)
        self.outlines.fill(0)

    def lay(self, box: Box, colours: NDArray[np.uint8], inverse_depth: NDArray[np.float32]) -> None:
        """Draw a part of the backdrop on the region ``box`` where nothing nearer is there."""
        x0, y0, x1, y1 = box
        nearer = cv2.compare(inverse_depth, self.inverse_depth[y0:y1, x0:x1], cv2.CMP_GT)
        cv2.copyTo(colours, nearer, self.image[y0:y1, x0:x1])
        cv2.copyTo(inverse_depth, nearer, self.inverse_depth[y0:y1, x0:x1])

    def put(
        self,
        box: Box,
        colours: NDArray[np.uint8],
        inverse_depth: NDArray[np.float32],
        mask: NDArray[np.uint8],
        body: int,
        object_id: int,
    ) -> None:
        """Draw a surface on the region ``box`` where ``mask`` (0 or 255) is set and nothing nearer is there."""
        x0, y0, x1, y1 = box
        region = np.s_[y0:y1, x0:x1]
        outlines = self.outlines[region]
        cv2.bitwise_or(outlines, 1 << (object_id - 1), dst=outlines, mask=mask)
        nearer = cv2.compare(inverse_depth, self.inverse_depth[region], cv2.CMP_GT)
        cv2.bitwise_and(nearer, mask, dst=nearer)
        cv2.copyTo(colours, nearer, self.image[region])
        cv2.copyTo(inverse_depth, nearer, self.inverse_depth[region])
        fill = self._fill[: y1 - y0, : x1 - x0]
        fill[:] = body
        cv2.copyTo(fill, nearer, self.body[region])

    def shade(self, box: Box, factors: NDArray[np.uint8]) -> None:
        """Multiply the colours of the region ``box`` by ``factors / 255``, ``(h, w, 4)``."""
        x0, y0, x1, y1 = box
        region = self.image[y0:y1, x0:x1]
        cv2.multiply(region, factors, dst=region, scale=1 / 255)


def plane_values(box: Box, coefficients: Matrix) -> NDArray[np.float32]:
    """The linear function a x + b y + c on the pixels of ``box``, as float32 ``(h, w)``."""
    x0, y0, x1, y1 = box
    a, b, c = coefficients
    row = (a * np.arange(x0, x1) + c).astype(np.float32)
    column = (b * np.arange(y0, y1)).astype(np.float32)
    return column[:, None] + row
