"""One source on its way through one pipeline."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.data.source import SourceInfo
from streamer.pipeline import Pipeline
from streamer.scheduling.prefetch import Prefetch
from streamer.sources.reader import Reader
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
    """

    reader: Reader
    pipeline: Pipeline
    meter: Meter
    prefetch: Prefetch | None = None
    live: bool = False

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
        return self.pipeline.process(frame)

    def __iter__(self) -> Iterator[Result]:
        """Every frame of the source, with all that is known of it."""
        for frame in self.reader:
            result = self.process(frame)
            self.meter.add(result, time.monotonic())
            yield result
