"""Something that goes on beside a test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def going_on(step: Callable[[int], object], every_s: float) -> Iterator[None]:
    """Calls ``step(0)``, ``step(1)`` and so on from a thread of its own until the block ends, as a run does."""
    ended = threading.Event()

    def work() -> None:
        index = 0
        while not ended.wait(every_s):
            step(index)
            index += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
