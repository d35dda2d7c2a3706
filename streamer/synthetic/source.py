"""A rendered moving scene as a source of frames, with the exact truth of every frame."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from streamer.data.camera_model import CameraModel
from streamer.data.frame import Frame
from streamer.data.source import SourceInfo
from streamer.errors import SourceError
from streamer.synthetic.layout import STYLES
from streamer.synthetic.renderer import Renderer
from streamer.synthetic.truth import SceneTruth, truth_of

MAX_OBJECTS = 16


class SceneSource:
    """Renders a scene of objects that move, turn, cross, leave and return before a moving camera.

    Everything is a function of ``seed`` and of the frame's index, so any frame can be had at any time, in any order.

    Args:
        seed: Which scene; 0 is the demo.
        size: (width, height) of the frames [px].
        rate_hz: Frames per second of the scene's own time.
        frame_count: Frames until the end; None for a scene without end.
        objects: Number of objects, 0 to 16, with ids from 1.
        style: "indoor" or "outdoor"; None leaves it to the seed.
        twins: Whether all objects are of one kind that walks about, and look the same.
        paced: Whether ``read`` waits until each frame is due and skips those that nobody fetched in time, as a camera.
        clock, sleep: Monotonic time and waiting, for tests [s].

    Raises:
        SourceError: A size, rate, count or style that cannot be rendered.
    """

    def __init__(
        self,
        seed: int = 0,
        size: tuple[int, int] = (1280, 720),
        rate_hz: Fraction = Fraction(30),
        frame_count: int | None = 300,
        objects: int = 4,
        style: str | None = None,
        twins: bool = False,
        paced: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        _check(seed, size, rate_hz, objects, style)
        self._renderer = Renderer(seed, size, objects, style, twins)
        self._rate_hz, self._frame_count = Fraction(rate_hz), frame_count
        self._paced, self._clock, self._sleep = paced, clock, sleep
        self._next = 0
        self._started_at_s: float | None = None
        self._closed = False
        lens = self._renderer.lens
        self.info = SourceInfo(
            name=f"scene-{seed}",
            size=size,
            rate_hz=self._rate_hz,
            time_base=None if paced else 1 / self._rate_hz,
            frame_count=frame_count,
            live=paced,
            camera=CameraModel(*size, lens.focal_px, lens.focal_px, (size[0] - 1) / 2, (size[1] - 1) / 2),
        )

    @property
    def damage(self) -> str | None:
        """Always None: nothing can be damaged."""
        return None

    @property
    def remark(self) -> str | None:
        """Always None: frames are as they were rendered."""
        return None

    @property
    def kinds(self) -> dict[int, str]:
        """What each object is, by id: "person", "crate" and so on."""
        return {id: placed.thing.kind for id, placed in enumerate(self._renderer.world.placed, start=1)}

    def read(self) -> Frame | None:
        """The next frame, or None at the end; where ``paced``, not before it is due."""
        if self._paced and not self._closed:
            self._wait()
        if self._closed or (self._frame_count is not None and self._next >= self._frame_count):
            return None
        index = self._next
        self._next += 1
        captured_at_s = self._clock()
        return Frame(index, float(index / self._rate_hz), self.render(index), captured_at_s)

    def close(self) -> None:
        """End the reading; ``render`` and ``truth`` go on working."""
        self._closed = True

    def render(self, index: int) -> NDArray[np.uint8]:
        """The picture of frame ``index``, ``(H, W, 3)`` uint8 RGB, a new array."""
        return self._renderer.image(self._time(index))

    def truth(self, index: int) -> SceneTruth:
        """What is exactly to be seen in frame ``index``."""
        before = self._time(index - 1) if index > 0 else None
        return truth_of(self._renderer, self._time(index), before)

    def _time(self, index: int) -> float:
        return float(index / self._rate_hz)

    def _wait(self) -> None:
        now = self._clock()
        if self._started_at_s is None:
            self._started_at_s = now
        elapsed = now - self._started_at_s
        self._next = max(self._next, math.floor(elapsed * self._rate_hz))
        ahead = self._time(self._next) - elapsed
        if ahead > 0:
            self._sleep(ahead)


def _check(seed: int, size: tuple[int, int], rate_hz: Fraction, objects: int, style: str | None) -> None:
    if seed < 0:
        raise SourceError(f"The scene's seed is {seed}; give a number from 0.")
    if min(size) < 16 or max(size) > 8192:
        raise SourceError(f"A scene of {size[0]}x{size[1]} pixels cannot be rendered; give sides from 16 to 8192.")
    if rate_hz <= 0:
        raise SourceError(f"The scene's frame rate is {rate_hz}; give one above 0.")
    if not 0 <= objects <= MAX_OBJECTS:
        raise SourceError(f"A scene of {objects} objects cannot be rendered; give a number from 0 to {MAX_OBJECTS}.")
    if style is not None and style not in STYLES:
        raise SourceError(f"There is no scene style '{style}'; choose {' or '.join(STYLES)}.")
