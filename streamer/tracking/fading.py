"""No mask jumps when a late answer lands: its outline moves over from the old one within a few frames."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.tracking.asking import overlap
from streamer.tracking.refine import INSIDE
from streamer.tracking.regions import around

Soft = NDArray[np.uint8]

_EDGE_PX, _MARGIN_PX = 2.0, 4
_SAME_OBJECT = 0.3


@dataclass(slots=True, eq=False)
class _Fade:
    """Signed distance to the outline that was shown when the answer landed, on the anchor's frame."""

    anchor: Anchor
    old: NDArray[np.float32]
    steps: int = 0


class Fading:
    """Draws out the step from a carried mask to the one that replaces it.

    The two outlines are mixed as signed distance functions, because mixing the masks themselves would move nothing
    until it moves everything at once. What is followed and asked of SAM is not touched: this is for the eye.

    Args:
        frames: Over how many frames the step is spread; 0 shows every answer at once.
    """

    def __init__(self, frames: int = 4) -> None:
        self._frames = frames
        self._shown: tuple[Anchor, dict[int, Soft]] | None = None
        self._fades: dict[int, _Fade] = {}

    def apply(self, softs: Mapping[int, Soft], landed: Collection[int], motion: Motion) -> dict[int, Soft]:
        """The masks as they are to be shown on the present frame.

        Args:
            softs: Object id to ``(h, w)`` uint8 soft mask on the grid, as the tracker has it.
            landed: Objects whose masks an answer has just replaced, and that may not jump.
            motion: Where everything went since the frame before.
        """
        present = motion.open()
        for object_id in landed:
            if object_id in softs:
                self._begin(object_id, softs[object_id], present)
        shown = {object_id: self._faded(object_id, soft) for object_id, soft in softs.items()}
        self._shown = present, shown
        return shown

    def forget(self) -> None:
        """The scene has changed: what was shown before means nothing now."""
        self._shown = None
        self._fades.clear()

    def _begin(self, object_id: int, soft: Soft, present: Anchor) -> None:
        self._fades.pop(object_id, None)
        if self._shown is None:
            return
        anchor, softs = self._shown
        before = softs.get(object_id)
        if before is None or anchor.grid != present.grid:
            return
        old, new = anchor.carry(before) > INSIDE, soft > INSIDE
        # An outline cannot wander from one object to another; there, and where nothing was shown, a jump is the truth.
        if overlap(old, new) >= _SAME_OBJECT:
            self._fades[object_id] = _Fade(present, _signed_distance(old))

    def _faded(self, object_id: int, soft: Soft) -> Soft:
        fade = self._fades.get(object_id)
        if fade is None:
            return soft
        fade.steps += 1
        if fade.steps > self._frames or not (soft > INSIDE).any():
            del self._fades[object_id]
            return soft
        done = fade.steps / (self._frames + 1)
        old = fade.anchor.carry(fade.old)
        region = around((old > 0) | (soft > INSIDE), _MARGIN_PX)
        between = cv2.addWeighted(old[region], 1 - done, _signed_distance(soft[region] > INSIDE), done, 0)
        faded = np.zeros_like(soft)
        faded[region] = cv2.convertScaleAbs(np.clip(between, -_EDGE_PX, _EDGE_PX), alpha=127.5 / _EDGE_PX, beta=127.5)
        return faded


def _signed_distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far inside the outline each pixel lies; negative outside [px of the grid]."""
    inside, outside = (
        cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3) for side in (mask, ~mask)
    )
    # Half a pixel: the outline runs between the pixels.
    return np.where(mask, inside - np.float32(0.5), np.float32(0.5) - outside)
