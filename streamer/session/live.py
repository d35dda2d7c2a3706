"""``streamer live``: a camera, a stream or a file at its own rate, on the screen as it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamer.data.known_depths import KnownDepths
from streamer.data.prompt import Prompt
from streamer.data.source import SourceInfo
from streamer.engine import Engine, Run
from streamer.errors import ConfigError, DisplayError
from streamer.session.live_window import LiveWindow
from streamer.session.playback import Playback, advise, can_show, opened, style_of
from streamer.session.service import Service
from streamer.session.serving import Serving, served, told, while_loading
from streamer.sinks.targets import Targets
from streamer.sources.open import kind_of
from streamer.terminal.console import Terminal, aside
from streamer.terminal.json_log import json_console
from streamer.terminal.live_status import LiveStatus
from streamer.terminal.panel import LiveConsole
from streamer.terminal.stopping import Stop
from streamer.ui.view import View

if TYPE_CHECKING:
    from streamer.ui.browser.browser import Browser


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
        sources: Camera number, device, URL, file, or ``scene``; or several pictures, one after the other.
        prompts: What to follow, said about the first frame of each.
        targets: What to write.
        camera: What to ask the source for.
        loop: Whether a recording begins again at its end.
        serving: Where to show it in browsers; None for nowhere. Then there is no window unless the config asks for it.
        known_depths: How far the things at some pixels of the first frame are.
        service: How it behaves where nobody watches over it.
    """

    sources: Sequence[str]
    prompts: Sequence[Prompt]
    targets: Targets
    camera: CameraRequest = CameraRequest()
    loop: bool = False
    serving: Serving | None = None
    known_depths: KnownDepths | None = None
    service: Service = field(default_factory=Service)

    def check(self) -> None:
        """Refuse what cannot be shown before anything is opened.

        Raises:
            ConfigError: Several sources that are not all pictures, or a loop of something without an end.
        """
        kinds = [kind_of(source) for source in self.sources]
        if len(kinds) > 1 and set(kinds) != {"image"}:
            raise ConfigError("Several sources are shown one after the other if all are pictures: name one, or those.")
        if self.loop and kinds[0] not in ("video", "folder"):
            raise ConfigError("--loop plays a recording again and again: leave it out.")

    def options(self) -> dict[str, Any]:
        """Keywords for the sources.

        Raises:
            ConfigError: Something was asked for that these do not have.
        """
        return self.camera.options(self.sources[0]) | ({"loop": True} if self.loop else {})


def live(engine: Engine, job: LiveJob) -> int:
    """Run until the source ends (without a window), the window is closed, or a signal comes.

    Returns:
        Exit code: 0, or 130 when it was interrupted by Ctrl-C while nothing was shown.

    Raises:
        ConfigError: What was asked for does not go together.
        DisplayError: There is no display, and nothing is to be written either.
        StreamerError: The source cannot be opened, or nothing can be written.
    """
    config = engine.config
    job.check()
    job.options()
    several = len(job.sources) > 1
    job.targets.check(several, masks=config.segmenter is not None, depth=config.depth is not None)
    terminal = _terminal(job)
    show = config.show is True if job.serving else config.show is not False
    if not (show or job.targets or job.serving):
        raise DisplayError("Nothing is shown and nothing is written: leave out --no-show, or add -o FILE.mp4.")
    show = show and can_show(bool(job.targets or job.serving), terminal)
    view = View(style_of(engine), pages=len(job.sources))
    window = LiveWindow(view) if show else None
    with Stop(service=True) as stop, served(engine, job.serving, terminal) as browser:
        try:
            _show_all(engine, job, Watching(view, window, browser), stop, terminal)
        finally:
            if window is not None:
                window.shut()
        advise(engine, terminal)
    return stop.code if stop.signalled and not show else 0


@dataclass(frozen=True, slots=True)
class Watching:
    """Who watches: a window, browsers, both or none, and what the person has chosen to see."""

    view: View
    window: LiveWindow | None = None
    browser: Browser | None = None

    @property
    def closely(self) -> bool:
        """Whether somebody may want to look at the last frame for longer."""
        return self.window is not None or self.browser is not None

    def begin(self, info: SourceInfo) -> None:
        """Show this source from now on."""
        if self.window is not None:
            self.window.begin(info)
        if self.browser is not None:
            self.browser.begin(info)

    def options(self) -> dict[str, Any]:
        """What is shown while the models load."""
        if self.window is not None:
            return {"meanwhile": self.window.while_loading}
        return {} if self.browser is None else {"meanwhile": while_loading(self.browser)}


def _show_all(engine: Engine, job: LiveJob, watching: Watching, stop: Stop, terminal: Terminal) -> None:
    """One source after the other, in the order in which the person turns to them; unwatched all in a row."""
    targets: dict[str, Targets] = {}
    view, page = watching.view, 0
    while page < len(job.sources):
        source = job.sources[page]
        view.begin(page, kind_of(source) in ("video", "folder"))
        _show_one(engine, job, source, targets, watching, stop, terminal)
        if view.quit or stop.signalled or (watching.closely and view.turn is None):
            break
        page += 1 if view.turn is None else view.turn


def _show_one(
    engine: Engine,
    job: LiveJob,
    source: str,
    targets: dict[str, Targets],
    watching: Watching,
    stop: Stop,
    terminal: Terminal,
) -> None:
    def begin(info: SourceInfo) -> None:
        path = Path(source) if kind_of(source) == "video" else None
        if source not in targets:
            targets[source] = job.targets.of(replace(info, path=info.path or path), several=len(job.sources) > 1)
        elif not info.is_alone:
            targets[source] = Targets()  # what is played again has been written
        watching.begin(info)

    options = job.options() | watching.options() | {"prompts": job.prompts, "live": True, "check": begin}
    options["known_depths"] = job.known_depths
    with job.service.opened(partial(opened, engine, source, terminal, **options), stop, terminal) as run:
        if run is not None:
            _play(engine, run, targets[source], watching, job.service, stop, terminal)


def _terminal(job: LiveJob) -> Terminal:
    """Where the person is spoken to: beside the results, where those take the standard output."""
    if job.service.json_log:
        return Terminal(json_console(), json_console("error"))
    return Terminal(aside() if job.targets.take_stdout else None)


def _play(
    engine: Engine,
    run: Run,
    targets: Targets,
    watching: Watching,
    service: Service,
    stop: Stop,
    terminal: Terminal,
) -> None:
    console = LiveConsole(run.info.name, terminal.console)
    if run.info.settings:
        console.say(f"{run.info.name}: {run.info.settings}")
    if run.info.notice:
        console.warn(run.info.notice)
    playback = Playback(
        run,
        style_of(engine),
        stop,
        console,
        targets=targets,
        video=engine.config.video,
        screen=watching.window,
        robot_logs=engine.config.robot_logs,
        audience=watching.browser,
        live=True,
        hold=watching.closely,
        view=watching.view,
        report=service.report(LiveStatus(console, told(watching.browser)), run, stop, console),
    )
    with console:
        playback.play()
    service.supervisor.stopping()
    playback.finish()
