"""What is said to the person as JSON, one object per line, for programs that collect logs."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import IO, TextIO, cast

from rich.console import Console


class JsonLog(io.TextIOBase):
    """A file for text, each line of which becomes an object with ``time`` (ISO 8601, UTC), ``level`` and ``message``.

    Args:
        level: Of all its lines: info, warning or error.
        to: Where they go; the standard error as it is when they are written, if None.
        now: What time it is.
    """

    def __init__(
        self, level: str, to: TextIO | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._level, self._to, self._now = level, to, now
        self._begun = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *whole, self._begun = (self._begun + text).split("\n")
        for line in filter(None, map(str.strip, whole)):
            entry = {"time": self._now().isoformat(timespec="milliseconds"), "level": self._level, "message": line}
            print(json.dumps(entry, ensure_ascii=False), file=self._to or sys.stderr, flush=True)
        return len(text)


def json_console(level: str = "info") -> Console:
    """A console whose lines are JSON on the standard error."""
    return Console(file=cast(IO[str], JsonLog(level)), highlight=False, color_system=None, width=10_000)
