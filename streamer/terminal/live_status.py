"""What the live panel shows: how things stand, and what has just happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from streamer.data.reason import Reason
from streamer.data.result import Result
from streamer.data.track import State
from streamer.engine import Run
from streamer.session import View
from streamer.sinks.background import BackgroundSink
from streamer.sinks.fanout import Fanout
from streamer.terminal.console import REFRESH_EVERY_S, LiveConsole

_CAPTURE_WINDOW_S = 2.0
_DROPS_EVERY_S = 1.0
_USUAL = "interval"


class Chronicle:
    """Turns results into events and, a few times a second, into the summary that the console draws.

    Args:
        console: Where it is shown.
        view: Whether the person holds the picture.
        sinks: What is written meanwhile.
        clock: Monotonic clock [s].
    """

    def __init__(
        self, console: LiveConsole, view: View, sinks: Fanout, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console, self._view, self._sinks, self._clock = console, view, sinks, clock
        self._states: dict[int, State] = {}
        self._source_state = "running"
        self._reopened = self._dropped = 0
        self._dropped_at_s = -_DROPS_EVERY_S
        self._reported_at_s = -REFRESH_EVERY_S
        self._captured = (clock(), 0, 0.0)
        self._ages: dict[str, int | None] = {}
        self._left_out: dict[str, int] = {}

    def __call__(self, run: Run, result: Result | None) -> None:
        self._watch_source(run)
        self._watch_sinks()
        if result is not None:
            self._watch(result)
        now_s = self._clock()
        if now_s - self._reported_at_s >= REFRESH_EVERY_S:
            self._reported_at_s = now_s
            self._console.update(self._summary(run, now_s))

    def _watch(self, result: Result) -> None:
        self._ages = {name: status.age for name, status in result.stages.items()}
        for name, status in result.stages.items():
            if status.reason not in (None, Reason.INTERVAL):
                self._console.event(name, str(status.reason))
        for track in result.tracks:
            before = self._states.get(track.id)
            if track.state is State.LOST and before not in (None, State.LOST):
                self._console.event("lost", f"object {track.id}")
            elif track.state is State.TRACKED and before is State.LOST:
                self._console.event("found", f"object {track.id}")
            self._states[track.id] = track.state

    def _watch_source(self, run: Run) -> None:
        reader = run.reader
        self._watch_drops(sum(reader.drops.values()))
        if reader.reopened > self._reopened:
            self._console.event("reconnect", run.info.name)
            self._reopened = reader.reopened
        if reader.state != self._source_state:
            self._source_state = reader.state
            if self._source_state == "stalled":
                self._console.event("stalled", f"no frame for {reader.silent_s:.0f} s")

    def _watch_drops(self, dropped: int) -> None:
        if dropped > self._dropped and self._clock() - self._dropped_at_s >= _DROPS_EVERY_S:
            self._console.event("drop", _frames(dropped - self._dropped))
            self._dropped, self._dropped_at_s = dropped, self._clock()

    def _watch_sinks(self) -> None:
        for sink in self._sinks.sinks:
            if isinstance(sink, BackgroundSink) and sink.dropped > self._left_out.get(sink.name, 0):
                left_out = sink.dropped - self._left_out.get(sink.name, 0)
                self._console.event("drop", f"{_frames(left_out)} of {sink.name}: too slow to write")
                self._left_out[sink.name] = sink.dropped

    def _summary(self, run: Run, now_s: float) -> Mapping[str, Any]:
        summary = run.summary()
        summary["frames"]["dropped"] |= {f"{name} too slow": count for name, count in self._left_out.items()}
        return {
            **summary,
            **self._ages,
            "capture_rate_hz": self._capture_rate_hz(run.reader.frames_read, now_s),
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


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"
