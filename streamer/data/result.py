"""What is known about one frame: what every sink, the window and the library's user receive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.camera_model import CameraModel
from streamer.data.depth_unit import DepthUnit
from streamer.data.frame import Frame, StampOrigin
from streamer.data.part import Part
from streamer.data.reason import Reason
from streamer.data.track import Track

if TYPE_CHECKING:
    import supervision

FARTHEST_M = 1000.0
"""Where metric depth ends: an inverse depth of 0 is the sky."""


@dataclass(frozen=True, slots=True)
class StageStatus:
    """How one slow kind of model stands on one frame.

    Attributes:
        reason: Why it was asked about this frame; None where it was not.
        age: Frames of the source since the anchor that what it shows goes back to, left out ones included; None while
            nothing is known.
        age_s: The same in time between the two captures [s].
    """

    reason: Reason | None = None
    age: int | None = None
    age_s: float | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """Everything about one frame. Safe to keep: nothing in it is written into again, and nobody else should.

    Attributes:
        frame: The frame itself.
        tracks: One entry per object, lost ones included, by ascending id.
        depth_map: ``(h, w)`` float32 at the size at which it is carried, the whole frame at most: larger is nearer,
            affine per clip and steady over time; None without depth or before the first map. Read-only, because the
            frame loop carries it on: copy it to write into it.
        depth_range: Smoothed (far, near) values of ``depth_map`` for coloring; None without a map.
        depth_unit: What they mean: relative, or exact 1/m where it is meters (see :attr:`depth_m`).
        stages: Every slow kind of model by its name ("masks", "depth"), with why it was asked and how old it is.
        depth_error: Relative error of its middle, one standard deviation; None where nobody knows it.
        world_from_camera: ``(4, 4)`` float64, where the camera was [m]; None without poses.
        camera: The camera that took the frame, with how far it is known (given, fov, estimated or assumed); the
            pipeline always says one.
        values: What stages know beside tracks and depth, by the stage's name, ready for JSON.
        timings_ms: Time spent on this frame by the parts of the frame loop [ms].
        model_timings_ms: Time that the model calls adopted on this frame took, wherever they ran [ms].
        latency_ms: From capture to the moment at which this was known [ms].
    """

    frame: Frame
    tracks: tuple[Track, ...] = ()
    depth_map: NDArray[np.float32] | None = None
    depth_range: tuple[float, float] | None = None
    depth_unit: DepthUnit = DepthUnit.RELATIVE
    depth_error: float | None = None
    camera: CameraModel | None = None
    world_from_camera: NDArray[np.float64] | None = None
    stages: Mapping[str, StageStatus] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    model_timings_ms: Mapping[str, float] = field(default_factory=dict)
    latency_ms: float = 0.0

    @classmethod
    def of(
        cls,
        frame: Frame,
        parts: Mapping[str, Part],
        reasons: Mapping[str, Reason],
        timings_ms: Mapping[str, float],
        model_timings_ms: Mapping[str, float],
        camera: CameraModel | None = None,
        latency_ms: float = 0.0,
        world_from_camera: NDArray[np.float64] | None = None,
    ) -> Self:
        """Put together what the stages know, by their names, and why some were asked about this frame."""
        depth = next((part.depth for part in parts.values() if part.depth is not None), None)
        return cls(
            frame=frame,
            tracks=tuple(track for part in parts.values() for track in part.tracks),
            depth_map=None if depth is None else _read_only(depth.inverse_depth),
            depth_range=None if depth is None else depth.range,
            depth_unit=DepthUnit.RELATIVE if depth is None else depth.unit,
            depth_error=None if depth is None else depth.error,
            camera=camera,
            world_from_camera=world_from_camera,
            stages={name: StageStatus(reasons.get(name), part.age, part.age_s) for name, part in parts.items()},
            values={name: part.values for name, part in parts.items() if part.values},
            timings_ms=timings_ms,
            model_timings_ms=model_timings_ms,
            latency_ms=latency_ms,
        )

    @property
    def index(self) -> int:
        """The frame's number in its source, from 0: its id. Frames that were left out leave gaps."""
        return self.frame.index

    @property
    def time_s(self) -> float:
        """Media time since the start of the source [s]."""
        return self.frame.time_s

    @property
    def stamp_ns(self) -> int | None:
        """Wall clock at capture, since the Unix epoch [ns]; None where nobody knows it (a recording)."""
        return self.frame.stamp_ns

    @property
    def stamp_origin(self) -> StampOrigin | None:
        """How ``stamp_ns`` is known: from the driver, by arrival, or from whoever pushed the frame."""
        return self.frame.stamp_origin

    @property
    def captured_at_s(self) -> float:
        """``time.monotonic()`` at capture [s]."""
        return self.frame.captured_at_s

    @property
    def stem(self) -> str:
        """What a file about this frame is called: as the image that it came from, or by its index."""
        return self.frame.stem or f"{self.index:05d}"

    def reason_of(self, stage: str) -> Reason | None:
        """Why this stage was asked about this frame; None where it was not, or where there is no such stage."""
        return self.stages[stage].reason if stage in self.stages else None

    def age_of(self, stage: str) -> int | None:
        """Frames since the anchor of what this stage shows; None while it shows nothing."""
        return self.stages[stage].age if stage in self.stages else None

    def age_s_of(self, stage: str) -> float | None:
        """Time between the capture of the anchor of what this stage shows and that of this frame [s]."""
        return self.stages[stage].age_s if stage in self.stages else None

    @cached_property
    def inverse_depth(self) -> NDArray[np.float32] | None:
        """``(H, W)`` float32, the ``depth_map`` at the size of the frame; enlarged when first asked for."""
        if self.depth_map is None or self.depth_map.shape[::-1] == self.frame.size:
            return self.depth_map
        return cv2.resize(self.depth_map, self.frame.size, interpolation=cv2.INTER_LINEAR)

    @cached_property
    def depth_m(self) -> NDArray[np.float32] | None:
        """``(H, W)`` float32 distance along the optical axis [m]; None where depth is relative, or not known yet."""
        if self.depth_unit is not DepthUnit.METERS or self.inverse_depth is None:
            return None
        return np.reciprocal(np.maximum(self.inverse_depth, np.float32(1 / FARTHEST_M)))

    def to_supervision(self, categories: Sequence[str] = ()) -> supervision.Detections:
        """The objects in view as `supervision` takes them: boxes, masks, scores, and ``tracker_id``.

        ``data`` has their names as ``class_name``, ``state``, and ``position_m`` (NaN where there is none).

        Args:
            categories: The names that ``class_id`` counts; without them those of this very result, in order.

        Raises:
            ConfigError: The library is not installed; the message has the command.
        """
        from streamer.data.supervision import detections_of

        return detections_of(self, categories)

    def __repr__(self) -> str:
        width, height = self.frame.size
        depth = "no depth" if self.depth_map is None else f"depth_map={self.depth_map.shape}"
        place = f"index={self.index}, time_s={self.time_s:.3f}, size={width}x{height}"
        return f"Result({place}, tracks={list(self.tracks)}, {depth})"


def _read_only(values: NDArray[np.float32]) -> NDArray[np.float32]:
    view = values.view()
    view.flags.writeable = False
    return view
