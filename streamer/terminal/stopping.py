"""Ctrl-C, SIGTERM and a terminal that is closed: the first asks for an orderly end, the second ends at once."""

from __future__ import annotations

import os
import signal
import stat
import threading
from types import FrameType
from typing import Self

INTERRUPTED = 130
"""Exit code of a run that was interrupted (128 + SIGINT)."""

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Windows has no SIGHUP, which says that the terminal is gone (a connection over ssh that drops)."""


class Stop:
    """Turns signals into a flag that loops look at. Use it in a ``with`` block on the main thread.

    Attributes:
        signalled: Whether a signal (and not the end of the work) asked for the end.
    """

    def __init__(self) -> None:
        self.signalled = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) == signal.SIG_IGN:  # nohup: it is to go on without a terminal
                    continue
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.signalled:
            os._exit(INTERRUPTED)
        self.signalled = True
        if number == getattr(signal, "SIGHUP", None):
            _speak_to_nobody()


def _speak_to_nobody() -> None:
    """Lead what is said away from a terminal that is gone: writing to it fails, and the files are to be finished."""
    with open(os.devnull, "w") as nowhere:
        for descriptor in (1, 2):
            # A terminal that has hung up no longer answers `isatty`.
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):
                os.dup2(nowhere.fileno(), descriptor)
