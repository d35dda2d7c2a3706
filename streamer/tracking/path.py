"""Where an object will be on the next frame, if it goes on as it has been going."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.tracking.parameters import VELOCITY_MEMORY
from streamer.tracking.soft_masks import INSIDE, SoftMask

Box = NDArray[np.float32]


@dataclass(slots=True)
class Path:
    """Constant velocity: the box of the last frame, and how it has been changing, ``(4,)`` float32 [px of the grid]."""

    box: Box | None = None
    velocity: Box = field(default_factory=lambda: np.zeros(4, np.float32))

    def follow(self, soft_mask: SoftMask) -> None:
        """Take in the ``(h, w)`` soft mask of one more frame."""
        x, y, width, height = cv2.boundingRect((soft_mask > INSIDE).view(np.uint8))
        if width == 0:
            return
        box = np.array([x, y, x + width, y + height], np.float32)
        if self.box is not None:
            self.velocity = VELOCITY_MEMORY * self.velocity + (1 - VELOCITY_MEMORY) * (box - self.box)
        self.box = box

    def expected_box(self) -> Box | None:
        """Where the box will be on the next frame."""
        return None if self.box is None else self.box + self.velocity
