"""What every output has in common."""

from __future__ import annotations

from typing import Protocol

from streamer.data.result import Result


class Sink(Protocol):
    """Takes results one after the other, and leaves something readable behind whenever it is closed."""

    name: str

    def write(self, result: Result) -> None:
        """Take the next result.

        Raises:
            SinkError: It cannot be written; the message says what to do.
        """
        ...

    def close(self) -> None:
        """Finish the file and give it its final name. May be called twice."""
        ...
