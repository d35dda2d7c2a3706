"""Which slow calls are under way: none of them can be interrupted, so the end of the process has to know."""

from __future__ import annotations

import atexit
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_LONGEST_WAIT_S = 60.0
"""At the end of a process that uses the library; the command line does not wait at all."""

_changed = threading.Condition()
_calls: Counter[str] = Counter()


@contextmanager
def running(name: str) -> Iterator[None]:
    """Count a call as under way for as long as the block lasts, in whatever thread it runs.

    Args:
        name: What runs, for people.
    """
    with _changed:
        _calls[name] += 1
    try:
        yield
    finally:
        with _changed:
            _calls[name] -= 1
            _changed.notify_all()


def anything_running() -> bool:
    """Whether a call is under way in any thread of this process."""
    with _changed:
        return _calls.total() > 0


@atexit.register
def wait_for_calls(timeout_s: float = _LONGEST_WAIT_S) -> None:
    """Wait until nothing is under way: an interpreter that ends under a running model aborts the whole process."""
    with _changed:
        _changed.wait_for(lambda: _calls.total() == 0, timeout_s)
