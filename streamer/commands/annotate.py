"""``streamer annotate``: files in, annotated files out, every frame of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamer.app import Engine, Run
from streamer.commands.targets import Targets
from streamer.config import Config, load
from streamer.console import AnnotateConsole, Terminal
from streamer.errors import ConfigError, PartialError, SinkError, SourceError, StreamerError
from streamer.overlay import Overlay, Style
from streamer.prompts import Prompt
from streamer.session import Report, Session, View
from streamer.sinks.background import BackgroundSink
from streamer.sinks.fanout import Fanout
from streamer.sources.open import kind_of
from streamer.stats import write_stats
from streamer.stopping import INTERRUPTED, Stop
from streamer.window import Window


@dataclass(frozen=True, slots=True)
class Job:
    """What to annotate, and how.

    Attributes:
        sources: Files, pictures, folders, patterns.
        prompts: What to follow, said about the first frame of each source.
        targets: What to write.
        show: Whether to show a window meanwhile.
    """

    sources: Sequence[str]
    prompts: Sequence[Prompt]
    targets: Targets
    show: bool = False


def style_of(config: Config) -> Style:
    """How results are drawn under this config."""
    overlay = config.overlay
    return Style(
        masks=config.segmenter is not None,
        mask_opacity=overlay.mask_opacity,
        depth=overlay.depth if config.depth is not None else "off",
        depth_opacity=overlay.depth_opacity,
    )


def annotate(config: Config, job: Job) -> int:
    """Annotate every source, one after the other.

    Returns:
        Exit code: 0, or 130 when it was interrupted.

    Raises:
        PartialError: Part of a source could not be read or written; the rest has been.
        StreamerError: Nothing could be done.
    """
    sources = expand(job.sources)
    several = len(sources) > 1
    job.targets.check(several)
    console = AnnotateConsole()
    failures: list[StreamerError] = []
    with Stop() as stop, Engine(config) as engine:
        advise(config, console)
        for source in sources:
            try:
                _annotate_one(engine, source, job, several, stop, console)
            except StreamerError as error:
                if not several:
                    raise
                failures.append(error)
                console.error(f"{source}: {error}")
            if stop.signalled:
                return INTERRUPTED
    if failures:
        partial = PartialError(f"{len(failures)} of {len(sources)} sources could not be annotated whole: see above.")
        raise partial if len(failures) < len(sources) else failures[-1]
    return 0


def advise(config: Config, console: Terminal) -> None:
    """Say once that there is better than the bundled models."""
    if config.segmenter is not None and config.segmenter.model == "tiny":
        console.say(
            "Using the bundled tiny models; stronger ones: `streamer models pull vit_b`, "
            "`streamer models pull Intel/dpt-hybrid-midas`, then --config sam-b."
        )


def expand(sources: Sequence[str]) -> list[str]:
    """Patterns that match files other than pictures, one by one; everything else as it is.

    Raises:
        SourceError: Cameras and streams have no end.
    """
    import glob

    expanded: list[str] = []
    for source in sources:
        kind = kind_of(source)
        if kind in ("camera", "stream"):
            raise SourceError(f"{source} never ends: use `streamer live {source}`, with -o to record it.")
        matches = sorted(glob.glob(source)) if kind == "folder" and not Path(source).is_dir() else []
        videos = [match for match in matches if kind_of(match) == "video"]
        expanded += videos or [source]
    return expanded


def _annotate_one(engine: Engine, source: str, job: Job, several: bool, stop: Stop, console: AnnotateConsole) -> None:
    with engine.open(source, job.prompts) as run:
        targets = job.targets.of(run.info, several)
        overlay, view = Overlay(), View(style_of(engine.config))
        sinks = Fanout(
            targets.sinks(run.info, lambda result: overlay.draw(result, view.style), engine.config.video), console.warn
        )
        window = Window(f"streamer: {run.info.name}", run.info.size) if job.show else None
        with console:
            console.begin(run.info.name, run.info.frame_count)
            try:
                Session(run, sinks, view, overlay, stop, progress_of(console), console.say, window).play()
            finally:
                console.end()
                if window is not None:
                    window.close()
        _finish(run, sinks, targets, console, stop)


def progress_of(console: AnnotateConsole) -> Report:
    """Reports how many frames are done."""
    return lambda run, result: console.update(run.meter.shown.count)


def _finish(run: Run, sinks: Fanout, targets: Targets, console: AnnotateConsole, stop: Stop) -> None:
    summary = summary_of(run, sinks)
    if targets.stats is not None:
        write_stats(targets.stats, summary)
    written = targets.written()
    console.summary(summary, title=f"wrote {', '.join(map(str, written))}" if written else "nothing was written")
    if stop.signalled:
        console.warn(f"Interrupted after {run.meter.shown.count} frames; what was written plays up to there.")
    if run.producer.damage is not None:
        raise PartialError(run.producer.damage)
    if sinks.failures:
        raise SinkError(f"Not everything could be written ({', '.join(sinks.failures)} failed): see above.")


def summary_of(run: Run, sinks: Fanout) -> dict[str, Any]:
    """The figures of a run, ready for JSON."""
    for sink in sinks.sinks:
        if isinstance(sink, BackgroundSink):
            run.meter.frames_written(sink.name, sink.written)
            run.meter.frames_dropped(f"{sink.name} too slow", sink.dropped)
    summary = run.meter.summary()
    frames = summary["frames"]
    frames["read"] = run.producer.frames_read
    frames["dropped"] = {cause: count for cause, count in (frames["dropped"] | run.producer.drops).items() if count}
    return summary


def load_config(
    name: str,
    overrides: Sequence[str],
    no_depth: bool = False,
    no_masks: bool = False,
    show: bool | None = None,
) -> Config:
    """A preset with what the options change in it.

    Raises:
        ConfigError: No such preset, key or value, or both halves are left out.
    """
    config = load(name, overrides)
    changes: dict[str, Any] = {}
    if no_depth:
        changes["depth"] = None
    if no_masks:
        changes["segmenter"] = None
    if show is not None:
        changes["show"] = show
    config = config.model_copy(update=changes)
    if config.depth is None and config.segmenter is None:
        raise ConfigError("Masks and depth are both left out, so there is nothing to do: leave one of them in.")
    return config
