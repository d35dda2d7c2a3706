"""What a run has to say where nobody watches it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from streamer.terminal.console import Terminal
from streamer.terminal.report import Summary


class Notes(Terminal):
    """Keeps what deserves attention, and says nothing.

    Attributes:
        kept: The warnings and errors, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def say(self, text: str) -> None:
        """Not worth keeping."""

    def warn(self, text: str) -> None:
        self.kept.append(text)

    def error(self, text: str) -> None:
        self.kept.append(text)

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        yield

    def summary(self, summary: Summary, title: str = "done") -> None:
        """The figures are kept by whoever asked for the run."""
