"""The errors that streamer raises on purpose.

Each message is one sentence that says what happened and what to do. The command line prints it without a
traceback and exits with ``exit_code``.
"""

from __future__ import annotations


class StreamerError(Exception):
    """Base of every error meant for the person at the keyboard."""

    exit_code = 2


class ConfigError(StreamerError):
    """A preset, a key or a value that does not exist or does not fit."""


class PromptError(StreamerError):
    """A click, box or mask that cannot be used on the frame it was given for."""


class SourceError(StreamerError):
    """A source that cannot be opened or read."""


class StaleFrameError(SourceError):
    """There is no frame that is as new as was asked for."""


class ModelError(StreamerError):
    """Weights that are missing, damaged or refused, or a model that cannot run here."""


class SinkError(StreamerError):
    """An output that cannot be written."""


class DisplayError(StreamerError):
    """No window can be shown here."""


class ServeError(StreamerError):
    """The view in the browser cannot be served."""


class PartialError(StreamerError):
    """The run ended early, and what was done until then has been written."""

    exit_code = 1


class DamagedError(PartialError):
    """Part of a source could not be read; all that could be has been written.

    Attributes:
        damage: What could not be read, in one sentence.
    """

    def __init__(self, message: str, damage: str) -> None:
        super().__init__(message)
        self.damage = damage
