"""A sink in a thread of its own, so that the frame loop does not wait for drawing, encoding and disks."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from streamer.data.result import Result
from streamer.errors import SinkError, StreamerError
from streamer.sinks.base import Writer


class BackgroundSink:
    """Hands results to a writer, in order, from one thread.

    An error of the writer is raised by the next `write` or by `close`, whichever comes first; the result given to that
    `write` is handed on all the same.

    Args:
        writer: Does the work.
        queue_size: How many results may wait; each one holds a frame with its masks and depth.
        drop: What happens when the queue is full: True leaves the new result out and counts it (live), False waits
            (files, where every frame counts).
        warning: Asked for one sentence about what the writer had to leave out; None where it leaves nothing out.

    Attributes:
        dropped: Results left out so far.
        written: Results that the writer has taken without an error.
    """

    def __init__(
        self,
        writer: Writer,
        queue_size: int = 4,
        drop: bool = False,
        warning: Callable[[], str | None] = lambda: None,
    ) -> None:
        self.name = writer.name
        self.dropped = 0
        self.written = 0
        self._writer = writer
        self._drop, self._warning = drop, warning
        self._queue: queue.Queue[Result | None] = queue.Queue(queue_size)
        self._error: Exception | None = None
        self._thread: threading.Thread | None = threading.Thread(
            target=self._work, name=f"sink {writer.name}", daemon=True
        )
        self._thread.start()

    @property
    def warning(self) -> str | None:
        """One sentence of the writer about what it had to leave out; None where all is well."""
        return self._warning()

    def write(self, result: Result) -> None:
        """Queue the next result.

        Raises:
            SinkError: An earlier result could not be written.
        """
        if self._thread is None:
            raise SinkError(f"{self.name} is closed: write before closing it.")
        try:
            self._queue.put(result, block=not self._drop)
        except queue.Full:
            self.dropped += 1
        self._raise_error()

    def close(self) -> None:
        """Wait until everything queued is written, and close the writer. May be called twice.

        Raises:
            SinkError: The last results could not be written, or the file could not be finished.
        """
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None
            try:
                self._writer.close()
            finally:
                self._raise_error()

    def _work(self) -> None:
        while (result := self._queue.get()) is not None:
            try:
                self._writer.write(result)
                self.written += 1
            except Exception as error:
                self._error = self._error or error

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if isinstance(error, StreamerError):
            raise error
        if error is not None:
            raise SinkError(
                f"{self.name} failed ({type(error).__name__}: {error}): it goes on with the next frame."
            ) from error
