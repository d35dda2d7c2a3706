"""``streamer annotate``: files in, annotated files out, every frame of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from streamer.cli.playing import advise, can_show, drawer, finish, opened, partly, progress_of, style_of, window_of
from streamer.config import Config, load
from streamer.data.prompt import Prompt
from streamer.data.source import SourceInfo
from streamer.engine import Engine
from streamer.errors import ConfigError, PartialError, SourceError, StreamerError
from streamer.session import Session, View
from streamer.sinks.fanout import Fanout
from streamer.sinks.targets import Targets
from streamer.sources.open import kind_of
from streamer.sources.url import redact
from streamer.terminal.console import AnnotateConsole, aside
from streamer.terminal.stopping import INTERRUPTED, Stop
from streamer.ui.overlay import Overlay


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
    job.targets.check(config, several)
    console = AnnotateConsole(aside() if job.targets.take_stdout else None)
    job = replace(job, show=job.show and can_show(job.targets, console))
    failures: list[StreamerError] = []
    taken: set[str] = set()
    with Stop() as stop, Engine(config) as engine:
        for source in sources:
            try:
                _annotate_one(engine, source, job, taken if several else None, stop, console)
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
    advise(config, console)
    return 0


def expand(sources: Sequence[str]) -> list[str]:
    """What patterns match that is not all pictures, one by one; everything else as it is.

    Raises:
        SourceError: Cameras and streams have no end.
    """
    import glob

    expanded: list[str] = []
    for source in sources:
        kind = kind_of(source)
        if kind in ("camera", "stream"):
            name = redact(source)
            raise SourceError(f"{name} never ends: use `streamer live {name}`, with -o to record it.")
        matches = sorted(glob.glob(source)) if kind == "folder" and not Path(source).is_dir() else []
        has_videos = any(kind_of(match) == "video" for match in matches)
        expanded += matches if has_videos else [source]
    return expanded


def _annotate_one(
    engine: Engine, source: str, job: Job, taken: set[str] | None, stop: Stop, console: AnnotateConsole
) -> None:
    """Annotate one source; where it is one of several, under a name that is not ``taken`` yet."""

    def targets_of(info: SourceInfo) -> Targets:
        if taken is None:
            return job.targets.of(info, several=False)
        return job.targets.of(replace(info, name=_free_name(info.name, taken)), several=True)

    with opened(engine, source, console, prompts=job.prompts, check=targets_of) as run:
        targets = targets_of(run.info)
        if taken is not None:
            taken.add(_free_name(run.info.name, taken))
        if run.info.notice:
            console.warn(run.info.notice)
        overlay, view = Overlay(), View(style_of(engine.config))
        draw = drawer(overlay, view.style)
        sinks = Fanout(targets.sinks(run.info, draw, engine.config.video), console.warn)
        window = window_of(run, view.style) if job.show else None
        with console, partly(sinks):
            console.begin(run.info.name, run.info.frame_count)
            try:
                Session(run, sinks, view, overlay, stop, progress_of(console), console.say, window).play()
            finally:
                console.end()
                if window is not None:
                    window.close()
        finish(run, sinks, targets, console, stop, view)


def _free_name(name: str, taken: set[str]) -> str:
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(free for free in names if free not in taken)


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
