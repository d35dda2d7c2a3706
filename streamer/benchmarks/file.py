"""``streamer bench file``: how long `annotate` takes, beside the obvious loop and beside reading and writing alone."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from streamer.benchmarks.clip import Clip, clip_of, rendered_clip
from streamer.benchmarks.obvious_loop import obvious_loop
from streamer.benchmarks.report import machine, title_of, write_figures
from streamer.benchmarks.upstream import UpstreamDepth, UpstreamSam
from streamer.benchmarks.weights import with_weights
from streamer.cli.playing import drawer, style_of, summary_of
from streamer.config import Config
from streamer.data.prompt import Prompt
from streamer.data.result import Result
from streamer.engine import Engine
from streamer.models.weights.cache import cache_folder
from streamer.session import Session, View
from streamer.sinks.background import BackgroundSink
from streamer.sinks.fanout import Fanout
from streamer.sinks.targets import video_sink
from streamer.sources.open import kind_of, open_source
from streamer.sources.reader import Reader
from streamer.terminal.console import Terminal
from streamer.terminal.stopping import INTERRUPTED, Stop
from streamer.ui.overlay import Overlay

ALONE, OURS, LOOP = "decode + encode", "annotate", "obvious loop"
SCENE_RATE_HZ, SCENE_FRAMES = 30, 300


@dataclass(frozen=True, slots=True)
class FileBench:
    """What to annotate, and for how long.

    Attributes:
        source: A video file, or ``scene`` for the rendered scene, whose truth says what to follow.
        prompts: What to follow in a file; without any, objects are found.
        frames: Only the first ones; None for all.
        loop_s: After which the obvious loop ends, with the frame that it is at [s].
        repeats: The best of so many runs counts, except for the obvious loop, which runs once.
        size: (width, height) of the rendered scene [px].
        json: Where the figures go.
    """

    source: str
    prompts: Sequence[Prompt] = ()
    frames: int | None = None
    loop_s: float = 60.0
    repeats: int = 1
    size: tuple[int, int] = (1280, 720)
    json: Path | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """How long one way took, from opening the clip to closing the file; models are loaded before.

    Attributes:
        name: Which way.
        frames: How many frames it did.
        seconds: For these [s].
    """

    name: str
    frames: int
    seconds: float

    @property
    def frame_s(self) -> float:
        """Mean time of a frame [s]."""
        return self.seconds / max(self.frames, 1)


def bench_file(config: Config, bench: FileBench) -> int:
    """Measure every row, print the table, write the figures.

    Returns:
        Exit code: 0, or 130 when it was interrupted.

    Raises:
        SourceError: The clip cannot be read.
        PromptError: A prompt does not lie on it.
        ModelError: A model cannot be loaded.
    """
    terminal = Terminal()
    clip, here = _clip(bench, terminal), machine()
    config = with_weights(config, terminal.say)
    with tempfile.TemporaryDirectory() as folder, Stop() as stop, Engine(config) as engine:
        ways = _Ways(engine.load(), clip, clip.prompts() or bench.prompts, bench, Path(folder), stop)
        rounds = []
        for _ in range(bench.repeats):
            rounds += [ways.decode_and_encode(), ways.annotate()]
            if stop.signalled:
                return INTERRUPTED
        terminal.say(f"{LOOP}: the models as their READMEs use them, for up to {bench.loop_s:g} s")
        rows = [min((row for row in rounds if row.name == name), key=lambda row: row.frame_s) for name in (ALONE, OURS)]
        rows.append(ways.obvious_loop())
        if stop.signalled:
            return INTERRUPTED
    _print(terminal, title_of(clip.path.name, here), rows)
    write_figures(bench.json, {"machine": here, **_figures(config, clip, rows), "annotate": ways.summary})
    return 0


def _clip(bench: FileBench, terminal: Terminal) -> Clip:
    if kind_of(bench.source) != "scene":
        return clip_of(Path(bench.source))
    count = bench.frames or SCENE_FRAMES
    return rendered_clip(cache_folder() / "bench", bench.size, SCENE_RATE_HZ, count, terminal.say)


class _Ways:
    """Each way from the clip to a file. All read ahead and write in a thread of their own, with the same settings.

    Attributes:
        summary: The figures of the last run of `annotate`.
    """

    def __init__(
        self, engine: Engine, clip: Clip, prompts: Sequence[Prompt], bench: FileBench, folder: Path, stop: Stop
    ) -> None:
        self._engine, self._clip, self._prompts, self._folder, self._stop = engine, clip, prompts, folder, stop
        self._most, self._loop_s = bench.frames or sys.maxsize, bench.loop_s
        self._followed = list(prompts)
        self.summary: dict[str, Any] = {}

    def decode_and_encode(self) -> Row:
        """The frames as they are: what no program can do without."""
        start_s = time.perf_counter()
        with Reader(open_source(self._clip.path), live=False) as reader:
            sink = video_sink(
                self._folder / "copy.mp4", reader.info, lambda result: result.frame.image_rgb, self._config.video
            )
            count = _written(sink, map(Result, islice(reader, self._most)), self._stop)
        return Row(ALONE, count, time.perf_counter() - start_s)

    def annotate(self) -> Row:
        """The way of the command of that name."""
        view, overlay = View(style_of(self._config)), Overlay()

        def report(run: Any, result: Result | None) -> None:
            if result is not None and result.index == 0 and not self._prompts:
                boxes = {track.id: track.box_xyxy for track in result.tracks if track.box_xyxy is not None}
                self._followed = [Prompt(box=box, object_id=number) for number, box in boxes.items()]
            view.quit = run.meter.shown.count >= self._most

        start_s = time.perf_counter()
        with self._engine.open(self._clip.path, self._prompts) as run:
            draw = drawer(overlay, view.style)
            sinks = Fanout([video_sink(self._folder / "annotated.mp4", run.info, draw, self._config.video)], _ignore)
            Session(run, sinks, view, overlay, self._stop, report, _ignore).play()
            seconds = time.perf_counter() - start_s
            self.summary = summary_of(run, sinks)
            return Row(OURS, run.meter.shown.count, seconds)

    def obvious_loop(self) -> Row:
        """Every frame through every model, as upstream documents them, in the same drawing."""
        wanted, depth = self._config.segmenter, self._config.depth
        device, draw = self._config.device, drawer(Overlay(), style_of(self._config))
        segment = None if wanted is None else UpstreamSam(wanted.model, wanted.checkpoint, device).segment
        estimate = None if depth is None else UpstreamDepth(depth.model, device).estimate
        start_s = time.perf_counter()
        with Reader(open_source(self._clip.path), live=False) as reader:
            sink = video_sink(self._folder / "loop.mp4", reader.info, draw, self._config.video)
            results = obvious_loop(islice(reader, self._most), segment, estimate, self._followed)
            count = _written(sink, results, self._stop, start_s + self._loop_s)
        return Row(LOOP, count, time.perf_counter() - start_s)

    @property
    def _config(self) -> Config:
        return self._engine.config


def _written(sink: BackgroundSink, results: Iterable[Result], stop: Stop, ends_s: float = float("inf")) -> int:
    """Write until the end, a signal or that time; returns how many were written."""
    try:
        for result in results:
            sink.write(result)
            if stop.signalled or time.perf_counter() >= ends_s:
                break
    finally:
        sink.close()
    return sink.written


def _ignore(message: str) -> None:
    """Nobody asked for what is written here."""


# The table -----------------------------------------------------------------------------------------------------


def _print(terminal: Terminal, title: str, rows: Sequence[Row]) -> None:
    alone, _, loop = rows
    columns = ("", "frames", "s", "fps", f"s for {alone.frames}", "time ratio", "speed-up")
    terminal.table(title, columns, [_cells(row, rows) for row in rows])
    terminal.say(f"Time ratio: against {ALONE}. Speed-up: over the {LOOP}.")
    if loop.frames < alone.frames:
        terminal.say(
            f"The {LOOP} did only {loop.frames} of {alone.frames} frames, at {loop.frame_s:.3g} s each: "
            f"its {loop.frame_s * alone.frames:.0f} s for all of them are extrapolated."
        )


def _cells(row: Row, rows: Sequence[Row]) -> list[str]:
    alone, _, loop = rows
    return [
        row.name,
        str(row.frames),
        f"{row.seconds:.2f}",
        f"{1 / row.frame_s:.3g}",
        f"{'' if row.frames == alone.frames else '~'}{row.frame_s * alone.frames:.4g}",
        f"{row.frame_s / alone.frame_s:.2f}x",
        f"{loop.frame_s / row.frame_s:.2f}x",
    ]


def _figures(config: Config, clip: Clip, rows: Sequence[Row]) -> dict[str, Any]:
    alone, ours, loop = rows
    return {
        "clip": {"name": clip.path.name, "size": clip.size, "rate_hz": clip.rate_hz},
        "config": config.model_dump(mode="json"),
        "rows": [{**asdict(row), "frame_s": row.frame_s, "extrapolated": row.frames < alone.frames} for row in rows],
        "annotate_over_decode_and_encode": ours.frame_s / alone.frame_s,
        "obvious_loop_over_annotate": loop.frame_s / ours.frame_s,
    }
