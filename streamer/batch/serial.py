"""``streamer annotate``: files in, annotated files out, every frame of them, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from streamer.batch.job import AnnotateJob, annotate_one, refuse_endless
from streamer.batch.listing import free_name
from streamer.data.source import SourceInfo
from streamer.engine import Engine
from streamer.errors import PartialError, StreamerError
from streamer.session.playback import advise, can_show
from streamer.sinks.targets import Targets
from streamer.sources.open import kind_of, matches
from streamer.terminal.console import aside
from streamer.terminal.progress import AnnotateConsole
from streamer.terminal.stopping import INTERRUPTED, Stop


def annotate(engine: Engine, job: AnnotateJob) -> int:
    """Annotate every source, one after the other.

    Returns:
        Exit code: 0, or 130 when it was interrupted.

    Raises:
        PartialError: Part of a source could not be read or written; the rest has been.
        StreamerError: Nothing could be done.
    """
    sources, config = expand(job.sources), engine.config
    several = len(sources) > 1
    job.targets.check(several, masks=config.segmenter is not None, depth=config.depth is not None)
    console = AnnotateConsole(aside() if job.targets.take_stdout else None)
    job = replace(job, show=job.show and can_show(bool(job.targets), console))
    failures: list[StreamerError] = []
    taken: set[str] = set()
    with Stop() as stop:
        for source in sources:
            try:
                _annotate_next(engine, source, job, taken if several else None, stop, console)
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
    advise(engine, console)
    return 0


def expand(sources: Sequence[str]) -> list[str]:
    """What patterns match that is not all images, one by one; everything else as it is.

    Raises:
        SourceError: Cameras and streams have no end.
    """
    expanded: list[str] = []
    for source in sources:
        refuse_endless(source)
        files = matches(source) if kind_of(source) == "folder" and not Path(source).is_dir() else []
        has_videos = any(kind_of(file) == "video" for file in files)
        expanded += files if has_videos else [source]
    return expanded


def _annotate_next(
    engine: Engine, source: str, job: AnnotateJob, taken: set[str] | None, stop: Stop, console: AnnotateConsole
) -> None:
    """Annotate one source; where it is one of several, under a name that is not ``taken`` yet."""
    names: list[str] = []

    def targets_of(info: SourceInfo) -> Targets:
        if taken is None:
            return job.targets.of(info, several=False)
        names[:] = [free_name(info.name, taken)]
        return job.targets.of(replace(info, name=names[0]), several=True)

    try:
        annotate_one(
            *(engine, source, job, targets_of, console, stop),
            report=lambda playback, _: console.update(playback.frames_shown),
        )
    finally:
        if taken is not None:
            taken.update(names)
