"""The loop of a run that somebody watches: frames in, results to the sinks and the window, a person's wishes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.data.result import Result
from streamer.engine import Run
from streamer.sinks.fanout import Fanout
from streamer.terminal.stopping import Stop
from streamer.ui.awaited import awaited
from streamer.ui.commands import Commands
from streamer.ui.overlay import Overlay
from streamer.ui.view import View
from streamer.ui.window.events import Event
from streamer.ui.window.hud import Status

_WINDOW_WAIT_S = 0.005
_QUIET_WAIT_S = 0.2
_STILL_S = 0.25
_PAUSED_WAIT_MS = 30


class Screen(Protocol):
    """The part of a window that a session needs."""

    def show(self, drawing: NDArray[np.uint8], result: Result, status: Status | None = None) -> None:
        """Show a ``(H, W, 3)`` uint8 RGB drawing of a result, with what belongs around it."""
        ...

    def poll(self, wait_ms: int = 1) -> list[Event]:
        """What the person did since the last call; waits at most about ``wait_ms`` for it."""
        ...

    def close(self) -> None:
        """Take it off the desktop. May be called twice."""
        ...


class Audience(Protocol):
    """Whoever watches from elsewhere: any number of people, each with a view of their own."""

    def show(self, result: Result, status: Status) -> None:
        """Show a result, with how the run stands. Waits for nobody and draws nothing yet."""
        ...

    def poll(self, wait_s: float = 0.0) -> list[tuple[Event, View]]:
        """What was asked for since the last call, and by whom; waits at most about so long for it [s]."""
        ...


class Session:
    """Plays a run to its end.

    Args:
        run: The source and the pipeline.
        sinks: Where results go; closed at the end.
        view: What is shown, and what the person has chosen to see.
        overlay: Draws it.
        commands: Obeys the events of the screen.
        stop: Tells when a signal asks for the end.
        report: Told after every frame, and with None now and then while there is none.
        screen: None for no window.
        hold: Whether the last frame is held on the screen, once there is one, until the person goes on.
        audience: None where nobody watches from elsewhere.
    """

    def __init__(
        self,
        run: Run,
        sinks: Fanout,
        view: View,
        overlay: Overlay,
        commands: Commands,
        stop: Stop,
        report: Callable[[Result | None], None],
        screen: Screen | None = None,
        hold: bool = False,
        audience: Audience | None = None,
    ) -> None:
        self._run, self._sinks, self._view, self._overlay = run, sinks, view, overlay
        self._commands, self._stop, self._report = commands, stop, report
        self._screen, self._audience = screen, audience
        self._hold_last = hold and self._watched
        # One picture is written once all is known of it, which a person may still change.
        self._writes_late = run.info.is_alone and (hold or run.live)
        self._shown_at_s = self._answered_at_s = time.monotonic()

    def play(self) -> None:
        """Run until the source ends, the window is closed, or a signal comes.

        Raises:
            SourceError: The source failed.
            SinkError: Nothing can be written any more.
            StreamerError: A model failed.
        """
        view = self._view
        try:
            while not (self._stop.signalled or view.quit or view.turn is not None):
                if view.paused or view.ended:
                    self._hold()
                elif not self._advance():
                    if not self._hold_last or view.result is None:
                        self._settle()
                        break
                    view.ended = True
                self._obey()
            if self._writes_late and view.result is not None:
                self._write(view.result)
        finally:
            self._sinks.close()

    def _advance(self) -> bool:
        """Move on by one frame, if there is one. Returns whether there may be more."""
        frame = self._run.reader.get(_WINDOW_WAIT_S if self._watched else _QUIET_WAIT_S)
        if frame is None:
            self._report(None)
            # Drawing the same frame again would make the next one wait.
            if time.monotonic() - self._shown_at_s >= _STILL_S:
                self._show()
            return self._run.reader.state != "ended"
        self._run.meter.loop_part("wait", (time.monotonic() - frame.captured_at_s) * 1000)
        result = self._run.process(frame)
        self._take(result)
        self._show()
        self._run.meter.add(result, time.monotonic())
        if not self._writes_late:
            self._write(result)
        self._report(result)
        self._run.first_out.set()
        return True

    def _hold(self) -> None:
        result = self._run.pipeline.refresh()
        if result is not None:
            self._take(result)
        self._show()
        self._report(None)

    @property
    def _watched(self) -> bool:
        return self._screen is not None or self._audience is not None

    def _settle(self) -> None:
        """Wait for what the models have to say of one picture that nobody watches."""
        before = None
        while self._writes_late and self._view.result is not before and not self._stop.signalled:
            time.sleep(_PAUSED_WAIT_MS / 1000)
            at_rest = set(self._run.pipeline.queues().values()) <= {"idle"}
            before = self._view.result if at_rest else None
            self._hold()

    def _take(self, result: Result) -> None:
        if result.model_timings_ms:
            self._answered_at_s = time.monotonic()
        self._view.show(result)

    def _write(self, result: Result) -> None:
        with self._timed("write"):
            self._sinks.write(result)

    def _show(self) -> None:
        result = self._view.result
        if result is None or not self._watched:
            return
        status = self._status()
        if self._audience is not None:
            with self._timed("serve"):
                self._audience.show(result, status)
        if self._screen is not None:
            with self._timed("draw"):
                drawing = self._overlay.draw(result, self._view.style)
            with self._timed("show"):
                self._screen.show(drawing, result, status)
        self._shown_at_s = time.monotonic()

    def _obey(self) -> None:
        wait_ms = _PAUSED_WAIT_MS if self._view.held else 1
        if self._screen is not None:
            for event in self._screen.poll(wait_ms):
                self._commands.obey(event)
        if self._audience is not None:
            # Where there is a window, that is where the time of a pause is spent.
            wait_s = wait_ms / 1000 if self._view.held and self._screen is None else 0.0
            for event, view in self._audience.poll(wait_s):
                self._commands.obey(event, view)

    def _status(self) -> Status:
        meter, view, result = self._run.meter, self._view, self._view.result
        assert result is not None
        asked = {name: stage.reason for name, stage in result.stages.items() if stage.reason is not None}
        reasons, moves = meter.last_reasons() | asked, not view.held
        return Status(
            rate_hz=meter.shown.recent_hz() if moves else None,
            latency_ms=meter.latency.percentile(50) if moves else None,
            reasons=reasons,
            device=meter.device,
            selected=view.selected,
            paused=view.paused,
            ended=view.ended and view.replayable,
            stalled=self._run.reader.state in ("stalled", "reopening"),
            recording=self._commands.recording,
            place=f"{view.page + 1} of {view.pages}: {self._run.info.name}" if view.pages > 1 else "",
            awaited=awaited(result, self._run.pipeline.queues(), reasons, time.monotonic() - self._answered_at_s),
            message=view.message,
        )

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        start_s = time.perf_counter()
        yield
        self._run.meter.loop_part(part, (time.perf_counter() - start_s) * 1000)
