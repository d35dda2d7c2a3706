"""Ctrl-C, SIGTERM and a terminal that is closed: the first asks for an orderly end, the second ends at once.

A job (``annotate``) that is ended early has not done what it was asked for, and says so by its exit code, 130. A
service (``live``) has no end of its own: SIGTERM is how it is ended, so its code is 0, and it is never waited for
longer than `LONGEST_END_S`. SIGHUP means that the terminal is gone, or, to a service without one, that prompts are to
be read again.
"""

from __future__ import annotations

import os
import signal
import stat
import threading
from contextlib import ExitStack
from types import FrameType
from typing import Self

from streamer.terminal.deadline import Deadline

INTERRUPTED = 130
"""Exit code of a run that was interrupted (128 + SIGINT)."""

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Windows has no SIGHUP, which says that the terminal is gone (a connection over ssh that drops)."""


LONGEST_END_S = 1.5
"""How long a service may take to finish its outputs after SIGTERM [s]; what is not whole by then keeps the name
``.partial``, and can be read. Supervisors take a program of 2 s for one that ends at once."""


class Stop:
    """Turns signals into a flag that loops look at. Use it in a ``with`` block on the main thread.

    Args:
        service: Whether the program runs until it is ended.

    Attributes:
        signalled: Whether a signal (and not the end of the work) asked for the end.
        code: Exit code that the signal is worth: 130, or 0 where a service was ended in the way meant for it.
    """

    def __init__(self, service: bool = False) -> None:
        self.signalled, self.code = False, INTERRUPTED
        self._service, self._reload = service, False
        self._asked = threading.Event()
        self._before: dict[int, object] = {}
        self._stack = ExitStack()

    def wait(self, limit_s: float) -> None:
        """Wait so long [s], or until a signal comes."""
        self._asked.wait(limit_s)

    def take_reload(self) -> bool:
        """Whether prompts are to be read again; said once."""
        reload, self._reload = self._reload, False
        return reload

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) == signal.SIG_IGN:  # nohup: it is to go on without a terminal
                    continue
                self._before[number] = signal.signal(number, self._on_signal)
            if self._service:
                self._stack.enter_context(Deadline(LONGEST_END_S))
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._stack.close()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._service and number == getattr(signal, "SIGHUP", None) and not _has_terminal():
            self._reload = True
            return
        if self.signalled:
            os._exit(self.code)
        self.signalled = True
        self._asked.set()
        if self._service and number == signal.SIGTERM:
            self.code = 0
        if number == getattr(signal, "SIGHUP", None):
            _speak_to_nobody()


def _has_terminal() -> bool:
    """Whether a person's terminal is what the program was started from."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _speak_to_nobody() -> None:
    """Lead what is said away from a terminal that is gone: writing to it fails, and the files are to be finished."""
    with open(os.devnull, "w") as nowhere:
        for descriptor in (1, 2):
            # A terminal that has hung up no longer answers `isatty`.
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):
                os.dup2(nowhere.fileno(), descriptor)
