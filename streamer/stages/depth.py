"""Depth: a model that looks every N frames, its map carried in between, and meters where enough is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streamer.data.depth_unit import DepthUnit
from streamer.data.frame import Frame
from streamer.data.known_depths import KnownDepths
from streamer.data.part import Part
from streamer.data.reason import Reason
from streamer.data.track import DepthStats
from streamer.depth.ground import Ground
from streamer.depth.meters import Meters
from streamer.depth.propagation import DepthPropagation
from streamer.errors import PromptError
from streamer.geometry.known_camera import KnownCamera
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
        unit: What the model's numbers mean; or what tells it, where the model has to be loaded first. Before its first
            answer they count as relative then.
        camera: What is known of the camera; None assumes an ordinary one.
        ground: Makes relative depth meters where it is in view; None where nobody knows it.
    """

    name = "depth"
    immediate = False

    def __init__(
        self,
        estimate: Callable[[NDArray[np.uint8]], Map],
        schedule: ScheduleParameters,
        unit: DepthUnit | Callable[[], DepthUnit] = DepthUnit.RELATIVE,
        camera: KnownCamera | None = None,
        ground: Ground | None = None,
    ) -> None:
        self.image_call = ImageCall(lambda images: [estimate(image) for image in images])
        self._schedule, self._told_unit = schedule, unit
        self._unit = unit if isinstance(unit, DepthUnit) else DepthUnit.RELATIVE
        self._camera, self._ground = camera or KnownCamera(), ground
        self._propagation, self._meters = DepthPropagation(self._unit), Meters(self._unit)
        self._asked: Anchor | None = None
        self._waiting: list[KnownDepths] = []

    def propagate(self, motion: Motion) -> None:
        """The map is carried when it is asked for; what is known before there is one stays with what it was said of."""
        self._propagation.advance()
        if self._asked is None:
            self._waiting = [known.moved_to(motion.follow(known.point_coords)[0]) for known in self._waiting]

    def start_scene(self) -> None:
        self._propagation.forget()
        self._meters.forget()
        self._asked, self._waiting = None, []

    def calibrate(self, known: KnownDepths, motion: Motion) -> None:
        """Take in how far the things at some pixels of the present frame are.

        Raises:
            PromptError: The model knows meters already.
        """
        if self._unit is DepthUnit.METERS:
            raise PromptError("This depth model gives meters already: leave known depths out, or use a relative one.")
        known = known.on_axis(self._camera.at(motion.grid.frame_size))
        on_grid = self.on_grid(motion)
        if on_grid is not None:
            self._meters.learn(on_grid, motion.grid, known, motion.time_s)
        elif self._asked is None:
            self._waiting.append(known)
        else:
            self._waiting.append(known.moved_to(self._asked.points_to_anchor(known.point_coords)))

    def due(self, situation: Situation) -> Reason | None:
        return due_at_interval(situation, self._schedule.depth_interval)

    def job(self, frame: Frame, motion: Motion) -> Job[tuple[Map, Map | None]]:
        """The map of this frame, and what was thought of it before, to align the two."""
        image, carried, anchor = frame.image_rgb, self.on_grid(motion), motion.open()
        if carried is None and self._asked is None:
            self._asked = anchor
        return Job(lambda: (self.image_call(image), carried), anchor)

    def adopt(self, answer: tuple[Map, Map | None], anchor: Anchor) -> None:
        inverse_depth, carried = answer
        if not isinstance(self._told_unit, DepthUnit):
            self._unit = self._propagation.unit = self._meters.unit = self._told_unit()
        self._propagation.adopt(inverse_depth, anchor, carried)
        latest, size = self._propagation.latest, anchor.grid.frame_size
        assert latest is not None
        known, self._waiting, self._asked = self._waiting, [], None
        if self._unit is DepthUnit.METERS:
            return
        if self._ground is not None:
            known.append(self._ground.depths(self._camera.at(size)))
        for depths in known:
            self._meters.learn(latest, anchor.grid, depths, anchor.time_s)

    def at(self, motion: Motion) -> Part:
        inverse_depth, limits = self.on_grid(motion), self._propagation.range
        if inverse_depth is None or limits is None:
            return Part()
        depth = self._meters.of_map(inverse_depth, limits)
        return Part(self._propagation.age(motion.index), depth=depth, age_s=self._propagation.age_s(motion.time_s))

    def on_grid(self, motion: Motion) -> Map | None:
        """``(h, w)`` float32 inverse depth on the working grid of the present frame; None before the first map.

        In the model's own unit: what is calibrated is given out by :meth:`at`, :meth:`stats` and :meth:`position_m`.
        """
        return self._propagation.on_grid(motion.present)

    def stats(self, object_id: int, inverse_depth: Map, mask: NDArray[np.bool_]) -> DepthStats | None:
        """Quartiles of it inside an object's ``(h, w)`` mask, smoothed over time."""
        stats = self._propagation.stats(object_id, inverse_depth, mask)
        return None if stats is None else self._meters.of_stats(stats)

    def position_m(
        self, inverse_depth: Map, mask: NDArray[np.bool_], motion: Motion
    ) -> tuple[float, float, float] | None:
        """Where the object under a ``(h, w)`` mask is in camera coordinates [m]; None where there are no meters."""
        camera = self._camera.at(motion.grid.frame_size)
        return self._meters.position_m(inverse_depth, mask, motion.grid, camera)
