"""Where everything went: one dense flow per frame, composed for every anchor that is still in use.

The heavy models look at *anchor* frames only. What they found there is pulled to the present frame n through the
composed backward flow::

    B[n->k](x) = B[n->n-1](x) + B[n-1->k](x + B[n->n-1](x))

Here it is kept as the absolute map ``M[n->k](x) = x + B[n->k](x)``, so that composing is one ``cv2.remap`` of the old
map, and carrying anything is one ``cv2.remap`` by the new one. What is carried lives on a working grid, a shrunken
frame, the maps on half of that. The flow itself is found on a finer one: that is worth three points of IoU, finer maps
are worth none to masks that are refined on their way (two points of J&F to those that are not).

Pulling leaves a smear where a moving object uncovers the background: nothing moved there, and one frame ago the object
was there. Comparing forward and backward flow (Sundaram et al., ECCV 2010) finds such places, and calls half of every
fast object occluded as well, because quick flow is rarely consistent to a pixel. What tells them apart is colour: where
the anchor's picture, pulled to the present, does not look like the present, what it carries is not to be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.grid import Grid, halved, shrink

PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
_LUCAS_KANADE: dict[str, Any] = {"winSize": (15, 15), "maxLevel": 3}
_ASTRAY_PX = 2.0
_NOISE_GREY, _TRUST_SCALE_GREY = 3, 12
_TRUST_OF_DIFFERENCE = np.exp(-np.maximum(np.arange(256) - _NOISE_GREY, 0) / _TRUST_SCALE_GREY).astype(np.float32)


@dataclass(slots=True, eq=False, weakref_slot=True)
class Anchor:
    """A past frame k, and the way back to it from the present frame n.

    Attributes:
        index: k.
        grid: The working grid that both frames share.
        picture: ``(h, w, 3)`` uint8, frame k on the grid.
        sketch: ``(h / 2, w / 2, 4)`` uint8, the same at half the size; the fourth channel means nothing.
        map_x, map_y: ``(h / 2, w / 2)`` float32, for every pixel of the sketch at n where it was on the one at k.
        age: Frames advanced since k.
    """

    index: int
    grid: Grid
    picture: NDArray[np.uint8]
    sketch: NDArray[np.uint8]
    map_x: NDArray[np.float32]
    map_y: NDArray[np.float32]
    age: int = 0
    _trust: tuple[int, NDArray[np.float32]] | None = None

    def carry(self, values: NDArray) -> NDArray:
        """Pull ``(h, w)`` or ``(h, w, C)`` values, uint8 or float32, given on the grid at k, to the grid at n.

        Four channels cost as much as one, two or three cost more: OpenCV has no fast path for those.
        """
        if self.age == 0:
            return values
        return _remap(values, *(_doubled(plane, self.grid.size) for plane in (self.map_x, self.map_y)))

    def carry_half(self, values: NDArray) -> NDArray:
        """:meth:`carry` for ``(h / 2, w / 2)`` values."""
        return values if self.age == 0 else _remap(values, self.map_x, self.map_y)

    def trust(self, sketch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """How far what is carried may be believed, ``(h / 2, w / 2)`` from 0 to 1, where the present looks like this.

        It falls with the difference in colour between the present and where it was pulled from.
        """
        if self._trust is None or self._trust[0] != self.age:
            difference = cv2.cvtColor(cv2.absdiff(self.carry_half(self.sketch), sketch), cv2.COLOR_RGBA2GRAY)
            self._trust = self.age, cv2.LUT(cv2.blur(difference, (3, 3)), _TRUST_OF_DIFFERENCE)
        return self._trust[1]

    def crowding(self) -> NDArray[np.float32]:
        """How many pixels of n were pulled from the same place at k as this one, on every second pixel both ways.

        More than one where something was uncovered, and where the picture has grown.
        """
        height, width = self.map_x.shape
        nearest, _ = cv2.convertMaps(self.map_x, self.map_y, cv2.CV_16SC2, nninterpolation=True)
        sides = zip(cv2.split(nearest), (width, height), strict=True)
        columns, rows = (np.clip(places, 0, side - 1) for places, side in sides)
        pulled = np.bincount((rows.astype(np.intp) * width + columns).ravel(), minlength=height * width)
        around = cv2.blur(pulled.reshape(height, width).astype(np.float32), (3, 3))
        return _remap(around, self.map_x, self.map_y)

    def points_to_anchor(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Where ``(N, 2)`` points (x, y) [px of the frame] of n were on frame k."""
        if self.age == 0 or len(points) == 0:
            return points
        return self.grid.to_frame(_looked_up(self.grid.from_frame(points), self.map_x, self.map_y))


