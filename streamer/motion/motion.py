"""Where everything went: one dense flow per frame, composed for every anchor that is still in use."""

from __future__ import annotations

from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from streamer.motion.anchors import Anchor, compose
from streamer.motion.flow import DenseFlow, Maps
from streamer.motion.parameters import FlowParameters
from streamer.motion.past import Past
from streamer.motion.point_tracks import follow
from streamer.motion.pyramid import Grid, Pyramid
from streamer.motion.scene_cuts import photometric_error, same_colors

_NOTHING = np.empty((0, 0), np.float32)


class Motion:
    """Flow from each frame to the one before it, the anchors it is composed for, and the points that follow it.

    Args:
        parameters: How flow is found, and on which levels.

    Attributes:
        index: Of the present frame; -1 before the first.
        time_s: Media time of it [s].
        grid: The working grid; of size 0 before the first frame.
        step: Where every pixel of the half level was one frame before, x and y, ``(h / 2, w / 2)`` float32; None on
            the first frame, and on the first one of another size.
        photometric_error: Mean absolute difference [gray levels] between the frame before, warped, and this one.
        scene_cut: Whether this frame shows another scene than the one before.
    """

    def __init__(self, parameters: FlowParameters | None = None) -> None:
        self._parameters = parameters or FlowParameters()
        self._flow = DenseFlow(self._parameters.preset)
        self._anchors: WeakSet[Anchor] = WeakSet()
        self._past = Past()
        self._identity: Maps = _NOTHING, _NOTHING
        self._flow_level = self.grid = Grid((0, 0), (0, 0))
        self._before: Pyramid | None = None
        self._present: Pyramid | None = None
        self.index = -1
        self.time_s = 0.0
        self.step: Maps | None = None
        self.photometric_error = 0.0
        self.scene_cut = False

    @property
    def present(self) -> Pyramid:
        """The present frame on every level; there is one once `advance` has been called."""
        assert self._present is not None
        return self._present

    def advance(self, index: int, image_rgb: NDArray[np.uint8], time_s: float = 0.0) -> None:
        """Move on to the next frame: one flow field, composed for every open anchor.

        A frame of another size starts afresh: it is a scene cut, and the anchors of before lead nowhere.

        Args:
            index: Its place in the source.
            image_rgb: ``(H, W, 3)`` uint8 RGB.
            time_s: Its media time, from which ages are told [s].
        """
        height, width = image_rgb.shape[:2]
        before = self._present
        if (width, height) != self.grid.frame_size:
            self._start(width, height)
            before = None
        present = Pyramid.of(image_rgb, self._flow_level, self.grid)
        self._before, self._present = before, present
        self.scene_cut, self.step = before is None and self.index >= 0, None
        self.index, self.time_s = index, time_s
        if before is None:
            self._past.add(index, present)
            return
        self.step = self._flow.step(present, before, self._identity)
        self.photometric_error = photometric_error(before, present, self.step)
        explained = self.photometric_error <= self._parameters.cut_error
        self.scene_cut = not explained and not same_colors(before, present)
        if self.scene_cut:
            self._past.forget()
        self._past.add(index, present)
        compose(list(self._anchors), *self.step)

    def open(self) -> Anchor:
        """An anchor at the present frame. Its map is kept up for as long as anyone holds it."""
        anchor = Anchor(self.index, self.present, *self._identity, time_s=self.time_s)
        self._anchors.add(anchor)
        return anchor

    @property
    def open_anchors(self) -> int:
        """How many anchors are being composed for."""
        return len(self._anchors)

    def follow(self, points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Follow ``(N, 2)`` points (x, y) [px of the frame] from the frame before to this one; see `point_tracks`."""
        if self.step is None or self._before is None or len(points) == 0:
            return points, np.ones(len(points), bool)
        return follow(points, self._before, self.present, self.step)

    def points_to_present(
        self, points: NDArray[np.float32], index: int
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Where ``(N, 2)`` points (x, y) [px of the frame] of an earlier frame are now; see :meth:`Past.to_present`."""
        return self._past.to_present(points, index, self.present)

    def _start(self, width: int, height: int) -> None:
        grid_side_px = min(self._parameters.grid_side_px, self._parameters.max_side_px)
        self._flow_level = Grid.of((width, height), self._parameters.max_side_px)
        self.grid = Grid.of((width, height), grid_side_px)
        half_width, half_height = self.grid.half_size
        rows, columns = np.indices((half_height, half_width), np.float32)
        self._identity = columns, rows
        self._anchors.clear()
        self._past.forget()
