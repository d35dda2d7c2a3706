"""What the pipeline knows about one frame: what every sink, the window and the library's user receive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from streamer.frame import Frame
from streamer.grid import Grid


class State(StrEnum):
    """How sure the tracker is of an object."""

    TRACKED = "tracked"
    UNCERTAIN = "uncertain"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class DepthStats:
    """Quartiles of the depth map inside one mask, in the unit of the map (inverse depth: larger is nearer)."""

    lower: float
    median: float
    upper: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Track:
    """One object on one frame.

    Attributes:
        id: The object's number, stable over the run, from 1.
        mask: ``(H, W)`` bool on the frame; empty where the object is lost.
        box_xyxy: Tightest box around the mask, x0, y0, x1, y1 [px], x1 and y1 exclusive; None where the mask is empty.
        score: Confidence from 0 to 1.
        state: tracked, uncertain or lost.
        point_coords: ``(N, 2)`` float32, the person's own clicks carried to this frame, (x, y) [px].
        point_labels: ``(N,)`` int32, 1 foreground, 0 background.
        depth: Quartiles of the depth inside the mask; None without a depth map or mask.
    """

    id: int
    mask: NDArray[np.bool_]
    box_xyxy: tuple[float, float, float, float] | None
    score: float
    state: State
    point_coords: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))
    point_labels: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    depth: DepthStats | None = None

    def __repr__(self) -> str:
        return f"Track(id={self.id}, {self.state}, score={self.score:.2f}, box_xyxy={self.box_xyxy})"


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """Everything about one frame.

    Attributes:
        frame: The frame itself.
        tracks: One entry per object, lost ones included, by ascending id.
        depth_map: ``(h, w)`` float32 at the size at which it is carried, the whole frame at most: larger is nearer,
            affine per clip and steady over time; None without depth or before the first map. The pipeline carries it
            on, so copy it before writing into it.
        depth_range: Smoothed (far, near) values of ``depth_map`` for colouring; None without a map.
        keyframe: Why a keyframe was asked for on this frame; None where none was.
        depth_run: Whether a depth run was asked for on this frame.
        mask_age: Frames since the anchor that the masks come from; None without masks.
        depth_age: Frames since the anchor that the depth comes from; None without depth.
        timings_ms: Time spent on this frame by stage [ms].
    """

    frame: Frame
    tracks: tuple[Track, ...] = ()
    depth_map: NDArray[np.float32] | None = None
    depth_range: tuple[float, float] | None = None
    keyframe: str | None = None
    depth_run: bool = False
    mask_age: int | None = None
    depth_age: int | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def index(self) -> int:
        return self.frame.index

    @property
    def time_s(self) -> float:
        return self.frame.time_s

    @property
    def stem(self) -> str:
        """What a file about this frame is called: as the picture that it came from, or by its index."""
        return self.frame.stem or f"{self.index:05d}"

    @cached_property
    def inverse_depth(self) -> NDArray[np.float32] | None:
        """``(H, W)`` float32, the ``depth_map`` at the size of the frame; enlarged when first asked for."""
        if self.depth_map is None:
            return None
        height, width = self.depth_map.shape
        return Grid(self.frame.size, (width, height)).enlarge(self.depth_map)

    def __repr__(self) -> str:
        depth = "with depth" if self.depth_map is not None else "no depth"
        return f"Result(index={self.index}, time_s={self.time_s:.3f}, tracks={list(self.tracks)}, {depth})"
