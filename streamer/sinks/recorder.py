"""A recording that a person begins and ends while the run goes on."""

from __future__ import annotations

from collections.abc import Callable

from streamer.sinks.base import Sink
from streamer.sinks.fanout import Fanout


class Recorder:
    """Adds one more sink to a run, and takes it away again.

    Args:
        sinks: Those of the run.
        begin: Opens the sink of a new recording, or raises `SinkError`.
    """

    def __init__(self, sinks: Fanout, begin: Callable[[], Sink]) -> None:
        self._sinks, self._begin = sinks, begin
        self._recording: Sink | None = None

    @property
    def recording(self) -> bool:
        """Whether a recording is under way."""
        return self._recording is not None

    def toggle(self) -> str:
        """Begin a recording, or end the one that is under way. Returns what was done, for the person.

        Raises:
            SinkError: A recording cannot begin.
        """
        if self._recording is None:
            self._recording = self._begin()
            self._sinks.add(self._recording)
            return f"recording {self._recording.name}"
        recording, self._recording = self._recording, None
        self._sinks.remove(recording)
        return f"recorded {recording.name}"
