"""One run with everything around it: frames in, results to the sinks and the window, a person's wishes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.data.prompt import Prompt
from streamer.data.result import Result
from streamer.engine import Run
from streamer.errors import PromptError, SinkError
from streamer.sinks.base import Sink
from streamer.sinks.fanout import Fanout
from streamer.sinks.image import write_picture
from streamer.terminal.stopping import Stop
from streamer.ui.overlay import Overlay, Style
from streamer.ui.window import events
from streamer.ui.window.hud import Status

_WINDOW_WAIT_S = 0.005
_QUIET_WAIT_S = 0.2
_STILL_S = 0.25
_PAUSED_WAIT_MS = 30
_MESSAGE_S = 3.0
_DEPTH_VIEWS = {"off": "overlay", "overlay": "side", "side": "off"}


class Screen(Protocol):
    """The part of a window that a session needs."""

    def show(self, drawing: NDArray[np.uint8], result: Result, status: Status | None = None) -> None: ...

    def poll(self, wait_ms: int = 1) -> list[events.Event]: ...


Report = Callable[[Run, Result | None], None]
"""Told after every frame, and now and then while there is none."""


@dataclass(slots=True)
class View:
    """What the person has chosen to see.

    Attributes:
        style: How results are drawn.
        selected: Object that the next clicks belong to; None for a new one.
        paused: Whether the picture is held.
        quit: Whether the run shall end.
        message: The last short line for the person, and until when it is shown [s].
    """

    style: Style
    selected: int | None = None
    paused: bool = False
    quit: bool = False
    message: str = ""
    message_until_s: float = 0.0

    def tell(self, message: str) -> None:
        self.message, self.message_until_s = message, time.monotonic() + _MESSAGE_S


class Session:
    """Plays a run to its end.

    Args:
        run: The source and the pipeline.
        sinks: Where results go.
        view: What is drawn, shared with the sinks that draw the same.
        overlay: Draws it.
        stop: Tells when a signal asks for the end.
        report: Told how it goes.
        say: Prints a line for the person.
        window: None for no window.
        recorder: Makes the sink of a recording; None where recording makes no sense.
        folder: Where snapshots go.
    """

    def __init__(
        self,
        run: Run,
        sinks: Fanout,
        view: View,
        overlay: Overlay,
        stop: Stop,
        report: Report,
        say: Callable[[str], None],
        window: Screen | None = None,
        recorder: Callable[[], Sink] | None = None,
        folder: Path = Path("recordings"),
    ) -> None:
        self._run, self._sinks, self._view, self._overlay = run, sinks, view, overlay
        self._stop, self._report, self._tell, self._window = stop, report, say, window
        self._recorder = recorder
        self._recording: Sink | None = None
        self._folder = folder
        self._result: Result | None = None
        self._shown_at_s = 0.0
        self._handlers: dict[type, Callable] = {
            events.Click: lambda event: self._say(Prompt([(event.x, event.y)], [event.label])),
            events.Box: lambda event: self._say(Prompt(box=(event.x0, event.y0, event.x1, event.y1))),
            events.NewObject: lambda event: self._select(None),
            events.SelectObject: lambda event: self._select(event.object_id),
            events.Delete: lambda event: self._delete(),
            events.Undo: lambda event: self._run.pipeline.undo(),
            events.Pause: lambda event: self._pause(),
            events.ToggleMasks: lambda event: self._restyle(masks=not self._view.style.masks),
            events.CycleDepth: lambda event: self._restyle(depth=_DEPTH_VIEWS[self._view.style.depth]),
            events.Snapshot: lambda event: self._snapshot(),
            events.ToggleRecord: lambda event: self._record(),
            events.Keyframe: lambda event: self._run.pipeline.force_keyframe(),
            events.Quit: lambda event: self._end(),
        }

    def play(self) -> None:
        """Run until the source ends, the window is closed, or a signal comes.

        Raises:
            SourceError: The source failed.
            SinkError: Nothing can be written any more.
            StreamerError: A model failed.
        """
        try:
            while not (self._stop.signalled or self._view.quit):
                if self._view.paused:
                    self._hold()
                elif not self._advance():
                    break
                self._obey()
        finally:
            if self._recording is not None:
                self._sinks.remove(self._recording)
            self._sinks.close()

    def _advance(self) -> bool:
        frame = self._run.reader.get(_QUIET_WAIT_S if self._window is None else _WINDOW_WAIT_S)
        if frame is None:
            self._report(self._run, None)
            # Drawing the same picture again would make the next frame wait.
            if time.monotonic() - self._shown_at_s >= _STILL_S:
                self._show()
            return self._run.reader.state != "ended"
        self._run.meter.loop("wait", (time.monotonic() - frame.captured_at_s) * 1000)
        self._result = result = self._run.process(frame)
        self._show()
        self._run.meter.add(result, time.monotonic())
        with self._timed("write"):
            self._sinks.write(result)
        self._report(self._run, result)
        return True

    def _hold(self) -> None:
        self._result = self._run.pipeline.refresh() or self._result
        self._show()
        self._report(self._run, None)

    def _show(self) -> None:
        if self._window is None or self._result is None:
            return
        with self._timed("draw"):
            drawing = self._overlay.draw(self._result, self._view.style)
        with self._timed("show"):
            self._window.show(drawing, self._result, self._status())
        self._shown_at_s = time.monotonic()

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start_s = time.perf_counter()
        yield
        self._run.meter.loop(stage, (time.perf_counter() - start_s) * 1000)

    def _status(self) -> Status:
        meter, view = self._run.meter, self._view
        masks = meter.stages.get("masks")
        return Status(
            rate_hz=meter.shown.recent_hz(),
            latency_ms=meter.latency.percentile(50),
            keyframe=None if masks is None or masks.last is None else masks.last[1],
            device=meter.device,
            selected=view.selected,
            paused=view.paused,
            stalled=self._run.reader.state in ("stalled", "reopening"),
            recording=self._recording is not None,
            message=view.message if time.monotonic() < view.message_until_s else "",
        )

    # What a person asks for ------------------------------------------------------------------------------------

    def _obey(self) -> None:
        if self._window is None:
            return
        for event in self._window.poll(_PAUSED_WAIT_MS if self._view.paused else 1):
            self._handlers[type(event)](event)

    def _say(self, prompt: Prompt) -> None:
        spoken = Prompt(prompt.point_coords, prompt.point_labels, prompt.box, object_id=self._view.selected)
        try:
            self._view.selected = self._run.pipeline.prompt(spoken)
        except PromptError as error:
            self._view.tell(str(error))

    def _select(self, object_id: int | None) -> None:
        self._view.selected = object_id
        if object_id is None:
            self._view.tell("new object: click on it")

    def _delete(self) -> None:
        if self._view.selected is None:
            self._view.tell("select an object first: 1-9, tab, or click it in the list")
            return
        self._run.pipeline.remove(self._view.selected)
        self._view.selected = None

    def _pause(self) -> None:
        self._view.paused = not self._view.paused
        if self._view.paused:
            self._run.reader.pause()
        else:
            self._run.reader.resume()

    def _restyle(self, **changes: object) -> None:
        self._view.style = replace(self._view.style, **changes)  # type: ignore[arg-type]

    def _snapshot(self) -> None:
        if self._result is None:
            return
        path = self._folder / f"{self._run.info.name}-{self._result.index:05d}.png"
        try:
            write_picture(path, self._overlay.draw(self._result, self._view.style))
        except SinkError as error:
            self._view.tell(str(error))
            return
        self._announce(f"snapshot {path}")

    def _record(self) -> None:
        if self._recording is not None:
            self._sinks.remove(self._recording)
            self._announce(f"recorded {self._recording.name}")
            self._recording = None
        elif self._recorder is not None:
            try:
                self._recording = self._recorder()
            except SinkError as error:
                self._view.tell(str(error))
                return
            self._sinks.add(self._recording)
            self._announce(f"recording {self._recording.name}")

    def _end(self) -> None:
        self._view.quit = True

    def _announce(self, message: str) -> None:
        self._view.tell(message)
        self._tell(message)


def recording_path(folder: Path, name: str) -> Path:
    """A file name for a recording begun now, which no earlier one has."""
    return folder / f"{name}-{datetime.now():%Y%m%d-%H%M%S}.mp4"
