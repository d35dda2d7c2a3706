"""Who carries out orders: a number of slots, each with a worker that does one order at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from streamer.batch.order import Order
from streamer.batch.record import Record


@dataclass(frozen=True, slots=True)
class Progress:
    """So many frames of the order in that slot are done."""

    slot: int
    frames: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The order in that slot was carried out, or failed in order."""

    slot: int
    record: Record


@dataclass(frozen=True, slots=True)
class Lost:
    """The worker in that slot is gone, and with it what it was doing; the slot has a new one.

    Attributes:
        reason: What is known of its end, in one sentence.
        blameless: Whether it was the machine that went rather than the worker.
    """

    slot: int
    reason: str
    blameless: bool = False


Event = Progress | Ended | Lost


class Executor(Protocol):
    """Carries out orders on a number of workers, which may be lost at any time."""

    def free(self) -> Sequence[int]:
        """The slots that can be given an order now."""
        ...

    def start(self, slot: int, order: Order) -> None:
        """Give an order to a slot that is free."""
        ...

    def events(self, timeout_s: float) -> Sequence[Event]:
        """What has happened; waits at most this long for something [s]."""
        ...

    def abandon(self, slot: int) -> None:
        """End the worker in that slot, whatever it does, and let another take its place. Nothing is told of it."""
        ...

    def close(self) -> None:
        """End all workers at once."""
        ...
