"""What the terminal shows: a progress bar for recordings, one live panel for cameras, plain lines where it is neither.

Fed with plain data, most of it a `Meter.summary` (see `telemetry`); whatever is missing there is left out.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Self

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from streamer.terminal.report import Summary, live_rows, plain_line, summary_rows

Clock = Callable[[], float]

PLAIN_EVERY_S = 5.0
REFRESH_EVERY_S = 0.25
LOG_LINES = 5
_EVENT_STYLES = {"lost": "red", "drop": "yellow", "stalled": "red", "found": "green", "reconnect": "green"}


def aside() -> Console:
    """Where to talk to the person while the standard output carries results."""
    return Console(stderr=True, highlight=False)


class Terminal:
    """Lines for the person: what there is to know on the standard output, errors on the standard error."""

    def __init__(
        self, console: Console | None = None, error_console: Console | None = None, clock: Clock = time.monotonic
    ) -> None:
        self.console = console or Console(highlight=False)
        self.error_console = error_console or Console(stderr=True, highlight=False)
        self._clock = clock
        self._plain_at_s = -float("inf")
        self._moving = False

    @property
    def lively(self) -> bool:
        """Whether the output is a terminal that can be drawn on again and again."""
        return self.console.is_terminal and not self.console.is_dumb_terminal

    def say(self, text: str) -> None:
        """One line, above whatever moves."""
        self.console.print(escape(text), soft_wrap=True)

    def warn(self, text: str) -> None:
        """One line that deserves attention, above whatever moves."""
        self.console.print(f"[yellow]{escape(text)}[/]", soft_wrap=True)

    def error(self, text: str) -> None:
        """One line on the standard error."""
        # On one screen with a moving display, only that display's console knows where there is room above it.
        shared = self._moving and self.error_console.is_terminal
        console = self.console if shared else self.error_console
        console.print(f"[bold red]error:[/] {escape(text)}", soft_wrap=True)

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        """A sign of life while something takes long; nothing where the output is not a terminal."""
        with self.console.status(f"[dim]{escape(text)}[/]") if self.lively else nullcontext():
            yield

    def summary(self, summary: Summary, title: str = "done") -> None:
        """The closing table."""
        rows = summary_rows(summary)
        if not self.lively:
            for name, value in rows:
                self.say(f"{name}: {value}")
            self.say(title)
            return
        table = Table(title=escape(title), title_justify="left", title_style="bold", show_header=False, box=None)
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in rows:
            table.add_row(name, escape(value))
        self.console.print(table)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Figures side by side; the first column says what each row is."""
        table = Table(title=escape(title), title_justify="left", title_style="bold", header_style="", box=box.SIMPLE)
        for place, column in enumerate(columns):
            table.add_column(column, justify="right" if place else "left")
        for row in rows:
            table.add_row(*map(escape, row))
        self.console.print(table)

    def _plain_due(self) -> bool:
        due = self._clock() - self._plain_at_s >= PLAIN_EVERY_S
        if due:
            self._plain_at_s = self._clock()
        return due


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.completed / task.finished_time if task.finished_time else task.speed
        return Text(f"{speed:.1f} fps" if speed else "", style="cyan", justify="right")


class _Frames(ProgressColumn):
    def render(self, task: Task) -> Text:
        total = "" if task.total is None else f"/{task.total:.0f}"
        return Text(f"{task.completed:.0f}{total} frames")


