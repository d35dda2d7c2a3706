"""The ways from a clip to an annotated file that `streamer bench file` compares."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from streamer.benchmarks.clip import BenchClip
from streamer.benchmarks.obvious_loop import obvious_loop
from streamer.benchmarks.upstream import UpstreamDepth, UpstreamSam
from streamer.config import Config
from streamer.data.prompt import Prompt
from streamer.data.result import Result
from streamer.engine import Engine
from streamer.session.playback import Playback, style_of
from streamer.sinks.base import Sink
from streamer.sinks.opening import video_sink
from streamer.sinks.targets import Targets
from streamer.sources.open import open_source
from streamer.sources.reader import Reader
from streamer.terminal.console import Terminal
from streamer.terminal.stopping import Stop
from streamer.ui.overlay import Overlay

ALONE, OURS, LOOP = "decode + encode", "annotate", "obvious loop"


@dataclass(frozen=True, slots=True)
class FileRow:
    """How long one way took, from opening the clip to closing the file; models are loaded before.

    Attributes:
        name: Which way.
        frames: How many frames it did.
        seconds: For these [s].
        processor_s: Processor time of the whole program meanwhile, which other programs lengthen less [s].
    """

    name: str
    frames: int
    seconds: float
    processor_s: float

    @property
    def frame_s(self) -> float:
        """Mean time of a frame [s]."""
        return self.seconds / max(self.frames, 1)

    @property
    def processor_ms(self) -> float:
        """Mean processor time of a frame [ms]."""
        return 1000 * self.processor_s / max(self.frames, 1)


class _Watch:
    """The time since it was made."""

    def __init__(self) -> None:
        self.start_s, self._processor_s = time.perf_counter(), time.process_time()

    def row(self, name: str, frames: int) -> FileRow:
        """What so many frames took until now."""
        seconds, processor_s = time.perf_counter() - self.start_s, time.process_time() - self._processor_s
        return FileRow(name, frames, seconds, processor_s)


class Ways:
    """Each way from the clip to a file. All read ahead and write in a thread of their own, with the same settings.

    Args:
        engine: Has the models of our own way, and the config of all.
        clip: What is annotated.
        prompts: What to follow; without any, the obvious loop follows what ours has found.
        folder: Where the files go.
        stop: Tells when a signal asks for the end.
        frames: Only the first ones; None for all.
        loop_s: After which the obvious loop ends, with the frame that it is at [s].

    Attributes:
        summary: The figures of the last run of `annotate`.
    """

    def __init__(
        self,
        engine: Engine,
        clip: BenchClip,
        prompts: Sequence[Prompt],
        folder: Path,
        stop: Stop,
        frames: int | None = None,
        loop_s: float = 60.0,
    ) -> None:
        self._engine, self._clip, self._prompts, self._folder, self._stop = engine, clip, prompts, folder, stop
        self._most, self._loop_s = frames or sys.maxsize, loop_s
        self._followed = list(prompts)
        self.summary: dict[str, Any] = {}

    def decode_and_encode(self) -> FileRow:
        """The frames as they are: what no program can do without."""
        watch = _Watch()
        with Reader(open_source(self._clip.path), live=False) as reader:
            sink = video_sink(
                self._folder / "copy.mp4", reader.info, lambda result: result.frame.image_rgb, self._config.video
            )
            count = _written(sink, map(Result, islice(reader, self._most)), self._stop)
        return watch.row(ALONE, count)

    def annotate(self) -> FileRow:
        """The way of the command of that name."""

        def report(playback: Playback, result: Result | None) -> None:
            if result is not None and result.index == 0 and not self._prompts:
                boxes = {track.id: track.box_xyxy for track in result.tracks if track.box_xyxy is not None}
                self._followed = [Prompt(box=box, object_id=number) for number, box in boxes.items()]
            playback.view.quit = playback.frames_shown >= self._most

        watch = _Watch()
        with self._engine.open(self._clip.path, self._prompts) as run:
            targets = Targets(self._folder / "annotated.mp4")
            style, video = style_of(self._engine, watched=False), self._config.video
            playback = Playback(run, style, self._stop, Terminal(), targets=targets, video=video, report=report)
            playback.play()
            row = watch.row(OURS, playback.frames_shown)
            self.summary = playback.summary()
            return row

    def obvious_loop(self) -> FileRow:
        """Every frame through every model, as upstream documents them, in the same drawing."""
        wanted, depth = self._config.segmenter, self._config.depth
        device, draw = self._config.device, partial(Overlay().draw, style=style_of(self._engine, watched=False))
        segment = None if wanted is None else UpstreamSam(wanted.model, wanted.checkpoint, device).segment
        estimate = None if depth is None else UpstreamDepth(depth.model, device).estimate
        watch = _Watch()
        with Reader(open_source(self._clip.path), live=False) as reader:
            sink = video_sink(self._folder / "loop.mp4", reader.info, draw, self._config.video)
            results = obvious_loop(islice(reader, self._most), segment, estimate, self._followed)
            count = _written(sink, results, self._stop, watch.start_s + self._loop_s)
        return watch.row(LOOP, count)

    @property
    def _config(self) -> Config:
        return self._engine.config


def _written(sink: Sink, results: Iterable[Result], stop: Stop, ends_s: float = float("inf")) -> int:
    """Write until the end, a signal or that time; returns how many were written."""
    try:
        for result in results:
            sink.write(result)
            if stop.signalled or time.perf_counter() >= ends_s:
                break
    finally:
        sink.close()
    return sink.written
