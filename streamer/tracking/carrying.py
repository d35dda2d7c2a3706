"""Masks on their way from the anchor on which they were believed to the present frame."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.motion.pyramid import halve
from streamer.tracking.objects import Object
from streamer.tracking.refine import Present, harden, refine, without_scraps

_SETTLE_AFTER = 5


class Carrier:
    """Carries masks with the flow.

    Args:
        refine: Whether they follow the colors and edges of every frame on the way.
    """

    def __init__(self, refine: bool) -> None:
        self._refine = refine
        self._present: Present | None = None

    def shown(self, item: Object, motion: Motion) -> NDArray[np.uint8] | None:
        """The object's ``(h, w)`` soft mask on the present frame; None where it has none."""
        if item.shown is None and item.soft is not None and item.anchor is not None:
            if self._refine and item.ratio is not None and item.anchor.age > 0:
                carried, trust = item.anchor.carry_half(halve(item.soft)), item.anchor.trust(motion.present)
                item.shown = refine(carried, item.ratio, trust, self.present(motion))
            else:
                item.shown = item.anchor.carry(item.soft)
        return item.shown

    def present(self, frame: Motion | Anchor) -> Present:
        """What all objects need of the present frame, or of an anchor's; that of the last one asked for is kept."""
        pyramid = frame.pyramid if isinstance(frame, Anchor) else frame.present
        if self._present is None or self._present.pyramid is not pyramid:
            self._present = Present(pyramid)
        return self._present

    def settle(self, items: Iterable[Object], motion: Motion) -> None:
        """Put masks that have been carried for long on a new anchor, as they are now: the old one tells ever less."""
        old = [item for item in items if item.anchor is not None and item.anchor.age >= _SETTLE_AFTER]
        if not self._refine or not old:
            return
        anchor = motion.open()
        for item in old:
            if item.shown is not None:
                item.place(without_scraps(harden(item.shown), item.scrap), anchor)

    def sharpened(self, item: Object, soft: NDArray[np.uint8], anchor: Anchor) -> NDArray[np.uint8]:
        """An object's mask on the anchor's frame, SAM's or blended with what was carried, after its colors had a say.

        SAM's outlines are as coarse as its answers are small.
        """
        if not self._refine or item.cautious_ratio is None:
            return soft
        half = halve(soft)
        return harden(refine(half, item.cautious_ratio, np.ones(half.shape, np.float32), self.present(anchor)))
