"""The panel of a live run, or a line now and then where the output is no terminal.

Fed with plain data, most of it a `Meter.summary` (see `telemetry`); whatever is missing there is left out.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from streamer.terminal.console import Clock, Terminal
from streamer.terminal.report import Summary, live_rows, plain_line

REFRESH_EVERY_S = 0.25
LOG_LINES = 5
ROUTINE = "run"
"""The kind of event that is told on the panel only: a slow model was asked out of its turn."""
_EVENT_STYLES = {
    **dict.fromkeys(("lost", "stalled", "starving"), "red"),
    **dict.fromkeys(("found", "reconnect"), "green"),
    "drop": "yellow",
}


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

        Beside what `Meter.summary` holds it shows ``capture_rate_hz``, ``queues`` (stage to a word or two), ``ages``
        (stage to frames), ``values`` (stage to its own figures), ``paused``, ``stalled`` and ``recording``.
        """
        self._summary = summary
        if not self.lively:
            if self._plain_due():
                self.say(plain_line(summary))
        elif self._clock() - self._refreshed_s >= REFRESH_EVERY_S:
            self._refreshed_s = self._clock()
            self._live.update(self.panel(summary), refresh=True)

    def event(self, kind: str, text: str = "") -> None:
        """Something happened: `ROUTINE`, "lost", "found", "drop", "stalled", "reconnect"..."""
        self._log.append((self._clock() - self._started_s, kind, text))
        if not self.lively and kind != ROUTINE:
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
