"""Where slow calls run: what all workers have in common, and those that run a call at once.

In threads of their own, while the frames go on: :mod:`streamer.scheduling.threads`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

LaneState = Literal["idle", "waiting", "busy", "loading"]


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """A call that has ended.

    Attributes:
        lane: Which queue it ran in.
        key: What the caller knows it by.
        value: What it returned.
        error: What it raised, or None.
        elapsed_ms: How long it ran [ms]; waiting in the queue not counted.
    """

    lane: str
    key: Hashable
    value: Any
    error: BaseException | None
    elapsed_ms: float


class Workers(Protocol):
    """Runs calls in named lanes and hands back what they returned.

    Attributes:
        in_turns: Lanes of which only one runs at a time.
    """

    in_turns: Collection[str]

    def submit(self, lane: str, key: Hashable, call: Callable[[], Any]) -> Hashable | None:
        """Start a call, or queue it behind the one that runs. Returns the key of a queued call that it replaced."""
        ...

    def ready(self, lane: str) -> bool:
        """Whether a call submitted now would start at once."""
        ...

    def state(self, lane: str) -> LaneState:
        """Whether a call runs in the lane ("busy"), is queued behind those of others ("waiting"), or neither ("idle").

        "loading" while the lane is not open yet because its model is not there.
        """
        ...

    def finished(self) -> list[Done]:
        """The calls that ended since the last look, in the order in which they ended."""
        ...

    def close(self, timeout_s: float = 0.5) -> None:
        """Take no more calls, and wait so long for the ones that run. They are left behind if they take longer."""
        ...


def run_call(lane: str, key: Hashable, call: Callable[[], Any], clock: Callable[[], float]) -> Done:
    """Run a call now; what it raises is told in what comes back."""
    start = clock()
    value, error = None, None
    try:
        value = call()
    except Exception as raised:
        error = raised
    return Done(lane, key, value, error, (clock() - start) * 1000)


class InlineWorkers:
    """Runs every call when it is submitted: deterministic, for files and tests."""

    in_turns: Collection[str] = ()

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._done: list[Done] = []

    def submit(self, lane: str, key: Hashable, call: Callable[[], Any]) -> Hashable | None:
        self._done.append(run_call(lane, key, call, self._clock))
        return None

    def ready(self, lane: str) -> bool:
        return True

    def state(self, lane: str) -> LaneState:
        return "idle"

    def finished(self) -> list[Done]:
        done, self._done = self._done, []
        return done

    def close(self, timeout_s: float = 0.5) -> None:
        self._done.clear()
