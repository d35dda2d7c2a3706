"""Where slow calls run: at once, or in threads of their own while the frames go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Protocol


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
    """Runs calls in named lanes and hands back what they returned."""

    def submit(self, lane: str, key: Hashable, call: Callable[[], Any]) -> Hashable | None:
        """Start a call, or queue it behind the one that runs. Returns the key of a queued call that it replaced."""
        ...

    def ready(self, lane: str) -> bool:
        """Whether a call submitted now would start at once."""
        ...

    def finished(self) -> list[Done]:
        """The calls that ended since the last look, in the order in which they ended."""
        ...

    def close(self, timeout_s: float = 0.5) -> None:
        """Take no more calls, and wait so long for the ones that run. They are left behind if they take longer."""
        ...


def _run(lane: str, key: Hashable, call: Callable[[], Any], clock: Callable[[], float]) -> Done:
    start = clock()
    value, error = None, None
    try:
        value = call()
    except Exception as raised:
        error = raised
    return Done(lane, key, value, error, (clock() - start) * 1000)


class InlineWorkers:
    """Runs every call when it is submitted: deterministic, for files and tests."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._done: list[Done] = []

    def submit(self, lane: str, key: Hashable, call: Callable[[], Any]) -> Hashable | None:
        self._done.append(_run(lane, key, call, self._clock))
        return None

    def ready(self, lane: str) -> bool:
        return True

    def finished(self) -> list[Done]:
        done, self._done = self._done, []
        return done

    def close(self, timeout_s: float = 0.5) -> None:
        self._done.clear()


class ThreadedWorkers:
    """One thread per lane, with one call in flight and only the newest one queued.

    Threads are daemons: a model call of several seconds cannot be interrupted, and must not keep a program alive that
    has ended otherwise.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._done: list[Done] = []
        self._lanes: dict[str, _Lane] = {}

    def submit(self, lane: str, key: Hashable, call: Callable[[], Any]) -> Hashable | None:
        if lane not in self._lanes:
            self._lanes[lane] = _Lane(lane, self._report, self._clock)
        return self._lanes[lane].put(key, call)

    def ready(self, lane: str) -> bool:
        return lane not in self._lanes or self._lanes[lane].idle

    def finished(self) -> list[Done]:
        with self._lock:
            done, self._done = self._done, []
        return done

    def close(self, timeout_s: float = 0.5) -> None:
        for lane in self._lanes.values():
            lane.stop()
        deadline = time.monotonic() + timeout_s
        for lane in self._lanes.values():
            lane.thread.join(max(0.0, deadline - time.monotonic()))

    def _report(self, done: Done) -> None:
        with self._lock:
            self._done.append(done)


class _Lane:
    def __init__(self, name: str, report: Callable[[Done], None], clock: Callable[[], float]) -> None:
        self._name, self._report, self._clock = name, report, clock
        self._changed = threading.Condition()
        self._queued: tuple[Hashable, Callable[[], Any]] | None = None
        self._running = self._stopped = False
        self.thread = threading.Thread(target=self._loop, name=f"streamer-{name}", daemon=True)
        self.thread.start()

    @property
    def idle(self) -> bool:
        with self._changed:
            return not self._running and self._queued is None

    def put(self, key: Hashable, call: Callable[[], Any]) -> Hashable | None:
        with self._changed:
            replaced = None if self._queued is None else self._queued[0]
            self._queued = key, call
            self._changed.notify()
        return replaced

    def stop(self) -> None:
        with self._changed:
            self._stopped, self._queued = True, None
            self._changed.notify()

    def _loop(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queued is not None or self._stopped)
                if self._queued is None:
                    return
                (key, call), self._queued, self._running = self._queued, None, True
            done = _run(self._name, key, call, self._clock)
            # Reported before the lane is free again, so that "ready" never runs ahead of "finished".
            self._report(done)
            with self._changed:
                self._running = False
