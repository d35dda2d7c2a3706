"""Workers in processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from streamer.batch.executor import Ended, Event, Lost, Progress
from streamer.batch.order import Order
from streamer.batch.record import Record

_TOLD_EVERY_S = 0.5
_PATIENCE_S = 5.0
"""How long a process that was told to end may take [s]."""


class Processes:
    """An executor of local processes. Each loads its models once and is given one video after the other.

    Args:
        slots: How many.
        cores_each: Processor cores of each.
    """

    def __init__(self, slots: int, cores_each: int) -> None:
        self._slots = slots
        self._busy: set[int] = set()
        self._cores_each = cores_each
        # Neither torch nor CUDA survive a fork.
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[int, tuple[BaseProcess, Connection]] = {}

    def free(self) -> Sequence[int]:
        return [slot for slot in range(self._slots) if slot not in self._busy]

    def start(self, slot: int, order: Order) -> None:
        self._busy.add(slot)
        if slot not in self._workers:
            self._workers[slot] = self._begin(slot)
        with suppress(OSError):  # it has just died, which is told among the events
            self._workers[slot][1].send(order)

    def events(self, timeout_s: float) -> Sequence[Event]:
        return [self._heard(slot) for slot in self._ready(timeout_s)]

    def _ready(self, timeout_s: float) -> list[int]:
        """Slots whose worker has something to say, its end included."""
        if not self._workers:
            time.sleep(timeout_s)
        ready = wait([connection for _, connection in self._workers.values()], timeout_s)
        return [slot for slot, (_, connection) in self._workers.items() if connection in ready]

    def abandon(self, slot: int) -> None:
        self._busy.discard(slot)
        process, connection = self._workers.pop(slot)
        process.kill()
        process.join(_PATIENCE_S)
        connection.close()

    def close(self) -> None:
        for slot in list(self._workers):
            self.abandon(slot)

    def _begin(self, slot: int) -> tuple[BaseProcess, Connection]:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_work, args=(theirs, self._cores_each), name=f"streamer worker {slot + 1}", daemon=True
        )
        process.start()
        theirs.close()
        return process, ours

    def _heard(self, slot: int) -> Event:
        process, connection = self._workers[slot]
        try:
            said = connection.recv()
        except (EOFError, OSError):
            process.join(_PATIENCE_S)
            reason = _end_of(process.exitcode)
            self.abandon(slot)
            return Lost(slot, reason)
        if isinstance(said, Record):
            self._busy.discard(slot)
            if said.traceback is not None:  # what went wrong inside may have left the models in any state
                self.abandon(slot)
            return Ended(slot, said)
        return Progress(slot, said)


def _end_of(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"its process was killed ({name}{', as when memory runs out' if name == 'SIGKILL' else ''})"
    return f"its process ended by itself (code {code})"


def _work(driver: Connection, cores_each: int) -> None:
    """The life of a worker process: orders in, figures and records out, until the driver is gone."""
    for name in ("SIGINT", "SIGHUP"):  # the driver hears them as well, and decides
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_end_with_driver, daemon=True).start()
    from streamer.batch.worker import Worker

    worker, told_at_s = Worker(cores_each), 0.0

    def told(frames: int) -> None:
        nonlocal told_at_s
        if time.monotonic() - told_at_s >= _TOLD_EVERY_S:
            told_at_s = time.monotonic()
            driver.send(frames)

    with suppress(EOFError, OSError):
        while True:
            driver.send(worker.annotate(driver.recv(), told))
    os._exit(0)


def _end_with_driver() -> None:
    """A driver that was killed leaves nobody behind who works on what the next one begins."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
