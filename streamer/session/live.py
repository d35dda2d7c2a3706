"""``streamer live``: a camera, a stream or a file at its own rate, on the screen as it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from streamer.data.prompt import Prompt
from streamer.data.source import SourceInfo
from streamer.engine import Engine, Run
from streamer.errors import ConfigError, DisplayError
from streamer.session.playback import Playback, advise, can_show, open_window, opened, style_of
from streamer.sinks.targets import Targets
from streamer.sources.open import kind_of
from streamer.terminal.console import Terminal, aside
from streamer.terminal.live_status import LiveStatus
from streamer.terminal.panel import LiveConsole
from streamer.terminal.stopping import INTERRUPTED, Stop


@dataclass(frozen=True, slots=True)
class CameraRequest:
    """What to ask the source for; None leaves it to the source. Sizes in px, rates in Hz."""

    width: int | None = None
    height: int | None = None
    fps: float | None = None
    source_fps: float | None = None

    def options(self, source: str) -> dict[str, Any]:
        """Keywords for the source.

        Raises:
            ConfigError: Something was asked for that this source does not have.
        """
        kind = kind_of(source)
        is_camera = kind in ("camera", "stream")
        if is_camera and self.source_fps is not None:
            raise ConfigError("--source-fps plays a file at another rate: for a camera, use --fps.")
        if not is_camera and (self.width or self.height or self.fps):
            raise ConfigError("--width, --height and --fps are for cameras: for a file, use --source-fps.")
        options = {"width": self.width, "height": self.height, "rate_hz": self.fps or self.source_fps}
        chosen = {name: value for name, value in options.items() if value is not None}
        # The scene stands in for a camera, which has no end.
        return chosen | {"frame_count": None} if kind == "scene" else chosen


@dataclass(frozen=True, slots=True)
class LiveJob:
    """What to show, what to follow and what to write.

    Attributes:
        source: Camera number, device, URL, file, or ``scene``.
        prompts: What to follow, said about the first frame.
        targets: What to write.
        camera: What to ask the source for.
    """

    source: str
    prompts: Sequence[Prompt]
    targets: Targets
    camera: CameraRequest = CameraRequest()


def live(engine: Engine, job: LiveJob) -> int:
    """Run until the source ends, the window is closed, or a signal comes.

    Returns:
        Exit code: 0, or 130 when it was interrupted by a signal while nothing was shown.

    Raises:
        DisplayError: There is no display, and nothing is to be written either.
        StreamerError: The source cannot be opened, or nothing can be written.
    """
    config, options = engine.config, job.camera.options(job.source)
    job.targets.check(several=False, masks=config.segmenter is not None, depth=config.depth is not None)
    terminal = Terminal(aside() if job.targets.take_stdout else None)
    show = config.show is not False
    if not show and not job.targets:
        raise DisplayError("Nothing is shown and nothing is written: leave out --no-show, or add -o FILE.mp4.")
    show = show and can_show(job.targets, terminal)

    def check(info: SourceInfo) -> None:
        path = Path(job.source) if kind_of(job.source) == "video" else None
        job.targets.of(replace(info, path=path), several=False)

    options |= {"prompts": job.prompts, "live": True, "check": check}
    with Stop() as stop, opened(engine, job.source, terminal, **options) as run:
        _play(engine, run, job.targets.of(run.info, several=False), show, stop, terminal)
        advise(engine, terminal)
    return INTERRUPTED if stop.signalled and not show else 0


def _play(engine: Engine, run: Run, targets: Targets, show: bool, stop: Stop, terminal: Terminal) -> None:
    console, style = LiveConsole(run.info.name, terminal.console), style_of(engine)
    if run.info.settings:
        console.say(f"{run.info.name}: {run.info.settings}")
    if run.info.notice:
        console.warn(run.info.notice)
    playback = Playback(
        run,
        style,
        stop,
        console,
        targets=targets,
        video=engine.config.video,
        robot_logs=engine.config.robot_logs,
        screen=open_window(run, style) if show else None,
        live=True,
        report=LiveStatus(console),
    )
    with console:
        playback.play()
    playback.finish()
