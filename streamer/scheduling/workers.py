"""Where slow calls run: at once, or in threads of their own while the frames go on."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from streamer.data.running import running

LaneState = Literal["idle", "waiting", "busy"]


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
        """Whether a call runs in the lane ("busy"), is queued behind those of other lanes ("waiting"), or neither."""
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

    in_turns: Collection[str] = ()

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._done: list[Done] = []

    def submit(self, lane: str, key: Hashable, call: Callable[[], Any]) -> Hashable | None:
        self._done.append(_run(lane, key, call, self._clock))
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


class LateWorkers(InlineWorkers):
    """Hands some lanes' results over late by a number of steps: what slow models do live, the same way every time.

    Args:
        late: How many steps, by lane; the results of other lanes come at once.
    """

    def __init__(self, late: Mapping[str, int]) -> None:
        super().__init__()
        self._late, self._steps = late, 0
        self._under_way: dict[str, tuple[int, Done]] = {}

    def step(self) -> None:
        """Another frame has come."""
        self._steps += 1

    def submit(self, lane: str, key: Hashable, call: Callable[[], Any]) -> Hashable | None:
        super().submit(lane, key, call)
        if lane in self._late:
            self._under_way[lane] = self._steps + self._late[lane], self._done.pop()
        return None

    def ready(self, lane: str) -> bool:
        return lane not in self._under_way

    def state(self, lane: str) -> LaneState:
        return "idle" if self.ready(lane) else "busy"

    def finished(self) -> list[Done]:
        due = [lane for lane, (step, _) in self._under_way.items() if step <= self._steps]
        return super().finished() + [self._under_way.pop(lane)[1] for lane in due]


class ThreadedWorkers:
    """One thread per lane, with one call in flight and only the newest one queued.

    Threads are daemons: a model call of several seconds cannot be interrupted, and must not keep a program alive that
    has ended otherwise.

    Args:
        clock: Measures how long calls run [s].
        in_turns: Lanes of which only one runs at a time: two models on one processor would only hinder each other.
        step_back: Lanes whose threads let every other thread of this program go first.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        in_turns: Collection[str] = (),
        step_back: Collection[str] = (),
    ) -> None:
        self.in_turns: Collection[str] = frozenset(in_turns)
        self._clock, self._step_back = clock, frozenset(step_back)
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._done: list[Done] = []
        self._lanes: dict[str, _Lane] = {}

    def submit(self, lane: str, key: Hashable, call: Callable[[], Any]) -> Hashable | None:
        if lane not in self._lanes:
            turn = self._turn if lane in self.in_turns else contextlib.nullcontext()
            prepare = step_back if lane in self._step_back else _as_it_is
            self._lanes[lane] = _Lane(lane, self._report, self._clock, turn, prepare)
        return self._lanes[lane].put(key, call)

    def ready(self, lane: str) -> bool:
        needed = self.in_turns if lane in self.in_turns else {lane}
        return all(self.state(name) == "idle" for name in needed)

    def state(self, lane: str) -> LaneState:
        return self._lanes[lane].state if lane in self._lanes else "idle"

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
    def __init__(
        self,
        name: str,
        report: Callable[[Done], None],
        clock: Callable[[], float],
        turn: contextlib.AbstractContextManager[Any],
        prepare: Callable[[], None],
    ) -> None:
        self._name, self._report, self._clock = name, report, clock
        self._turn, self._prepare = turn, prepare
        self._changed = threading.Condition()
        self._queued: tuple[Hashable, Callable[[], Any]] | None = None
        self._running = self._stopped = False
        self.thread = threading.Thread(target=self._loop, name=f"streamer-{name}", daemon=True)
        self.thread.start()

    @property
    def state(self) -> LaneState:
        with self._changed:
            if self._running:
                return "busy"
            return "idle" if self._queued is None else "waiting"

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
        self._prepare()
        while self._wait():
            with self._turn:
                # Taken only now: whatever came while the others had their turn is newer.
                with self._changed:
                    if self._queued is None:
                        continue
                    (key, call), self._queued, self._running = self._queued, None, True
                with running(self._name):
                    done = _run(self._name, key, call, self._clock)
            # Reported before the lane is free again, so that "ready" never runs ahead of "finished".
            self._report(done)
            with self._changed:
                self._running = False

    def _wait(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._queued is not None or self._stopped)
            return not self._stopped


def step_back(nice: int = 10) -> None:
    """Let every other thread of this program go first; threads started by this one step back as well.

    Only Linux knows priorities of single threads; elsewhere nothing happens.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        lowest = min(19, os.getpriority(os.PRIO_PROCESS, thread) + nice)
        os.setpriority(os.PRIO_PROCESS, thread, lowest)


def _as_it_is() -> None:
    """Leave a thread's priority alone."""
