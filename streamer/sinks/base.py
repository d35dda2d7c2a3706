"""What every output has in common."""

from __future__ import annotations

from typing import Protocol

from streamer.data.result import Result


class Writer(Protocol):
    """Writes results one after the other, and leaves something readable behind whenever it is closed.

    Attributes:
        name: Short name for people.
    """

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


class Sink(Writer, Protocol):
    """A writer that counts: what a run hands its results to."""

    @property
    def written(self) -> int:
        """Results that were taken without an error."""
        ...

    @property
    def dropped(self) -> int:
        """Results that were left out rather than waited for."""
        ...

    @property
    def warning(self) -> str | None:
        """One sentence about what had to be left out of the file; None where all is well."""
        ...