class AnnotateConsole(Terminal):
    """Progress through one source after the other. A context manager that may be entered again."""

    def __init__(
        self, console: Console | None = None, error_console: Console | None = None, clock: Clock = time.monotonic
    ) -> None:
        super().__init__(console, error_console, clock)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            _Frames(),
            _Rate(),
            TimeRemainingColumn(compact=True),
            console=self.console,
            expand=True,
            redirect_stderr=sys.stderr.isatty(),
            disable=not self.lively,
        )
        self._task: TaskID | None = None
        self._name, self._done, self._started_s = "", 0, 0.0
        self._total: int | None = None

    def __enter__(self) -> Self:
        for task in self._progress.task_ids:  # those of an earlier use stay where they were printed
            self._progress.remove_task(task)
        self._progress.start()
        self._moving = self.lively
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
        self._moving = False

    def begin(self, name: str, frame_count: int | None = None) -> None:
        """The next source; ``frame_count`` is a hint, None where nobody knows."""
        self._name, self._total, self._done = name, frame_count, 0
        self._started_s = self._plain_at_s = self._clock()
        shown = name if len(name) <= 24 else f"{name[:11]}...{name[-10:]}"
        self._task = self._progress.add_task(escape(shown), total=frame_count)

    def update(self, done: int) -> None:
        """So many frames of this source are done."""
        self._done = done
        if self._total is not None and done > self._total:
            self._total = None
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=self._total)
        if not self.lively and self._plain_due():
            self.say(self._plain_line())

    def end(self, output: str | None = None) -> None:
        """This source is finished; ``output`` is what was written."""
        if self._task is not None:
            self._progress.update(self._task, completed=self._done, total=max(self._done, 1))
            self._progress.stop_task(self._task)
        if not self.lively:
            self.say(f"{self._name}: {self._done} frames in {self._clock() - self._started_s:.1f} s")
        if output:
            self.say(output)

    def _plain_line(self) -> str:
        rate_hz = self._done / max(self._clock() - self._started_s, 1e-9)
        line = f"{self._name}: {self._done}{f' of {self._total}' if self._total else ''} frames"
        if self._done and self._clock() > self._started_s:
            line += f", {rate_hz:.1f} fps"
            if self._total:
                line += f", {(self._total - self._done) / rate_hz:.0f} s left"
        return line


class LiveConsole(Terminal):
    """One panel that tells how a live run goes. A context manager.

    Args:
        source: Name of the source, without credentials.
    """

    def __init__(
        self,
        source: str,
        console: Console | None = None,
        error_console: Console | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        super().__init__(console, error_console, clock)
        self._source = source
        self._started_s = clock()
        self._refreshed_s = -float("inf")
        self._log: deque[tuple[float, str, str]] = deque(maxlen=LOG_LINES)
        self._summary: Summary = {}
        self._live = Live(
            console=self.console, auto_refresh=False, redirect_stderr=sys.stderr.isatty(), vertical_overflow="crop"
        )

    def __enter__(self) -> Self:
        if self.lively:
            self._live.start()
            self._moving = True
        return self

    def __exit__(self, *_: object) -> None:
        if self.lively:
            self._live.update(self.panel(self._summary))
            self._live.stop()
            self._moving = False

    def update(self, summary: Summary) -> None:
        """Show how things stand. May be called for every frame: it draws at most four times a second.

        Beside what `Meter.summary` holds it shows ``capture_rate_hz``, ``queues`` (stage to a
        word or two), ``mask_age`` and ``depth_age`` [frames], ``paused``, ``stalled`` and ``recording``.
        """
        self._summary = summary
        if not self.lively:
            if self._plain_due():
                self.say(plain_line(summary))
        elif self._clock() - self._refreshed_s >= REFRESH_EVERY_S:
            self._refreshed_s = self._clock()
            self._live.update(self.panel(summary), refresh=True)

    def event(self, kind: str, text: str = "") -> None:
        """Something happened: "keyframe", "lost", "found", "drop", "stalled", "reconnect"..."""
        self._log.append((self._clock() - self._started_s, kind, text))
        if not self.lively and kind != "keyframe":
            self.say(f"{kind} {text}".strip())

    def panel(self, summary: Summary) -> RenderableType:
        """The panel; its height does not change while it runs."""
        grid = Table.grid(padding=(0, 2), expand=True)
        grid.add_column(style="dim", no_wrap=True, width=8)
        grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for name, value in live_rows(summary):
            grid.add_row(name, escape(value) or "-")
        log = Table.grid(padding=(0, 2), expand=True)
        log.add_column(style="dim", justify="right", no_wrap=True, width=8)
        log.add_column(no_wrap=True, width=10)
        log.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        rows = [
            (f"{at_s:.1f} s", Text(kind, _EVENT_STYLES.get(kind, "")), escape(text)) for at_s, kind, text in self._log
        ]
        for row in [*rows, *[("", Text(""), "")] * (LOG_LINES - len(rows))]:
            log.add_row(*row)
        states = [word for word in ("stalled", "paused", "recording") if summary.get(word)]
        state = "".join(f" [bold red]{word}[/]" for word in states) or " [green]live[/]"
        elapsed = time.strftime("%H:%M:%S", time.gmtime(self._clock() - self._started_s))
        device = f"[dim]{escape(str(summary['device']))}[/]  " if summary.get("device") else ""
        return Panel(
            Group(grid, Rule(style="dim"), log),
            title=f"[bold]{escape(self._source)}[/]{state}",
            subtitle=f"{device}{elapsed}",
            title_align="left",
            subtitle_align="right",
            width=min(self.console.width, 100),
        )
