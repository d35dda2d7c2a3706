"""Slow calls in threads of their own while the frames go on: one thread per lane."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from streamer.data.running import running
from streamer.scheduling.niceness import Niceness, step_back
from streamer.scheduling.turns import Turns
from streamer.scheduling.workers import Done, LaneState, run_call


class ThreadedWorkers:
    """One thread per lane, with one call in flight and only the newest one queued.

    Threads are daemons: a model call of several seconds cannot be interrupted, and must not keep a program alive that
    has ended otherwise.

    Args:
        clock: Measures how long calls run [s].
        in_turns: Lanes of which only one runs at a time: two models on one processor would only hinder each other.
        step_back: Lanes whose threads let every other thread go first while the machine is this program's.
        nice: By how much they do; 0 for not at all. See `Niceness`.
        turns: Shared with other workers, so that of all their calls in one lane, or in lanes ``in_turns``, one runs at
            a time; by the lane's name, and ``""`` for those that take turns. None shares nothing.

    Attributes:
        in_turns: See above; may be emptied where it turns out that models do not hinder each other.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        in_turns: Collection[str] = (),
        step_back: Collection[str] = (),
        nice: int = 10,
        turns: MutableMapping[str, Turns] | None = None,
    ) -> None:
        self.in_turns: Collection[str] = frozenset(in_turns)
        self._clock, self._step_back, self._nice = clock, frozenset(step_back), nice
        self._turns: MutableMapping[str, Turns] = defaultdict(Turns) if turns is None else turns
        self._shares = turns is not None
        self._lock = threading.Lock()
        self._done: list[Done] = []
        self._lanes: dict[str, _Lane] = {}

    def submit(self, lane: str, key: Hashable, call: Callable[[], Any]) -> Hashable | None:
        return self._lane(lane).put(key, call)

    def prepare(self, lane: str, call: Callable[[], Any]) -> None:
        """Keep a lane closed until this call has ended in its thread. What it raises comes back as of any call."""
        self._lane(lane).put(_Preparation(), call)

    def ready(self, lane: str) -> bool:
        needed = self.in_turns if lane in self.in_turns else {lane}
        turns = self._turns_of(lane)
        return all(self.state(name) == "idle" for name in needed) and (turns is None or turns.may_start(self))

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
            lane.join(max(0.0, deadline - time.monotonic()))

    def _lane(self, name: str) -> _Lane:
        if name not in self._lanes:
            nice = self._nice if name in self._step_back else 0
            self._lanes[name] = _Lane(name, self._report, self._clock, partial(self._turn, name), nice)
        return self._lanes[name]

    def _turns_of(self, lane: str) -> Turns | None:
        if lane in self.in_turns:
            return self._turns[""]
        return self._turns[lane] if self._shares and lane in self._step_back else None

    def _turn(self, lane: str) -> contextlib.AbstractContextManager[Any]:
        turns = self._turns_of(lane)
        return contextlib.nullcontext() if turns is None else turns.turn(self)

    def _report(self, done: Done) -> None:
        with self._lock:
            self._done.append(done)


@dataclass(frozen=True, eq=False)
class _Preparation:
    """The key of a call that nobody waits for."""


class _Lane:
    """One call in flight and one queued, in a thread; another one follows it where the priority is to be another."""

    def __init__(
        self,
        name: str,
        report: Callable[[Done], None],
        clock: Callable[[], float],
        turn: Callable[[], contextlib.AbstractContextManager[Any]],
        nice: int,
    ) -> None:
        self._name, self._report, self._clock = name, report, clock
        self._turn, self._niceness = turn, Niceness(nice)
        self._changed = threading.Condition()
        self._queued: tuple[Hashable, Callable[[], Any]] | None = None
        self._running = self._stopped = False
        self._preparing = False
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> LaneState:
        with self._changed:
            if self._preparing:
                return "loading"
            if self._running:
                return "busy"
            return "idle" if self._queued is None else "waiting"

    def put(self, key: Hashable, call: Callable[[], Any]) -> Hashable | None:
        with self._changed:
            replaced = None if self._queued is None else self._queued[0]
            self._queued = key, call
            self._preparing = self._preparing or isinstance(key, _Preparation)
            if self._thread is None:
                # Started here, since it inherits the priority of whoever starts it.
                self._thread = threading.Thread(target=self._loop, name=f"streamer-{self._name}", daemon=True)
                self._thread.start()
            self._changed.notify()
        return replaced

    def join(self, timeout_s: float) -> None:
        with self._changed:
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)

    def stop(self) -> None:
        with self._changed:
            self._stopped, self._queued = True, None
            self._changed.notify()

    def _loop(self) -> None:
        steps = self._niceness.steps
        step_back(steps)
        while self._wait(last=self._niceness.steps != steps):
            with self._turn():
                # Taken only now: whatever came while the others had their turn is newer.
                with self._changed:
                    if self._queued is None:
                        continue
                    (key, call), self._queued, self._running = self._queued, None, True
                watched = contextlib.nullcontext() if isinstance(key, _Preparation) else self._niceness.watched()
                with running(self._name), watched:
                    done = run_call(self._name, key, call, self._clock)
            # Reported before the lane is free again, so that "ready" never runs ahead of "finished".
            self._report(done)
            with self._changed:
                self._running = self._preparing = False

    def _wait(self, last: bool) -> bool:
        """Wait for the next call; False where there will be none for this thread: it was its ``last``, or the end."""
        with self._changed:
            if last and self._queued is None:
                self._thread = None
                return False
            self._changed.wait_for(lambda: self._queued is not None or self._stopped)
            return not self._stopped
