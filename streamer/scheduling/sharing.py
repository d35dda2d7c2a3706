"""The processor shared between the frame loop and the models, for as long as any live run goes on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import cv2

from streamer.data.cores import core_count

_SWITCH_INTERVAL_S = 0.001
"""The frame loop asks for the interpreter after every call of OpenCV; by default it waits up to 5 ms for it."""

_lock = Lock()
_sharers = 0
_before: tuple[int, int, float] | None = None


@contextmanager
def sharing_processor() -> Iterator[None]:
    """Leave the frame loop a core of its own, and the interpreter whenever it asks.

    These are settings of the whole process: the first live run makes them, and the last one puts back what was before.
    """
    global _sharers, _before
    with _lock:
        if _sharers == 0:
            _before = _share()
        _sharers += 1
    try:
        yield
    finally:
        with _lock:
            _sharers -= 1
            if _sharers == 0 and _before is not None:
                _restore(*_before)


def _share() -> tuple[int, int, float]:
    from streamer.models.runtime import devices

    cores = core_count()
    before = devices.thread_count(), cv2.getNumThreads(), sys.getswitchinterval()
    devices.set_threads(min(before[0], cores - 1))
    cv2.setNumThreads(max(1, cores // 2))
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    return before


def _restore(threads: int, cv2_threads: int, interval_s: float) -> None:
    from streamer.models.runtime import devices

    devices.set_threads(threads)
    cv2.setNumThreads(cv2_threads)
    sys.setswitchinterval(interval_s)
