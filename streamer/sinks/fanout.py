"""Several sinks at once: one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from streamer.data.result import Result
from streamer.errors import SinkError
from streamer.sinks.base import Sink


class Fanout:
    """Hands every result to every sink.

    Args:
        sinks: Where results go.
        on_failure: Told in one sentence when a sink fails for the first time.

    Attributes:
        failures: How often each sink has failed, by its name.
        messages: What the first failure of each was.
        sinks: All of them, those that are closed already included.
    """

    name = "outputs"

    def __init__(self, sinks: Sequence[Sink], on_failure: Callable[[str], None]) -> None:
        self.sinks = list(sinks)
        self._open = list(sinks)
        self._on_failure = on_failure
        self.failures: dict[str, int] = {}
        self.messages: list[str] = []

    def __len__(self) -> int:
        return len(self._open)

    def add(self, sink: Sink) -> None:
        """Hand results to this sink, too."""
        self.sinks.append(sink)
        self._open.append(sink)

    def remove(self, sink: Sink) -> None:
        """Close a sink and hand it nothing more."""
        self._open.remove(sink)
        self._close(sink)

    def write(self, result: Result) -> None:
        """Hand on a result.

        Raises:
            SinkError: Every sink has failed on this very result.
        """
        failed = [(sink, error) for sink in self._open if (error := _error_of(partial(sink.write, result)))]
        if failed and len(failed) == len(self._open):
            # Whoever gets the error tells it; closing the sinks afterwards need not tell it again.
            self.failures |= {sink.name: self.failures.get(sink.name, 0) + 1 for sink, _ in failed}
            raise failed[0][1]
        for sink, error in failed:
            self._note(sink, error)

    def close(self) -> None:
        """Close every sink, also after one that cannot be closed. May be called twice."""
        for sink in self._open:
            self._close(sink)
        self._open.clear()

    def _close(self, sink: Sink) -> None:
        if error := _error_of(sink.close):
            self._note(sink, error)

    def _note(self, sink: Sink, error: SinkError) -> None:
        self.failures[sink.name] = self.failures.get(sink.name, 0) + 1
        if self.failures[sink.name] == 1:
            self.messages.append(str(error))
            self._on_failure(str(error))


def _error_of(call: Callable[[], None]) -> SinkError | None:
    try:
        call()
    except SinkError as error:
        return error
    return None
