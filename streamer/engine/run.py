"""One source on its way through one pipeline."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.data.source import SourceInfo
from streamer.errors import PromptError
from streamer.pipeline import Pipeline
from streamer.scheduling.prefetch import Prefetch
from streamer.sources.reader import Reader
from streamer.stages.detections import DetectionsStage
from streamer.terminal.telemetry import Meter


@dataclass(frozen=True, slots=True)
class Run:
    """One source on its way through one pipeline.

    Attributes:
        reader: Where the frames come from.
        pipeline: Where they go.
        meter: What is counted on the way.
        prefetch: Begins early what the pipeline will ask its models for; None begins nothing.
        live: Whether answers come late, in threads of their own.
        first_out: Set once a result has been shown, written or handed over.
    """

    reader: Reader
    pipeline: Pipeline
    meter: Meter
    prefetch: Prefetch | None = None
    live: bool = False
    first_out: Event = field(default_factory=Event)

    @property
    def info(self) -> SourceInfo:
        return self.reader.info

    def summary(self) -> dict[str, Any]:
        """The meter's figures with what the reader read and dropped, ready for JSON; see :meth:`Meter.summary`."""
        return self.meter.summary(self.reader.frames_read, self.reader.drops)

    def process(self, frame: Frame) -> Result:
        """Move on to the next frame of the reader; see :meth:`Pipeline.process`."""
        if self.prefetch is not None:
            self.prefetch.begin(self.pipeline.foresee([frame, *self.reader.waiting]))
        result = self.pipeline.process(frame)
        if self.live or result.reason_of(DetectionsStage.name) is None:
            return result
        return _with(result, self.pipeline.refresh())  # what was just found has its mask on the very frame

    def look_for(self, text: str | Sequence[str]) -> None:
        """Find and follow what these phrases say, "person; red ball", from the next frame on, beside those before.

        Raises:
            PromptError: A phrase is empty or very long, there are very many, or masks are left out.
        """
        self._detections.look_for(text)

    def forget(self) -> None:
        """Find nothing by words any more, and follow nothing that was found so."""
        self._detections.forget()

    @property
    def _detections(self) -> DetectionsStage:
        found = next((stage for stage in self.pipeline.stages if isinstance(stage, DetectionsStage)), None)
        if found is None:
            raise PromptError("Nothing can be found by words here: let masks in, and set `text` in the config.")
        return found

    def __iter__(self) -> Iterator[Result]:
        """Every frame of the source, with all that is known of it."""
        for frame in self.reader:
            result = self.process(frame)
            self.meter.add(result, time.monotonic())
            self.first_out.set()
            yield result


def _with(first: Result, again: Result | None) -> Result:
    """The second result of a frame, with why and for how long models ran for the first one."""
    if again is None:
        return first
    stages = {
        name: replace(status, reason=first.reason_of(name) or status.reason) for name, status in again.stages.items()
    }
    return replace(
        again,
        stages=stages,
        timings_ms={name: spent + again.timings_ms.get(name, 0.0) for name, spent in first.timings_ms.items()},
        model_timings_ms={**first.model_timings_ms, **again.model_timings_ms},
    )
