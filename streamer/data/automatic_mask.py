"""One mask of everything in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class AutomaticMask:
    """One of the masks of an image.

    Attributes:
        mask: ``(H, W)`` bool on the image.
        box_xyxy: Tightest box around it, x0, y0, x1, y1 [px], x1 and y1 exclusive.
        predicted_iou: SAM's own estimate of its IoU.
        stability_score: IoU of the masks at a lower and a higher threshold.
        point: (x, y) that SAM was asked about [px].
    """

    mask: NDArray[np.bool_]
    box_xyxy: Box
    predicted_iou: float
    stability_score: float
    point: tuple[float, float]

    @property
    def area(self) -> int:
        """Pixels of it."""
        return int(np.count_nonzero(self.mask))


def by_area(masks: Sequence[AutomaticMask]) -> list[AutomaticMask]:
    """The largest first: their place, from 1, is their number and gives their color in every output."""
    return sorted(masks, key=lambda one: one.area, reverse=True)
