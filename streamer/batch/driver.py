"""The loop of a batch: longest first, again what failed, and what fails for good put aside with its reason."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from streamer.batch.attempt import Attempt
from streamer.batch.executor import Ended, Event, Executor, Progress
from streamer.batch.order import Order
from streamer.batch.record import DONE, Record, State, sidecar
from streamer.errors import StreamerError
from streamer.terminal.stopping import Stop

_LOOK_EVERY_S = 0.25
_MOST_LOSSES = 20
"""A video whose machine goes away this often is given up: something else is wrong."""


class Display(Protocol):
    """Shows how a batch goes."""

    def begun(self, slot: int, record: Record, frames: int | None) -> None:
        """A video was given to a slot; ``frames`` is a hint."""
        ...

    def progress(self, slot: int, frames: int) -> None:
        """So many frames of it are done."""
        ...

    def ended(self, slot: int, record: Record) -> None:
        """This is what became of it."""
        ...


@dataclass(frozen=True)
class Limits:
    """What a batch puts up with.

    Attributes:
        retries: How often a video that failed is tried again.
        time_s: The longest that one attempt may take, loading included; None for as long as it needs [s].
    """

    retries: int = 2
    time_s: float | None = None


@dataclass
class _Running:
    order: Order
    began_at_s: float
    losses: int


class Driver:
    """Gives orders to an executor until none is left.

    Args:
        executor: Carries them out.
        records: What is to be done, the longest first.
        order_of: Makes the order of one; asked when its turn comes, because the masks of 10,000 do not fit into memory.
        folder: Where the sidecars lie.
        lengths: How many frames each has, by its name, where that is known.
        limits: When to give up.
        display: Shown how it goes.
        stop: Tells when a signal asks for the end.
        clock: Monotonic clock [s].

    Attributes:
        records: What became of each so far, by its name.
    """

    def __init__(
        self,
        executor: Executor,
        records: Sequence[Record],
        order_of: Callable[[Record], Order],
        folder: Path,
        lengths: dict[str, int],
        limits: Limits,
        display: Display,
        stop: Stop,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.records: dict[str, Record] = {}
        self._executor, self._limits, self._display, self._stop = executor, limits, display, stop
        self._lengths, self._clock = lengths, clock
        self._order_of, self._folder = order_of, folder
        self._waiting = deque((record, 0) for record in records)
        self._running: dict[int, _Running] = {}

    def run(self) -> None:
        """Carry out every order, unless a signal comes; what is under way then is given up, and no attempt counted."""
        try:
            while (self._waiting or self._running) and not self._stop.signalled:
                self._fill()
                for event in self._executor.events(_LOOK_EVERY_S):
                    self._hear(event)
                self._check_time()
        finally:
            self._executor.close()
            for running in self._running.values():
                record = self._left_behind(running.order)
                self.records[record.name] = record

    def _fill(self) -> None:
        for slot in self._executor.free():
            while slot not in self._running and self._waiting:
                record, losses = self._waiting.popleft()
                self._display.begun(slot, record, self._lengths.get(record.name))
                try:
                    order = self._order_of(record)
                except StreamerError as error:  # a mask that was there when the batch began
                    failed = replace(record, state=State.FAILED, reason=str(error), attempts=record.attempts + 1)
                    self._settle(slot, failed, losses)
                    continue
                self._running[slot] = _Running(order, self._clock(), losses)
                self._executor.start(slot, order)

    def _hear(self, event: Event) -> None:
        if event.slot not in self._running:
            return
        if isinstance(event, Progress):
            self._display.progress(event.slot, event.frames)
        elif isinstance(event, Ended):
            self._settle(event.slot, event.record, self._running.pop(event.slot).losses)
        elif event.blameless and self._running[event.slot].losses < _MOST_LOSSES:
            self._begin_again(event.slot, event.reason)
        else:
            self._fail(event.slot, event.reason)

    def _check_time(self) -> None:
        limit_s = self._limits.time_s
        for slot, running in list(self._running.items()):
            if limit_s is not None and self._clock() - running.began_at_s > limit_s:
                self._executor.abandon(slot)
                self._fail(slot, f"it took longer than the time limit of {limit_s:g} s")

    def _fail(self, slot: int, reason: str) -> None:
        """End an attempt whose worker cannot tell of it any more."""
        running = self._running.pop(slot)
        record = self._left_behind(running.order)
        if record.state not in DONE:
            duration_s = round(self._clock() - running.began_at_s, 3)
            attempts = record.attempts + 1
            record = replace(record, state=State.FAILED, reason=reason, attempts=attempts, duration_s=duration_s)
        self._settle(slot, record, running.losses)

    def _left_behind(self, order: Order) -> Record:
        """What a worker that is gone has left: a video done after all, or what it was before."""
        Attempt(order).discard()
        written = Record.read(order.sidecar, order.name, order.source)
        if written.is_done(order.record.fingerprint, self._folder):
            return written
        return replace(order.record, outputs=written.outputs)

    def _settle(self, slot: int, record: Record, losses: int) -> None:
        """Take note of an attempt that has ended; one that failed is tried again after all others, or put aside."""
        if record.state not in DONE:
            if record.attempts > self._limits.retries:
                record = replace(record, state=State.QUARANTINED)
            else:
                self._waiting.append((record, losses))
            record.write(sidecar(self._folder, record.name))
        self.records[record.name] = record
        self._display.ended(slot, record)

    def _begin_again(self, slot: int, reason: str) -> None:
        """Let a video whose machine is gone be done by another; no attempt is counted."""
        running = self._running.pop(slot)
        record = self._left_behind(running.order)
        if record.state in DONE:
            self._settle(slot, record, running.losses)
        else:
            self._waiting.appendleft((record, running.losses + 1))
            self._display.ended(slot, replace(record, reason=reason))
