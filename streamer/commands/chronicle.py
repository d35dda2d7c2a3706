"""What the live panel shows: how things stand, and what has just happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from streamer.app import Run
from streamer.console import REFRESH_EVERY_S, LiveConsole
from streamer.result import Result, State
from streamer.session import View

_CAPTURE_WINDOW_S = 2.0


class Chronicle:
    """Turns results into events and, a few times a second, into the summary that the console draws.

    Args:
        console: Where it is shown.
        view: Whether the person holds the picture.
        clock: Monotonic clock [s].
    """

    def __init__(self, console: LiveConsole, view: View, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._view, self._clock = console, view, clock
        self._states: dict[int, State] = {}
        self._source_state = "running"
        self._reopened = self._dropped = 0
        self._reported_at_s = -REFRESH_EVERY_S
        self._captured = (clock(), 0, 0.0)
        self._ages: dict[str, int | None] = {}

    def __call__(self, run: Run, result: Result | None) -> None:
        self._watch_source(run)
        if result is not None:
            self._watch(result)
        now_s = self._clock()
        if now_s - self._reported_at_s >= REFRESH_EVERY_S:
            self._reported_at_s = now_s
            self._console.update(self._summary(run, now_s))

    def _watch(self, result: Result) -> None:
        self._ages = {"mask_age": result.mask_age, "depth_age": result.depth_age}
        if result.keyframe is not None:
            self._console.event("keyframe", result.keyframe)
        for track in result.tracks:
            before = self._states.get(track.id)
            if track.state is State.LOST and before not in (None, State.LOST):
                self._console.event("lost", f"object {track.id}")
            elif track.state is State.TRACKED and before is State.LOST:
                self._console.event("found", f"object {track.id}")
            self._states[track.id] = track.state

    def _watch_source(self, run: Run) -> None:
        producer = run.producer
        dropped = sum(producer.drops.values())
        if dropped > self._dropped:
            self._console.event("drop", f"{dropped - self._dropped} frames")
            self._dropped = dropped
        if producer.reopened > self._reopened:
            self._console.event("reconnect", run.info.name)
            self._reopened = producer.reopened
        if producer.state != self._source_state:
            self._source_state = producer.state
            if self._source_state == "stalled":
                self._console.event("stalled", f"no frame for {producer.silent_s:.0f} s")

    def _summary(self, run: Run, now_s: float) -> Mapping[str, Any]:
        summary = run.meter.summary()
        summary["frames"]["read"] = run.producer.frames_read
        summary["frames"]["dropped"] |= run.producer.drops
        return {
            **summary,
            **self._ages,
            "capture_rate_hz": self._capture_rate_hz(run.producer.frames_read, now_s),
            "queues": run.pipeline.queues(),
            "paused": self._view.paused,
            "stalled": self._source_state in ("stalled", "reopening"),
        }

    def _capture_rate_hz(self, frames_read: int, now_s: float) -> float:
        since_s, before, rate_hz = self._captured
        if now_s - since_s >= _CAPTURE_WINDOW_S:
            rate_hz = (frames_read - before) / (now_s - since_s)
            self._captured = now_s, frames_read, rate_hz
        return rate_hz
