"""Depth: a model that looks every N frames, and its map carried in between."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streamer.data.depth_unit import DepthUnit
from streamer.data.frame import Frame
from streamer.data.part import DepthMap, Part
from streamer.data.reason import Reason
from streamer.data.track import DepthStats
from streamer.depth.propagation import DepthPropagation
from streamer.models.image_call import ImageCall
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.stages.parameters import ScheduleParameters
from streamer.stages.protocol import Job, Situation, due_at_interval

Map = NDArray[np.float32]


class DepthStage:
    """Runs of a depth model, and inverse depth on every frame.

    Args:
        estimate: ``(H, W)`` float32 inverse depth of a ``(H, W, 3)`` uint8 RGB image.
        schedule: When it runs.
        unit: What the model's numbers mean.
    """

    name = "depth"
    immediate = False

    def __init__(
        self,
        estimate: Callable[[NDArray[np.uint8]], Map],
        schedule: ScheduleParameters,
        unit: DepthUnit = DepthUnit.RELATIVE,
    ) -> None:
        self.image_call = ImageCall(lambda images: [estimate(image) for image in images])
        self._schedule = schedule
        self._propagation = DepthPropagation(unit)

    def propagate(self, motion: Motion) -> None:
        """The map is carried when it is asked for."""
        self._propagation.advance()

    def start_scene(self) -> None:
        self._propagation.forget()

    def due(self, situation: Situation) -> Reason | None:
        return due_at_interval(situation, self._schedule.depth_interval)

    def job(self, frame: Frame, motion: Motion, reason: Reason) -> Job[tuple[Map, Map | None]]:
        """The map of this frame, and what was thought of it before, to align the two."""
        image, carried = frame.image_rgb, self.on_grid(motion)
        return Job(lambda: (self.image_call(image), carried), motion.open())

    def adopt(self, answer: tuple[Map, Map | None], anchor: Anchor) -> None:
        inverse_depth, carried = answer
        self._propagation.adopt(inverse_depth, anchor, carried)

    def at(self, motion: Motion) -> Part:
        inverse_depth, limits = self.on_grid(motion), self._propagation.range
        if inverse_depth is None or limits is None:
            return Part()
        depth = DepthMap(inverse_depth, limits, self._propagation.unit)
        return Part(self._propagation.age, depth=depth, age_s=self._propagation.age_s(motion.time_s))

    def on_grid(self, motion: Motion) -> Map | None:
        """``(h, w)`` float32 inverse depth on the working grid of the present frame; None before the first map."""
        return self._propagation.on_grid(motion.present)

    def stats(self, object_id: int, inverse_depth: Map, mask: NDArray[np.bool_]) -> DepthStats | None:
        """Quartiles of it inside an object's ``(h, w)`` mask, smoothed over time."""
        return self._propagation.stats(object_id, inverse_depth, mask)
