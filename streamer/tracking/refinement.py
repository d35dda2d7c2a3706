"""Carried masks are mended on every frame: flow alone loses three points of IoU with each.

A small network is shown, around where each object was carried to, all that is known without a slow model: the mask as
it was believed on its anchor's frame and as it was one frame ago, both carried here, what the anchor's frame and the
present one look like there, what colors say, and where other objects are. Its answer is where the next frame's starts,
as MaskTrack's is (Perazzi et al., CVPR 2017); the anchor keeps it from drifting away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.models.protocols import REFINER_PLANES
from streamer.motion.anchors import Anchor
from streamer.motion.pyramid import Pyramid
from streamer.tracking.colors import Bins, bins_of
from streamer.tracking.parameters import CROP_MARGIN, FAINT, MAX_LOG_RATIO, MIN_MARGIN_PX
from streamer.tracking.soft_masks import Region, SoftMask, around, is_empty


@dataclass(frozen=True, eq=False)
class RefinementImage:
    """A frame on the working grid, and what refining any object on it needs.

    Attributes:
        pyramid: The frame on every level.
    """

    pyramid: Pyramid

    @cached_property
    def bins(self) -> Bins:
        """``(h / 2, w / 2)`` intp, number of the color bin of every pixel of the half level."""
        return bins_of(self.pyramid.half_rgbx)


@dataclass(frozen=True, eq=False)
class Carried:
    """An object on its way to the present frame; all masks are ``(h / 2, w / 2)`` uint8 and of the present frame.

    Attributes:
        anchor: Where it was last believed.
        anchored: Its mask there, carried here.
        before: Its mask on the frame before, carried here; the same as ``anchored`` where that is not known.
        others: The largest of the other objects' masks.
        color_ratio: ``(4096,)`` float32, see :meth:`Colors.ratio`.
    """

    anchor: Anchor
    anchored: SoftMask
    before: SoftMask
    others: SoftMask
    color_ratio: NDArray[np.float32]

    @cached_property
    def region(self) -> Region:
        """Where it may be; empty where nothing of it is left."""
        return region_around(cv2.max(self.anchored, self.before))


def region_around(soft_mask: SoftMask) -> Region:
    """The rows and columns around what is not too faint, with a margin; empty where all is."""
    inside = around(soft_mask > FAINT)
    if is_empty(inside):
        return inside
    rows, columns = (_widened(side, length) for side, length in zip(inside, soft_mask.shape, strict=True))
    return rows, columns


def crop(carried: Carried, image: RefinementImage, side_px: int) -> NDArray[np.uint8]:
    """``(side_px, side_px, 11)`` uint8: what a :class:`Refiner` is shown of an object whose region is not empty."""
    region, present = carried.region, image.pyramid
    spoken = np.log(carried.color_ratio) * np.float32(127.5 / MAX_LOG_RATIO) + np.float32(127.5)
    trust = cv2.convertScaleAbs(carried.anchor.trust(present)[region], alpha=255)
    masks = (carried.anchored[region], carried.before[region], trust, spoken.astype(np.uint8).take(image.bins[region]))
    planes = np.empty((side_px, side_px, REFINER_PLANES), np.uint8)
    size = side_px, side_px
    planes[..., :4] = cv2.resize(cv2.merge(masks), size)
    planes[..., 4:7] = cv2.resize(present.half_rgbx[region], size)[..., :3]
    planes[..., 7:10] = cv2.resize(carried.anchor.pulled()[region], size)[..., :3]
    planes[..., 10] = cv2.resize(carried.others[region], size)
    return planes


def paste(answer: SoftMask, region: Region, shape: tuple[int, ...]) -> SoftMask:
    """A soft mask of ``shape`` that holds the answer in the region, and nothing elsewhere."""
    rows, columns = region
    soft_mask = np.zeros(shape, np.uint8)
    soft_mask[region] = cv2.resize(answer, (columns.stop - columns.start, rows.stop - rows.start))
    return soft_mask


def others_of(masks: Sequence[SoftMask]) -> list[SoftMask]:
    """For each of one or more masks the largest of all others, pixel by pixel."""
    before, after = [np.zeros_like(masks[0])], [np.zeros_like(masks[0])]
    for mask in masks[:-1]:
        before.append(cv2.max(before[-1], mask))
    for mask in masks[:0:-1]:
        after.append(cv2.max(after[-1], mask))
    return [cv2.max(one, other) for one, other in zip(before, reversed(after), strict=True)]


def _widened(side: slice, length: int) -> slice:
    margin = max(MIN_MARGIN_PX, round(CROP_MARGIN * (side.stop - side.start)))
    return slice(max(0, side.start - margin), min(length, side.stop + margin))
