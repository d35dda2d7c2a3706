"""Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Self

INTERRUPTED = 130
"""Exit code of a run that was interrupted (128 + SIGINT)."""


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
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.signalled:
            os._exit(INTERRUPTED)
        self.signalled = True
