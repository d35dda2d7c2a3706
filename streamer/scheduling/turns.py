"""Whose turn it is: one slow call at a time among several runs that share their models."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

_PATIENCE_S = 0.25
"""Who has not asked for so long is waiting no longer: its camera gives less than four frames a second, or none."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class _Claim:
    """How one run stands: when it last asked and was last served [s], and whether it has let its chance pass."""

    asked_at_s: float = 0.0
    served_at_s: float = -float("inf")
    passed: bool = False


class Turns:
    """One slow call at a time; of those who ask, the one that was served longest ago goes first.

    Nobody is queued with a call in hand: a run asks on each of its frames and makes its call only when it may start,
    so that the call is about the frame that is newest then. Who may start and does not has let its chance pass until
    somebody else has had a turn.

    Args:
        clock: Monotonic clock [s].
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._calling = threading.Lock()
        self._claims: WeakKeyDictionary[object, _Claim] = WeakKeyDictionary()

    def may_start(self, run: object) -> bool:
        """Whether a call of this run would start at once, without going ahead of one that has waited longer."""
        with self._lock:
            claim, now_s = self._claims.setdefault(run, _Claim()), self._clock()
            claim.asked_at_s = now_s
            if self._calling.locked():
                return False
            waiting = [
                other
                for other in self._claims.values()
                if other is not claim and not other.passed and now_s - other.asked_at_s < _PATIENCE_S
            ]
            claim.passed = all(other.served_at_s >= claim.served_at_s for other in waiting)
            return claim.passed

    @contextmanager
    def turn(self, run: object) -> Iterator[None]:
        """Wait until nobody else calls, and be the one who does."""
        with self._calling:
            with self._lock:
                for claim in self._claims.values():
                    claim.passed = False
            try:
                yield
            finally:
                with self._lock:
                    self._claims.setdefault(run, _Claim()).served_at_s = self._clock()
