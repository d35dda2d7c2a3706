"""How far a model's thread steps back: behind the frame loop while that is the only one who wants the processor."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamer.data.cores import core_count

_STARVED, _SERVED = 0.75, 0.5
"""Shares of its time that a call waits for a processor. Ten steps behind, beside one busy process on two cores, it is
about a half, and the frame loop keeps its rate; beside eight nine tenths of it would be waiting at usual priority, and
all but a fortieth ten steps behind."""
_OURS = 0.8
"""Share of the machine beyond which whoever waits waits for this program itself."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What has been spent so far [s]: by this thread, by the program on all cores, and by the clock.

    Attributes:
        ran_s: Time that this thread had a processor.
        waited_s: Time that it wanted one and others had it.
        program_s: Processor time of the program.
        clock_s: Time since whenever.
    """

    ran_s: float
    waited_s: float
    program_s: float
    clock_s: float

    @staticmethod
    def now() -> Spent | None:
        """For the calling thread; None where the system does not tell."""
        try:
            ran_ns, waited_ns, _ = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_text().split()
        except (OSError, ValueError):
            return None
        return Spent(int(ran_ns) / 1e9, int(waited_ns) / 1e9, time.process_time(), time.monotonic())


class Niceness:
    """How far the thread of some calls steps back, learned from how the calls before were served.

    `nice` counts against every program of the machine: beside eight busy ones on two cores, a thread that is ten steps
    behind gets a fortieth of a core, and its masks would be many seconds old. So threads step back only while they
    are not starved by that.

    A thread cannot take back a priority that it gave away, and those that it has started for torch keep theirs: where
    `steps` changes, another thread has to make the next call.

    Args:
        most: How far to step back while others leave the machine alone; 0 for never.
        spent: Tells what the calling thread has spent.
        cores: Cores that this program may use; None for all there are.

    Attributes:
        steps: How far to step back now.
    """

    def __init__(self, most: int, spent: Callable[[], Spent | None] = Spent.now, cores: int | None = None) -> None:
        self.steps = 0
        self._most, self._spent, self._cores = most, spent, cores or core_count()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """See how a call of the calling thread is served, and draw the conclusion."""
        before = self._spent() if self._most else None
        yield
        after = None if before is None else self._spent()
        if before is None or after is None:
            return
        waited_s, ran_s = after.waited_s - before.waited_s, after.ran_s - before.ran_s
        waiting = waited_s / max(waited_s + ran_s, 1e-9)
        machine_s = (after.clock_s - before.clock_s) * self._cores
        alone = after.program_s - before.program_s > _OURS * machine_s
        if alone or waiting < _SERVED:
            self.steps = self._most
        elif waiting > _STARVED:
            self.steps = 0


def step_back(nice: int = 10) -> None:
    """Let every other thread of the machine go first; threads started by this one step back as well.

    Only Linux knows priorities of single threads; elsewhere nothing happens.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        lowest = min(19, os.getpriority(os.PRIO_PROCESS, thread) + nice)
        os.setpriority(os.PRIO_PROCESS, thread, lowest)
