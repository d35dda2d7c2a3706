"""A pair of eyes and a hand for `streamer bench live`: watches what is shown, and clicks now and then."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streamer.benchmarks.clip import FOLLOWED, BenchClip
from streamer.data.result import Result
from streamer.evaluation.metrics import iou
from streamer.session.session import Screen
from streamer.ui.window import events
from streamer.ui.window.hud import Status

CLICK_EVERY_S, LOOK_S, GIVE_UP_S = 2.0, 0.5, 5.0
_MIN_VISIBLE_PX = 200


class Player:
    """Stands where the window stands, with or without a real one behind it.

    Every `CLICK_EVERY_S` it clicks on an object that is not followed, waits until its mask is shown, and deletes it.

    Args:
        clip: What is played.
        seconds: After which to quit [s].
        window: Shows it as well; None only lets it be drawn.
        clock: Monotonic clock [s].

    Attributes:
        answers_ms: From each click to the first frame on the screen with its mask [ms].
        unanswered: Clicks that had no mask within `GIVE_UP_S`.
    """

    def __init__(
        self, clip: BenchClip, seconds: float, window: Screen | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.answers_ms: list[float] = []
        self.unanswered = 0
        self._clip, self._seconds, self._window, self._clock = clip, seconds, window, clock
        self._started_s: float | None = None
        self._index = 0
        self._ready = False
        self._known: set[int] = set()
        self._clicked_s: float | None = None
        self._answer: tuple[int, float] | None = None
        self._rested_s = 0.0
        self._masks: dict[int, dict[int, NDArray[np.uint8]]] = {}

    def show(self, drawing: NDArray[np.uint8], result: Result, status: Status | None = None) -> None:
        """Show it, if there is a window, and look at it."""
        if self._window is not None:
            self._window.show(drawing, result, status)
        now_s = self._clock()
        if self._started_s is None:
            self._started_s = self._rested_s = now_s
        self._await_answer(result, now_s)
        self.look(result)

    def poll(self, wait_ms: int = 1) -> list[events.Event]:
        """What the window reports, and what this hand does."""
        polled = [] if self._window is None else self._window.poll(wait_ms)
        now_s = self._clock()
        if self._started_s is not None and now_s - self._started_s >= self._seconds:
            return [*polled, events.Quit()]
        return [*polled, *self._act(now_s)]

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()

    def ious(self) -> dict[int, list[float]]:
        """For every frame that was shown and whose truth is known, the IoU of every followed object in view."""
        return {index: self._compare(index, masks) for index, masks in self._masks.items()}

    def _compare(self, index: int, masks: dict[int, NDArray[np.uint8]]) -> list[float]:
        labels = self._clip.labels[index][::2, ::2]
        values = []
        for object_id, packed in masks.items():
            truth = labels == object_id
            if np.count_nonzero(truth) >= _MIN_VISIBLE_PX:
                mask = np.unpackbits(packed, count=truth.size).reshape(truth.shape).astype(bool)
                values.append(iou(mask, truth))
        return values

    def _await_answer(self, result: Result, now_s: float) -> None:
        self._index = result.index
        self._ready = result.age_of("masks") is not None
        shown = {track.id for track in result.tracks if track.mask.any()}
        if self._clicked_s is None:
            self._known |= shown
        elif self._answer is None and (new := shown - self._known):
            self._answer = min(new), now_s
            self.answers_ms.append((now_s - self._clicked_s) * 1000)

    def look(self, result: Result) -> None:
        """Remember the masks of the followed objects, where they can be compared."""
        if result.index in self._clip.labels:
            masks = {track.id: track.mask for track in result.tracks}
            empty = np.zeros(result.frame.image_rgb.shape[:2], bool)
            self._masks[result.index] = {
                object_id: np.packbits(masks.get(object_id, empty)[::2, ::2]) for object_id in FOLLOWED
            }

    def _act(self, now_s: float) -> list[events.Event]:
        if self._clicked_s is None:
            return self._click(now_s) if self._ready and now_s - self._rested_s >= CLICK_EVERY_S else []
        if self._answer is not None and now_s - self._answer[1] >= LOOK_S:
            object_id, self._answer, self._clicked_s, self._rested_s = self._answer[0], None, None, now_s
            return [events.SelectObject(object_id), events.Delete()]
        if self._answer is None and now_s - self._clicked_s >= GIVE_UP_S:
            self.unanswered += 1
            self._clicked_s, self._rested_s = None, now_s
            return [events.Undo()]
        return []

    def _click(self, now_s: float) -> list[events.Event]:
        place = self._clip.place_to_click(self._index)
        if place is None:
            return []
        self._clicked_s = now_s
        return [events.NewObject(), events.Click(*place, 1)]
