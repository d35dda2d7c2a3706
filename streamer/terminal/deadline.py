"""An end in time after SIGTERM, also where the main thread is in a call that lets no handler of Python run."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from typing import Self


class Deadline:
    """Ends the process with 0 so long after SIGTERM, in a ``with`` block on the main thread.

    Python runs handlers between two steps of the main thread. That one may be waiting for a camera that has accepted
    the connection and says nothing: FFmpeg took 5.6 s to give it up. The number of a signal is written to a socket
    at once, and a thread of its own reads it there.

    Args:
        limit_s: How long what is orderly may take [s].
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._heard, self._told = socket.socketpair()
        self._told.setblocking(False)  # what `set_wakeup_fd` asks for
        self._before = -1

    def __enter__(self) -> Self:
        self._before = signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._wait, args=(self._heard,), name="streamer-deadline", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._before)
        self._told.close()  # which the thread hears as the end

    def _wait(self, heard: socket.socket) -> None:
        with heard:
            while number := heard.recv(1):
                if number[0] == signal.SIGTERM:
                    time.sleep(self._limit_s)
                    os._exit(0)
