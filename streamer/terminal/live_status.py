"""Watches a live run for the panel: how things stand, and what has just happened."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from streamer.data.reason import Reason
from streamer.data.result import Result
from streamer.data.track import State
from streamer.sinks.base import Sink
from streamer.sources.reader import Reader
from streamer.terminal.panel import REFRESH_EVERY_S, ROUTINE, LiveConsole

_CAPTURE_WINDOW_S = 2.0
_DROPS_EVERY_S = 1.0
_STARVING_S, _STARVING_EVERY_S = 5.0, 30.0
"""Age of what is shown from which its model gets too little of the processor or is too slow for it, and how often that
is said."""


class Playing(Protocol):
    """A run that is under way, as far as the panel tells of it."""

    @property
    def reader(self) -> Reader:
        """Where the frames come from."""
        ...

    @property
    def sinks(self) -> Sequence[Sink]:
        """Where the results go."""
        ...

    @property
    def paused(self) -> bool:
        """Whether a person holds the frame."""
        ...

    def queues(self) -> Mapping[str, str]:
        """What each slow model does, in a word."""
        ...

    def summary(self) -> Mapping[str, Any]:
        """The figures so far; see `Meter.summary`."""
        ...


class LiveStatus:
    """Turns results into events and, a few times a second, into the summary that the console draws.

    Args:
        console: Where it is shown.
        also: Told the summary as well.
        clock: Monotonic clock [s].
    """

    def __init__(
        self,
        console: LiveConsole,
        also: Callable[[Mapping[str, Any]], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console, self._also, self._clock = console, also, clock
        self._states: dict[int, State] = {}
        self._source_state = "running"
        self._reopened = self._dropped = 0
        self._dropped_at_s = -_DROPS_EVERY_S
        self._reported_at_s = -REFRESH_EVERY_S
        self._captured = (clock(), 0, 0.0)
        self._starving_at_s = -_STARVING_EVERY_S
        self._shown: Result | None = None
        self._left_out: dict[str, int] = {}

    def __call__(self, playing: Playing, result: Result | None) -> None:
        """Take in one frame, or None where there was none for a while."""
        self._watch_source(playing.reader)
        self._watch_sinks(playing.sinks)
        if result is not None:
            self._shown = result
            self._watch_stages(result)
            self._watch_tracks(result)
            self._watch_ages(result)
        now_s = self._clock()
        if now_s - self._reported_at_s >= REFRESH_EVERY_S:
            self._reported_at_s = now_s
            summary = self._summary(playing, now_s)
            self._console.update(summary)
            if self._also is not None:
                self._also(summary)

    def _watch_stages(self, result: Result) -> None:
        for name, stage in result.stages.items():
            if stage.reason not in (None, Reason.INTERVAL):
                self._console.event(ROUTINE, f"{name}: {stage.reason}")

    def _watch_ages(self, result: Result) -> None:
        ages_s = {name: stage.age_s for name, stage in result.stages.items() if stage.age_s is not None}
        oldest = max(ages_s, key=lambda name: ages_s[name], default="")
        now_s = self._clock()
        if ages_s.get(oldest, 0.0) < _STARVING_S or now_s - self._starving_at_s < _STARVING_EVERY_S:
            return
        self._starving_at_s = now_s
        advice = "close other programs, lower schedule.model_nice, or choose a smaller model"
        self._console.event("starving", f"{oldest} is {ages_s[oldest]:.0f} s old: {advice}")

    def _watch_tracks(self, result: Result) -> None:
        for track in result.tracks:
            before = self._states.get(track.id)
            if track.state is State.LOST and before not in (None, State.LOST):
                self._console.event("lost", f"object {track.id}")
            elif track.state is State.TRACKED and before is State.LOST:
                self._console.event("found", f"object {track.id}")
            self._states[track.id] = track.state

    def _watch_source(self, reader: Reader) -> None:
        self._watch_drops(sum(reader.drops.values()))
        if reader.reopened > self._reopened:
            self._console.event("reconnect", reader.info.name)
            self._reopened = reader.reopened
        if reader.state != self._source_state:
            self._source_state = reader.state
            if self._source_state == "stalled":
                self._console.event("stalled", f"no frame for {reader.silent_s:.0f} s")

    def _watch_drops(self, dropped: int) -> None:
        if dropped > self._dropped and self._clock() - self._dropped_at_s >= _DROPS_EVERY_S:
            self._console.event("drop", _frames(dropped - self._dropped))
            self._dropped, self._dropped_at_s = dropped, self._clock()

    def _watch_sinks(self, sinks: Sequence[Sink]) -> None:
        for sink in sinks:
            left_out = sink.dropped - self._left_out.get(sink.name, 0)
            if left_out > 0:
                self._console.event("drop", f"{_frames(left_out)} of {sink.name}: too slow to write")
                self._left_out[sink.name] = sink.dropped

    def _summary(self, playing: Playing, now_s: float) -> Mapping[str, Any]:
        shown = self._shown
        return {
            **playing.summary(),
            "objects": {} if shown is None else Counter(str(track.state) for track in shown.tracks),
            "ages": {} if shown is None else {name: stage.age for name, stage in shown.stages.items()},
            "values": {} if shown is None else shown.values,
            "capture_rate_hz": self._capture_rate_hz(playing.reader.frames_read, now_s),
            "queues": playing.queues(),
            "paused": playing.paused,
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
