"""Ties everything around a run together, the same way for files, cameras, the demo and the benchmarks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from streamer.data.result import Result
from streamer.data.source import SourceInfo
from streamer.engine import Engine, Run, Spec
from streamer.errors import DamagedError, DisplayError, PartialError, SinkError
from streamer.session.session import Audience, Screen, Session
from streamer.sinks.base import Sink
from streamer.sinks.fanout import Fanout
from streamer.sinks.opening import open_sinks, video_sink
from streamer.sinks.parameters import RobotLogParameters, VideoParameters
from streamer.sinks.recorder import Recorder
from streamer.sinks.targets import FOLDER, Targets
from streamer.sources.reader import Reader
from streamer.terminal.console import Terminal
from streamer.terminal.stopping import Stop
from streamer.terminal.telemetry import write_stats
from streamer.ui.commands import Commands
from streamer.ui.overlay import Overlay, Style, drawing_size
from streamer.ui.view import View
from streamer.ui.window.display import display_available

if TYPE_CHECKING:
    from streamer.ui.window.window import Window

Report = Callable[["Playback", Result | None], None]
"""Told after every frame, and with None now and then while there is none."""


def silent(playback: Playback, result: Result | None) -> None:
    """A report to nobody."""


class Playback:
    """A run with what is drawn of it, where that goes, who watches, and what they may ask for.

    Args:
        run: An open source on its way through a pipeline.
        style: How results are drawn at first. What is written keeps it; what is shown may be changed by the person.
        stop: Tells when a signal asks for the end.
        terminal: Told what the person shall know.
        targets: What to write.
        video: How videos are encoded.
        robot_logs: What robots' tools are given, and how.
        sinks: Further sinks beside those of the targets.
        screen: Shows it and hears the person; None for no window. Closed at the end.
        audience: Whoever watches from elsewhere, in browsers; None where nobody can.
        live: Leave frames out rather than wait for an output, and let the person begin recordings.
        hold: Whether the last frame stays on the screen until the person goes on.
        view: What the person has chosen to see before; None for nothing yet.
        folder: Where recordings and snapshots go that the person asks for.
        report: Told how it goes.

    Attributes:
        view: What is shown, and what the person has chosen.
    """

    def __init__(
        self,
        run: Run,
        style: Style,
        stop: Stop,
        terminal: Terminal,
        *,
        targets: Targets | None = None,
        video: VideoParameters | None = None,
        robot_logs: RobotLogParameters | None = None,
        sinks: Sequence[Sink] = (),
        screen: Screen | None = None,
        audience: Audience | None = None,
        live: bool = False,
        hold: bool = False,
        view: View | None = None,
        folder: Path = FOLDER,
        report: Report = silent,
    ) -> None:
        self._run, self._stop, self._terminal, self._screen = run, stop, terminal, screen
        self._targets, self._video = targets or Targets(), video or VideoParameters()
        self._overlay, self.view, self._folder = Overlay(), view or View(style), folder
        self._report, self._remarked = report, False
        logs = robot_logs or RobotLogParameters()
        written = open_sinks(self._targets, run.info, self._drawer(style), self._video, logs, drop=live)
        if "foxglove" in self._targets.viewers:
            terminal.say(f"Foxglove: open a connection to ws://{logs.foxglove_host}:{logs.foxglove_port}.")
        self._sinks = Fanout([*written, *sinks], terminal.warn)
        recorder = Recorder(self._sinks, self._begin_recording) if live else None
        snapshot = folder / run.info.name
        commands = Commands(self.view, run.pipeline, run.reader, self._overlay, terminal.say, recorder, snapshot, run)
        self._session = Session(
            run, self._sinks, self.view, self._overlay, commands, stop, self._tell, screen, hold, audience
        )

    @property
    def reader(self) -> Reader:
        """Where the frames come from."""
        return self._run.reader

    @property
    def sinks(self) -> Sequence[Sink]:
        """Where results go, sinks that are closed already included."""
        return self._sinks.sinks

    @property
    def paused(self) -> bool:
        """Whether the person holds the frame."""
        return self.view.paused

    @property
    def frames_shown(self) -> int:
        """Frames that have come out of the pipeline so far."""
        return self._run.meter.shown.count

    def queues(self) -> dict[str, str]:
        """What each slow model does, in a word."""
        return self._run.pipeline.queues()

    def summary(self) -> dict[str, Any]:
        """The figures so far, ready for JSON; see :meth:`Meter.summary`."""
        return self._run.meter.summary(self.reader.frames_read, self.reader.drops, self.sinks)

    def play(self) -> None:
        """Run until the source ends, the window is closed, or a signal comes.

        Raises:
            PartialError: An output failed when part of it was written.
            StreamerError: The source, a model or an output failed.
        """
        try:
            self._session.play()
        except SinkError as error:
            if any(sink.written for sink in self.sinks):
                raise PartialError(str(error)) from error
            raise
        finally:
            if self._screen is not None:
                self._screen.close()

    def finish(self) -> None:
        """Write the figures, print them, and say what fell short.

        Raises:
            DamagedError: Part of the source could not be read.
            PartialError: Something could not be written to its end.
        """
        summary = self.summary()
        failures = list(self._sinks.messages)
        if self._targets.stats is not None:
            try:
                write_stats(self._targets.stats, summary)
            except SinkError as error:
                failures.append(str(error))
        for sink in self.sinks:
            if sink.warning:
                self._terminal.warn(sink.warning)
        self._remark()
        written = ", ".join(self._targets.written())
        if self._stop.signalled or self.view.quit:
            self._terminal.warn(f"Ended after {self.frames_shown} frames, before the source did.")
        self._terminal.summary(summary, title=f"wrote {written}" if written else "nothing was written")
        if failures:
            raise PartialError(failures[0])
        if self.reader.damage is not None:
            done = f"what could be read is in {written}" if written else "nothing was written"
            sentence = f"{self.reader.damage.rstrip('.')}: {done}; for the rest, get the whole source."
            raise DamagedError(sentence, self.reader.damage)

    def _tell(self, result: Result | None) -> None:
        self._remark()
        self._report(self, result)

    def _remark(self) -> None:
        """Tell what happens to the frames of the source when it begins to, and once."""
        if not self._remarked and self.reader.remark:
            self._remarked = True
            self._terminal.warn(self.reader.remark)

    def _drawer(self, style: Style) -> Callable[[Result], NDArray[np.uint8]]:
        """Draws in this style for ever: what is being written does not change its size when the window does."""
        return partial(self._overlay.draw, style=style)

    def _begin_recording(self) -> Sink:
        info = self._run.info
        path = recording_path(self._folder, info.name)
        return video_sink(path, info, self._drawer(self.view.style), self._video, drop=True, start_s=None)


def recording_path(folder: Path, name: str) -> Path:
    """A file name for a recording begun now, which no earlier one has."""
    return folder / f"{name}-{datetime.now():%Y%m%d-%H%M%S}.mp4"


@contextmanager
def opened(engine: Engine, source: Spec, terminal: Terminal, **options: Any) -> Iterator[Run]:
    """``engine.open``, with a sign of life while the source answers and the models load."""
    with ExitStack() as stack:
        with terminal.busy("opening the source and loading the models"):
            run = stack.enter_context(engine.open(source, **options))
        yield run


def style_of(engine: Engine, watched: bool = True) -> Style:
    """How results of this engine are drawn at first, for people who watch, or for a video that is only written."""
    config = engine.config
    return Style.of(config.overlay, config.segmenter is not None, config.depth is not None, watched)


def open_window(info: SourceInfo, style: Style) -> Window:
    """A window for a source whose results are drawn in this style at first.

    Raises:
        DisplayError: No window can be shown here.
    """
    from streamer.ui.window.window import Window

    return Window(f"streamer: {info.name}", drawing_size(info.size, style))


def can_show(otherwise: bool, terminal: Terminal) -> bool:
    """Whether there is a display; says so where there is none.

    Args:
        otherwise: Whether the run is of use without a window as well.
        terminal: Told.

    Raises:
        DisplayError: There is none, and the run is of no use without.
    """
    reason = display_available()
    if reason is None:
        return True
    if not otherwise:
        raise DisplayError(reason)
    terminal.say(f"{reason.split(':')[0]}: going on without the window.")
    return False


def advise(engine: Engine, terminal: Terminal) -> None:
    """Say once that there is better than the bundled models."""
    segmenter = engine.config.segmenter
    if segmenter is not None and segmenter.model == "tiny":
        terminal.say(
            "These were the bundled tiny models; stronger ones: `streamer models pull vit_b`, "
            "`streamer models pull Intel/dpt-hybrid-midas`, then --config sam-b."
        )
