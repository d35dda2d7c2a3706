"""Results into a pipe whose reader may be slow: it gets the newest one whenever it has read the one before."""

from __future__ import annotations

import threading
from typing import Protocol

from streamer.data.result import Result
from streamer.errors import SinkError
from streamer.sinks.base import Writer

_LOOK_EVERY_S = 0.004
_CLOSING_S = 0.5
"""For the last result at the end; who does not read by then does not read."""


class PipeWriter(Writer, Protocol):
    """A writer that knows whether it has been read, and can tell what it was not given."""

    @property
    def is_read(self) -> bool:
        """Whether all that was written has been taken by the reader."""
        ...

    def tell_dropped(self, count: int, first_index: int, last_index: int) -> None:
        """Say that results were left out."""
        ...


class NewestSink:
    """Hands a writer the newest result once its reader is done with the one before, and tells how many it left out.

    A queue, as :class:`BackgroundSink` has it, would serve a slow reader what is long past.

    Attributes:
        dropped: Results left out so far.
        written: Results that the writer has taken without an error.
    """

    def __init__(self, writer: PipeWriter) -> None:
        self.name, self.dropped, self.written = writer.name, 0, 0
        self._writer = writer
        self._changed = threading.Condition()
        self._waiting: Result | None = None
        self._left_out: tuple[int, int, int] | None = None
        self._error: Exception | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=f"sink {writer.name}", daemon=True)
        self._thread.start()

    @property
    def warning(self) -> str | None:
        """Always None: what is left out is told in the lines."""
        return None

    def write(self, result: Result) -> None:
        """Be the newest result.

        Raises:
            SinkError: An earlier result could not be written.
        """
        with self._changed:
            if self._closing:
                raise SinkError(f"{self.name} is closed: write before closing it.")
            if self._waiting is not None:
                self.dropped += 1
                index = self._waiting.index
                count, first, _ = self._left_out or (0, index, index)
                self._left_out = count + 1, first, index
            self._waiting = result
            self._changed.notify()
        self._raise_error()

    def close(self) -> None:
        """Write the last result if somebody reads, and close the writer. May be called twice."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(_CLOSING_S)
        if not self._thread.is_alive():
            self._writer.close()
        self._raise_error()

    def _work(self) -> None:
        while (result := self._next()) is not None:
            try:
                self._writer.write(result)
                self.written += 1
            except Exception as error:
                self._error = self._error or error

    def _next(self) -> Result | None:
        """The newest result once the reader is ready for it; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is not None or self._closing)
            while self._waiting is not None and not self._writer.is_read:
                self._changed.wait(_LOOK_EVERY_S)
            result, self._waiting = self._waiting, None
            left_out, self._left_out = self._left_out, None
        if left_out is not None:
            self._tell_dropped(*left_out)
        return result

    def _tell_dropped(self, count: int, first_index: int, last_index: int) -> None:
        try:
            self._writer.tell_dropped(count, first_index, last_index)
        except SinkError as error:
            self._error = self._error or error

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error if isinstance(error, SinkError) else SinkError(f"{self.name} failed: {error}.")
