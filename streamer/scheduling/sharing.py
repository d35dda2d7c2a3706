"""The processor shared between the frame loop and the models, for as long as any run goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock

import cv2

from streamer.data.cores import core_count

_SWITCH_INTERVAL_S = 0.001
"""The frame loop asks for the interpreter after every call of OpenCV; by default it waits up to 5 ms for it."""

_lock = Lock()
_sharers = 0
_puts_back: dict[str, Callable[[], object]] = {}
"""By what was set for the time of sharing."""


@contextmanager
def sharing_processor(live: bool = True) -> Iterator[None]:
    """For the time of a run: a live one leaves its frame loop a core, and the interpreter whenever it asks.

    These are settings of the whole process: the first live run makes them, and the last run puts back what was before.
    The models' part is `share_models`: they may not be there yet.
    """
    global _sharers
    with _lock:
        if live and "cv2" not in _puts_back:
            _puts_back["cv2"] = partial(cv2.setNumThreads, cv2.getNumThreads())
            _puts_back["interpreter"] = partial(sys.setswitchinterval, sys.getswitchinterval())
            cv2.setNumThreads(max(1, core_count() // 2))
            sys.setswitchinterval(_SWITCH_INTERVAL_S)
        _sharers += 1
    try:
        yield
    finally:
        with _lock:
            _sharers -= 1
            if _sharers == 0:
                for put_back in _puts_back.values():
                    put_back()
                _puts_back.clear()


def share_models(threads: int | None = None) -> None:
    """Let the models compute on that many cores (all but one if None) while any such run goes on.

    Imports torch. The first call of a time of sharing counts, and the last run puts back what was before.
    """
    from streamer.models.runtime import devices

    with _lock:
        if _sharers == 0 or "models" in _puts_back:
            return
        before = devices.thread_count()
        _puts_back["models"] = partial(devices.set_threads, before)
        devices.set_threads(threads or min(before, core_count() - 1))
