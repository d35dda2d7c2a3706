"""Slow calls in threads of their own while the frames go on: one thread per lane."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Hashable
from typing import Any

from streamer.data.running import running
from streamer.scheduling.workers import Done, LaneState, run_call


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
            self._lanes[lane] = _Lane(lane, self._report, self._clock, turn, lane in self._step_back)
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
        steps_back: bool,
    ) -> None:
        self._name, self._report, self._clock = name, report, clock
        self._turn, self._steps_back = turn, steps_back
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
        if self._steps_back:
            step_back()
        while self._wait():
            with self._turn:
                # Taken only now: whatever came while the others had their turn is newer.
                with self._changed:
                    if self._queued is None:
                        continue
                    (key, call), self._queued, self._running = self._queued, None, True
                with running(self._name):
                    done = run_call(self._name, key, call, self._clock)
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
