"""Past frames, and the way back to them: maps that are composed from frame to frame.

What a model found on frame k is pulled to the present frame n through the composed backward flow::

    B[n->k](x) = B[n->n-1](x) + B[n-1->k](x + B[n->n-1](x))

kept as the absolute map ``M[n->k](x) = x + B[n->k](x)``, so that composing is one ``cv2.remap`` of the old map, and
carrying anything is one ``cv2.remap`` by the new one. Maps lie on the half level of the pyramid: finer ones are worth
nothing to masks that are refined on their way, and two points of J&F to those that are not.

Pulling leaves a smear where a moving object uncovers the background: nothing moved there, and one frame ago the object
was there. Comparing forward and backward flow (Sundaram et al., ECCV 2010) finds such places, and calls half of every
fast object occluded as well, because quick flow is rarely consistent to a pixel. What tells them apart is color: where
the anchor's image, pulled to the present, does not look like the present, what it carries is not to be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.motion.pyramid import Grid, Pyramid

Plane = NDArray[np.float32]

_NOISE_LEVELS, _TRUST_SCALE_LEVELS = 3, 12
_TRUST_OF_DIFFERENCE = np.exp(-np.maximum(np.arange(256) - _NOISE_LEVELS, 0) / _TRUST_SCALE_LEVELS).astype(np.float32)
"""Differences up to the noise of a camera [gray levels] say nothing; e-fold for every 12 more."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Anchor:
    """A past frame k, and the way back to it from the present frame n.

    Attributes:
        index: k.
        pyramid: Frame k on every level.
        map_x, map_y: ``(h / 2, w / 2)`` float32, for every pixel of the half level at n where it was on the one at k.
        age: Frames advanced since k.
        time_s: Media time of frame k [s].
    """

    index: int
    pyramid: Pyramid
    map_x: Plane
    map_y: Plane
    age: int = 0
    time_s: float = 0.0
    _pulled: tuple[int, NDArray[np.uint8]] | None = None
    _trust: tuple[int, Plane] | None = None

    @property
    def grid(self) -> Grid:
        """The working grid that both frames share."""
        return self.pyramid.grid

    def carry(self, values: NDArray) -> NDArray:
        """Pull ``(h, w)`` or ``(h, w, C)`` values, uint8 or float32, given on the grid at k, to the grid at n."""
        if self.age == 0:
            return values
        return remap(values, *(_doubled(plane, self.grid.size) for plane in (self.map_x, self.map_y)))

    def carry_half(self, values: NDArray) -> NDArray:
        """:meth:`carry` for ``(h / 2, w / 2)`` values."""
        return values if self.age == 0 else remap(values, self.map_x, self.map_y)

    def pulled(self) -> NDArray[np.uint8]:
        """The anchor's own image on the present frame, ``(h / 2, w / 2, 4)`` uint8."""
        if self._pulled is None or self._pulled[0] != self.age:
            self._pulled = self.age, self.carry_half(self.pyramid.half_rgbx)
        return self._pulled[1]

    def trust(self, present: Pyramid) -> Plane:
        """How far what is carried may be believed, ``(h / 2, w / 2)`` from 0 to 1, where the present looks like this.

        It falls with the difference in color between the present and where it was pulled from.
        """
        if self._trust is None or self._trust[0] != self.age:
            difference = cv2.cvtColor(cv2.absdiff(self.pulled(), present.half_rgbx), cv2.COLOR_RGBA2GRAY)
            self._trust = self.age, cv2.LUT(cv2.blur(difference, (3, 3)), _TRUST_OF_DIFFERENCE)
        return self._trust[1]

    def crowding(self) -> Plane:
        """How many pixels of n were pulled from the same place at k as this one, ``(h / 2, w / 2)``.

        More than one where something was uncovered, and where the image has grown.
        """
        height, width = self.map_x.shape
        nearest, _ = cv2.convertMaps(self.map_x, self.map_y, cv2.CV_16SC2, nninterpolation=True)
        sides = zip(cv2.split(nearest), (width, height), strict=True)
        columns, rows = (np.clip(places, 0, side - 1) for places, side in sides)
        pulled = np.bincount((rows.astype(np.intp) * width + columns).ravel(), minlength=height * width)
        around = cv2.blur(pulled.reshape(height, width).astype(np.float32), (3, 3))
        return remap(around, self.map_x, self.map_y)

    def points_to_anchor(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Where ``(N, 2)`` points (x, y) [px of the frame] of n were on frame k."""
        if self.age == 0 or len(points) == 0:
            return points
        return self.grid.to_frame(look_up(self.grid.from_frame(points), self.map_x, self.map_y))


def compose(anchors: Sequence[Anchor], step_x: Plane, step_y: Plane) -> None:
    """Compose the maps of all anchors with the map from the next frame to this one.

    Two anchors at a time: OpenCV pulls four channels as fast as one.
    """
    older = [anchor for anchor in anchors if anchor.age > 0]
    for pair in (older[at : at + 2] for at in range(0, len(older), 2)):
        planes = [plane for anchor in pair for plane in (anchor.map_x, anchor.map_y)]
        planes = cv2.split(remap(cv2.merge((planes * 2)[:4]), step_x, step_y))
        for anchor, map_x, map_y in zip(pair, planes[::2], planes[1::2], strict=False):
            anchor.map_x, anchor.map_y = map_x, map_y
    for anchor in anchors:
        if anchor.age == 0:
            anchor.map_x, anchor.map_y = step_x, step_y
        anchor.age += 1


def look_up(points: NDArray[np.float32], map_x: Plane, map_y: Plane) -> NDArray[np.float32]:
    """Where ``(N, 2)`` points (x, y) of the grid come from, by maps between half levels."""
    x, y = ((points - 0.5) / 2).T
    return 2 * np.stack([remap(plane, x, y).ravel() for plane in (map_x, map_y)], axis=1) + np.float32(0.5)


def remap(values: NDArray, x: Plane, y: Plane) -> NDArray:
    """Pull values from where ``x`` and ``y`` say; beyond the border lies the border."""
    return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _doubled(plane: Plane, size: tuple[int, int]) -> Plane:
    """A map between half levels as one between grids of that (width, height)."""
    return cv2.resize(cv2.addWeighted(plane, 2, plane, 0, 0.5), size, interpolation=cv2.INTER_LINEAR)
