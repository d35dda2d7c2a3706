"""``streamer annotate``: files in, annotated files out, every frame of them, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from streamer.data.prompt import Prompt
from streamer.data.source import SourceInfo
from streamer.engine import Engine
from streamer.errors import PartialError, SourceError, StreamerError
from streamer.session.playback import Playback, advise, can_show, open_window, opened, style_of
from streamer.sinks.targets import Targets
from streamer.sources.open import kind_of, matches
from streamer.sources.url import redact
from streamer.terminal.console import aside
from streamer.terminal.progress import AnnotateConsole
from streamer.terminal.stopping import INTERRUPTED, Stop


@dataclass(frozen=True, slots=True)
class AnnotateJob:
    """What to annotate, and how.

    Attributes:
        sources: Files, images, folders, patterns.
        prompts: What to follow, said about the first frame of each source.
        targets: What to write.
        show: Whether to show a window meanwhile.
        video_track: Which video of a file that holds several, from 1; None for the one that a player would choose.
    """

    sources: Sequence[str]
    prompts: Sequence[Prompt]
    targets: Targets
    show: bool = False
    video_track: int | None = None


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
    job = replace(job, show=job.show and can_show(job.targets, console))
    failures: list[StreamerError] = []
    taken: set[str] = set()
    with Stop() as stop:
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
    advise(engine, console)
    return 0


def expand(sources: Sequence[str]) -> list[str]:
    """What patterns match that is not all images, one by one; everything else as it is.

    Raises:
        SourceError: Cameras and streams have no end.
    """
    expanded: list[str] = []
    for source in sources:
        kind = kind_of(source)
        if kind == "camera" or (kind == "stream" and not source.lower().startswith(("http://", "https://"))):
            raise _endless(source)
        files = matches(source) if kind == "folder" and not Path(source).is_dir() else []
        has_videos = any(kind_of(file) == "video" for file in files)
        expanded += files if has_videos else [source]
    return expanded


def _endless(source: str) -> SourceError:
    name = redact(source)
    return SourceError(f"{name} never ends: use `streamer live {name}`, with -o to record it.")


def _annotate_one(
    engine: Engine, source: str, job: AnnotateJob, taken: set[str] | None, stop: Stop, console: AnnotateConsole
) -> None:
    """Annotate one source; where it is one of several, under a name that is not ``taken`` yet."""

    def targets_of(info: SourceInfo) -> Targets:
        if info.live:
            raise _endless(source)
        if taken is None:
            return job.targets.of(info, several=False)
        return job.targets.of(replace(info, name=_free_name(info.name, taken)), several=True)

    options = {} if job.video_track is None else {"video_track": job.video_track}
    with opened(engine, source, console, prompts=job.prompts, check=targets_of, **options) as run:
        targets = targets_of(run.info)
        if taken is not None:
            taken.add(_free_name(run.info.name, taken))
        if run.info.notice:
            console.warn(run.info.notice)
        style = style_of(engine)
        playback = Playback(
            run,
            style,
            stop,
            console,
            targets=targets,
            video=engine.config.video,
            screen=open_window(run.info, style) if job.show else None,
            hold=job.show and run.info.is_alone,
            report=lambda playback, _: console.update(playback.frames_shown),
        )
        with console.playing(run.info.name, run.info.frame_count):
            playback.play()
        playback.finish()


def _free_name(name: str, taken: set[str]) -> str:
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(free for free in names if free not in taken)