class Motion:
    """Flow from each frame to the one before it, the anchors it is composed for, and the points that follow it.

    Args:
        max_side_px: Long side of the picture on which the flow is found [px].
        preset: Quality of the DIS flow: ultrafast, fast or medium (Kroeger et al., ECCV 2016).
        cut_error: Mean absolute difference [grey levels] between a frame and the one before it, warped onto it, above
            which the two are taken for different scenes (their histograms must differ too).
        grid_side_px: Long side of the working grid [px].

    Attributes:
        index: Of the present frame; -1 before the first.
        grid: The working grid.
        picture: ``(h, w, 3)`` uint8, the present frame on the grid.
        sketch: ``(h / 2, w / 2, 4)`` uint8, the same at half the size; the fourth channel means nothing.
        grey: ``(h, w)`` uint8, the present frame on the grid without its colours.
        step: Where every pixel of the sketch was on the one before, x and y, ``(h / 2, w / 2)`` float32; None on the
            first frame.
        photometric_error: Mean absolute difference [grey levels] between the frame before, warped, and this one.
        scene_cut: Whether this frame shows another scene than the one before.
    """

    def __init__(
        self,
        max_side_px: int = 640,
        preset: str = "ultrafast",
        cut_error: float = 22.0,
        grid_side_px: int = 424,
    ) -> None:
        self._max_side_px, self._grid_side_px = max_side_px, min(grid_side_px, max_side_px)
        self._dis = cv2.DISOpticalFlow_create(PRESETS[preset])
        self._cut_error = cut_error
        self._anchors: WeakSet[Anchor] = WeakSet()
        self.index = -1
        self._fine_grey: NDArray[np.uint8] | None = None
        self._grey_before: NDArray[np.uint8] | None = None
        self._identity = (np.empty((0, 0), np.float32),) * 2
        self._fine = self.grid = Grid((0, 0), (0, 0))
        self.picture = np.empty((0, 0, 3), np.uint8)
        self.sketch = np.empty((0, 0, 4), np.uint8)
        self.grey = np.empty((0, 0), np.uint8)
        self.step: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        self.photometric_error = 0.0
        self.scene_cut = False

    def advance(self, index: int, image_rgb: NDArray[np.uint8]) -> None:
        """Move on to the next frame: one flow field, composed for every open anchor.

        A frame of another size starts afresh: it is a scene cut, and the anchors of before lead nowhere.
        """
        height, width = image_rgb.shape[:2]
        if (width, height) != self.grid.frame_size:
            self._start(width, height)
        while image_rgb.shape[1] > 2 * self._fine.size[0]:
            # Averaging over larger areas in one go takes several times as long.
            image_rgb = halved(image_rgb)
        fine = self._fine.shrink(image_rgb)
        fine_before, self._fine_grey = self._fine_grey, cv2.cvtColor(fine, cv2.COLOR_RGB2GRAY)
        earlier, self.picture = self.sketch, shrink(fine, self.grid.size)
        self.sketch = cv2.cvtColor(halved(self.picture), cv2.COLOR_RGB2RGBA)
        self._grey_before, self.grey = self.grey, cv2.cvtColor(self.picture, cv2.COLOR_RGB2GRAY)
        self.scene_cut, self.step = fine_before is None and self.index >= 0, None
        self.index = index
        if fine_before is None:
            self._grey_before = None
            return
        self.step = self._step_to(fine_before)
        self._judge(earlier, *self.step)
        compose(list(self._anchors), *self.step)

    def open(self) -> Anchor:
        """An anchor at the present frame. Its map is kept up for as long as anyone holds it."""
        anchor = Anchor(self.index, self.grid, self.picture, self.sketch, *self._identity)
        self._anchors.add(anchor)
        return anchor

    @property
    def open_anchors(self) -> int:
        """How many anchors are being composed for."""
        return len(self._anchors)

    def follow(self, points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Follow ``(N, 2)`` points (x, y) [px of the frame] from the previous frame to this one.

        There by pyramidal Lucas-Kanade, and back (Kalal et al., ICPR 2010) by the dense flow, which is at hand: the
        second value, ``(N,)`` bool, is False where the two disagree by more than a pixel of the grid, or where the
        point left the frame.
        """
        if self.step is None or self._grey_before is None or len(points) == 0:
            return points, np.ones(len(points), bool)
        start = self.grid.from_frame(points)
        there, found, _ = cv2.calcOpticalFlowPyrLK(self._grey_before, self.grey, start[:, None], None, **_LUCAS_KANADE)
        x, y = there.reshape(-1, 2).T
        back = _looked_up(there.reshape(-1, 2), *self.step)
        width, height = self.grid.size
        inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
        good = (found.ravel() == 1) & (np.linalg.norm(back - start, axis=1) < _ASTRAY_PX) & inside
        return self.grid.to_frame(there.reshape(-1, 2)), good

    def _start(self, width: int, height: int) -> None:
        self._fine = Grid.of((width, height), self._max_side_px)
        self.grid = Grid.of((width, height), self._grid_side_px)
        grid_width, grid_height = self.grid.size
        rows, columns = np.indices((grid_height // 2, grid_width // 2), np.float32)
        self._identity = columns, rows
        self._anchors.clear()
        self._fine_grey = None

    def _step_to(self, fine_before: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Where every pixel of the sketch was on the frame before, whose finer grey picture this is."""
        flow = self._dis.calc(self._fine_grey, fine_before, None)
        # DIS finds it on a coarser grid and fills in what lies between, so that any pixel near by will do.
        size = self._identity[0].shape[::-1]
        flow = cv2.resize(flow, size, interpolation=cv2.INTER_NEAREST)
        shares = np.divide(size, self._fine.size).tolist()
        flow_x, flow_y = cv2.split(flow)
        step_x, step_y = map(cv2.scaleAdd, (flow_x, flow_y), shares, self._identity)
        return step_x, step_y

    def _judge(self, earlier: NDArray[np.uint8], step_x: NDArray[np.float32], step_y: NDArray[np.float32]) -> None:
        """How badly the earlier sketch, moved by the flow, explains this one: on every second pixel, that is enough."""
        sparse = (np.ascontiguousarray(step[::2, ::2]) for step in (step_x, step_y))
        difference = cv2.absdiff(_remap(earlier, *sparse), np.ascontiguousarray(self.sketch[::2, ::2]))
        self.photometric_error = cv2.mean(cv2.cvtColor(difference, cv2.COLOR_RGBA2GRAY))[0]
        if self.photometric_error > self._cut_error:
            self.scene_cut = _histogram_overlap(earlier[..., :3], self.sketch[..., :3]) < 0.75


def compose(anchors: Sequence[Anchor], step_x: NDArray[np.float32], step_y: NDArray[np.float32]) -> None:
    """Compose the maps of all anchors with the map from the next frame to this one.

    Two anchors at a time: OpenCV pulls four channels as fast as one.
    """
    older = [anchor for anchor in anchors if anchor.age > 0]
    for pair in (older[at : at + 2] for at in range(0, len(older), 2)):
        planes = [plane for anchor in pair for plane in (anchor.map_x, anchor.map_y)]
        planes = cv2.split(_remap(cv2.merge((planes * 2)[:4]), step_x, step_y))
        for anchor, map_x, map_y in zip(pair, planes[::2], planes[1::2], strict=False):
            anchor.map_x, anchor.map_y = map_x, map_y
    for anchor in anchors:
        if anchor.age == 0:
            anchor.map_x, anchor.map_y = step_x, step_y
        anchor.age += 1


def _doubled(plane: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """A map between sketches as one between grids of that (width, height)."""
    return cv2.resize(cv2.addWeighted(plane, 2, plane, 0, 0.5), size, interpolation=cv2.INTER_LINEAR)


def _looked_up(
    points: NDArray[np.float32], map_x: NDArray[np.float32], map_y: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Where ``(N, 2)`` points (x, y) of the grid come from, by maps between sketches."""
    x, y = ((points - 0.5) / 2).T
    return 2 * np.stack([_remap(plane, x, y).ravel() for plane in (map_x, map_y)], axis=1) + np.float32(0.5)


def _remap(values: NDArray, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray:
    return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _histogram_overlap(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Shared area of the histograms of two pictures, channels taken together: 1 for equal ones, 0 for disjoint ones."""
    histograms = (np.histogram(image[::2, ::2], bins=32, range=(0, 256))[0] for image in (first, second))
    a, b = (histogram / histogram.sum() for histogram in histograms)
    return float(np.minimum(a, b).sum())
