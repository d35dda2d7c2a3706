"""Lines and tables for the person at the terminal; see `progress` and `panel` for what moves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from streamer.terminal.report import Summary, summary_rows

Clock = Callable[[], float]

PLAIN_EVERY_S = 5.0


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

    @contextmanager
    def playing(self, name: str, frame_count: int | None = None) -> Iterator[None]:
        """For as long as one source is played; whoever can shows how far it is. ``frame_count`` is a hint."""
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
