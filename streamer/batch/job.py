"""One source annotated: what is done, whoever asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from streamer.data.known_depths import KnownDepths
from streamer.data.prompt import Prompt
from streamer.data.source import SourceInfo
from streamer.engine import Engine
from streamer.errors import SourceError
from streamer.session.playback import Playback, Report, open_window, opened, style_of
from streamer.sinks.image import DEEP_SUFFIXES
from streamer.sinks.targets import Targets
from streamer.sources.open import kind_of
from streamer.sources.url import redact
from streamer.terminal.console import Terminal
from streamer.terminal.stopping import Stop


@dataclass(frozen=True, slots=True)
class AnnotateJob:
    """What to annotate, and how.

    Attributes:
        sources: Files, images, folders, patterns.
        prompts: What to follow, said about the first frame of each source.
        targets: What to write.
        show: Whether to show a window meanwhile.
        video_track: Which video of a file that holds several, from 1; None for the one that a player would choose.
        known_depths: How far the things at some pixels of the first frame of each source are.
        follow_s: A file is still being written, and ends where nothing was added for this long [s].
        keep_hdr: Whether HDR videos stay HDR.
        part: The first frame, and the one after the last, of what is to be done of a long video; None for all of it.
    """

    sources: Sequence[str]
    prompts: Sequence[Prompt]
    targets: Targets
    show: bool = False
    video_track: int | None = None
    known_depths: KnownDepths | None = None
    follow_s: float | None = None
    keep_hdr: bool = False
    part: tuple[int, int | None] | None = None

    def options_of(self, source: str) -> dict[str, Any]:
        """What to open this source with, for :func:`streamer.sources.open.open_source`."""
        options = {"video_track": self.video_track, "follow_s": self.follow_s, "part": self.part}
        said = {name: value for name, value in options.items() if value is not None}
        kind, output = kind_of(source), self.targets.output
        if self.keep_hdr and kind in ("video", "stream"):
            return said | {"keep_hdr": True}
        of_pictures = output is not None and output.suffix.lower() in DEEP_SUFFIXES
        return said | ({"keep_bits": True} if of_pictures and kind in ("video", "stream", "folder", "image") else {})


def refuse_endless(source: str) -> None:
    """Cameras and streams are not for annotating.

    Raises:
        SourceError: The source has no end.
    """
    kind = kind_of(source)
    if kind == "camera" or (kind == "stream" and not source.lower().startswith(("http://", "https://"))):
        raise _endless(source)


def _endless(source: str) -> SourceError:
    name = redact(source)
    return SourceError(f"{name} never ends: use `streamer live {name}`, with -o to record it.")


def annotate_one(
    engine: Engine,
    source: str,
    job: AnnotateJob,
    targets_of: Callable[[SourceInfo], Targets],
    terminal: Terminal,
    stop: Stop,
    report: Report,
) -> Playback:
    """Annotate one source to its end.

    Args:
        engine: Has the models.
        source: The one of the job's sources that is meant.
        job: How.
        targets_of: Where to write what is made of it; asked before anything slow begins, and may raise.
        terminal: Told what the person shall know.
        stop: Tells when to end before the source does.
        report: Told how it goes.

    Returns:
        What was played, with its figures.

    Raises:
        DamagedError: Part of the source could not be read; the rest has been written.
        PartialError: Something could not be written to its end.
        StreamerError: Nothing could be done.
    """

    def check(info: SourceInfo) -> None:
        if info.live:
            raise _endless(source)
        targets_of(info)

    options = {"prompts": job.prompts, "check": check, "known_depths": job.known_depths} | job.options_of(source)
    with opened(engine, source, terminal, **options) as run:
        job.targets.check_meters(job.known_depths is not None or engine.gives_meters)
        if run.info.notice:
            terminal.warn(run.info.notice)
        style = style_of(engine, watched=job.show or run.info.still)
        playback = Playback(
            run,
            style,
            stop,
            terminal,
            targets=targets_of(run.info),
            video=engine.config.video,
            robot_logs=engine.config.robot_logs,
            screen=open_window(run.info, style) if job.show else None,
            hold=job.show and run.info.is_alone,
            report=report,
        )
        with terminal.playing(run.info.name, run.info.frame_count):
            playback.play()
        playback.finish()
    return playback
