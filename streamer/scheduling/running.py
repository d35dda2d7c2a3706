"""Which slow calls are under way: none of them can be interrupted, so the end of the process has to know."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_calls: Counter[str] = Counter()


@contextmanager
def running(name: str) -> Iterator[None]:
    """Count a call as under way for as long as the block lasts, in whatever thread it runs.

    Args:
        name: What runs, for people.
    """
    with _lock:
        _calls[name] += 1
    try:
        yield
    finally:
        with _lock:
            _calls[name] -= 1


def anything_running() -> bool:
    """Whether a call is under way in any thread of this process."""
    with _lock:
        return _calls.total() > 0
