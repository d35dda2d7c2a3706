"""Workers on the machines of a Ray cluster, which share their disks and have streamer installed."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamer.batch.executor import Ended, Event, Lost, Progress
from streamer.batch.order import Order
from streamer.batch.record import Record
from streamer.errors import ConfigError

_ASK_EVERY_S = 1.0
_ANSWER_S = 10.0
"""How long a cluster may take to answer at all [s]."""
_MOST_FAILURES = 10
"""Actors that may die without anything to do before something is wrong with all of them."""


@dataclass
class _Slot:
    """An actor, what it does, what it was last asked, and where it runs, once it does."""

    actor: Any
    asked: Any
    answer: Any = None
    node: str | None = None


class RayActors:
    """An executor of Ray actors. Each loads its models once and is given one video after the other.

    Actors that find no room wait for it and are given nothing, so a cluster may shrink and grow meanwhile. Where a
    machine goes away, as spot machines do, what its actors were doing is told as lost without their fault, and others
    take their place.

    Args:
        address: Of the cluster; ``auto`` for the one of this machine.
        slots: How many actors; None for as many as there is room for now.
        cores_each: Processor cores of each.
        gpus_each: GPUs of each, which may be a part of one.
        most: More actors than this have nothing to do; None for no such bound.

    Raises:
        ConfigError: Ray is not installed, or there is no cluster.
    """

    def __init__(
        self, address: str, slots: int | None, cores_each: int, gpus_each: float = 0.0, most: int | None = None
    ) -> None:
        self._ray = _connected(address)
        resources = {"num_cpus": cores_each} | ({"num_gpus": gpus_each} if gpus_each else {})
        self._actor = self._ray.remote(concurrency_groups={"asking": 1})(Actor).options(**resources)
        self._arguments = os.getcwd(), cores_each
        wanted = slots or self._room(cores_each, gpus_each)
        self._count = wanted if most is None else min(wanted, most)
        self._slots: dict[int, _Slot] = {}
        self._failed = 0
        self._ask_at_s = 0.0

    def free(self) -> Sequence[int]:
        for slot in range(self._count):
            if slot not in self._slots:
                actor = self._actor.remote(*self._arguments)
                self._slots[slot] = _Slot(actor, _asked(actor))
        return [slot for slot, each in self._slots.items() if each.node is not None and each.answer is None]

    def start(self, slot: int, order: Order) -> None:
        self._slots[slot].answer = self._slots[slot].actor.annotate.remote(order)

    def events(self, timeout_s: float) -> Sequence[Event]:
        busy = {each.answer: slot for slot, each in self._slots.items() if each.answer is not None}
        questions = [each.asked for each in self._slots.values() if each.asked is not None]
        ready, _ = self._ray.wait([*busy, *questions], timeout=timeout_s)
        told = self._progress()
        return [*told, *(self._ended(busy[answer]) for answer in ready if answer in busy)]

    def abandon(self, slot: int) -> None:
        self._ray.kill(self._slots.pop(slot).actor)

    def close(self) -> None:
        for slot in list(self._slots):
            self.abandon(slot)
        self._ray.shutdown()

    def _ended(self, slot: int) -> Event:
        each = self._slots[slot]
        answer, each.answer = each.answer, None
        try:
            record: Record = self._ray.get(answer)
        except self._ray.exceptions.RayError as error:
            self.abandon(slot)
            gone = self._went_with_its_machine(each, error)
            reason = "its machine went away" if gone else f"its worker died ({_last_line(error)})"
            return Lost(slot, reason, blameless=gone)
        if record.traceback is not None:  # what went wrong inside may have left the models in any state
            self.abandon(slot)
        return Ended(slot, record)

    def _progress(self) -> list[Event]:
        """What actors that were asked have answered; those that were not are asked now and then."""
        told: list[Event] = []
        for slot, each in list(self._slots.items()):
            if each.asked is None or not self._ray.wait([each.asked], timeout=0)[0]:
                continue
            asked, each.asked = each.asked, None
            try:
                frames, each.node = self._ray.get(asked)
            except self._ray.exceptions.RayError as error:
                if each.answer is None:  # else its answer tells that it is gone
                    self._gone(slot, error)
                continue
            if each.answer is not None:
                told.append(Progress(slot, frames))
        if time.monotonic() >= self._ask_at_s:
            self._ask_at_s = time.monotonic() + _ASK_EVERY_S
            for each in self._slots.values():
                each.asked = each.asked or _asked(each.actor)
        return told

    def _gone(self, slot: int, error: Exception) -> None:
        """Do without an actor that had nothing to do.

        Raises:
            ConfigError: One after the other goes, so that there is no use in trying.
        """
        del self._slots[slot]
        self._failed += 1
        if self._failed > _MOST_FAILURES:
            raise ConfigError(f"No worker can live on the Ray cluster ({_last_line(error)}): look at its logs.")

    def _went_with_its_machine(self, slot: _Slot, error: Exception) -> bool:
        """Whether it was not the worker that failed. The cluster takes some 15 s to miss a machine that falls silent,
        but the connection breaks at once, and to a worker that dies by itself it does not break without a word."""
        if isinstance(error, self._ray.exceptions.ActorUnavailableError):
            return True
        return slot.node is not None and slot.node not in {
            each["NodeID"] for each in self._ray.nodes() if each["Alive"]
        }

    def _room(self, cores_each: int, gpus_each: float) -> int:
        free = self._ray.cluster_resources()
        places = [int(free.get("CPU", 0) // cores_each)]
        places += [int(free.get("GPU", 0) / gpus_each)] if gpus_each else []
        if min(places) < 1:
            raise ConfigError(f"The Ray cluster has no room for a worker of {cores_each} cores and {gpus_each:g} GPUs.")
        return min(places)


class Actor:
    """What runs on the cluster: a `Worker` that can be asked how far it is while it works.

    Args:
        folder: Paths count from here, as they do for the driver.
        cores_each: Processor cores it may use.
    """

    def __init__(self, folder: str, cores_each: int) -> None:
        if not Path(folder).is_dir():
            raise ConfigError(f"There is no folder {folder} on this machine of the cluster: share it with all of them.")
        os.chdir(folder)
        from streamer.batch.worker import Worker

        self._worker = Worker(cores_each)
        self._frames = 0

    def annotate(self, order: Order) -> Record:
        """Carry out an order; see :meth:`Worker.annotate`."""
        self._frames = 0
        return self._worker.annotate(order, self._tell)

    def state(self) -> tuple[int, str]:
        """Frames of the present video that are done, and the machine that it runs on."""
        import ray

        return self._frames, ray.get_runtime_context().get_node_id()

    def _tell(self, frames: int) -> None:
        self._frames = frames


def _asked(actor: Any) -> Any:
    return actor.state.options(concurrency_group="asking").remote()


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]


def _connected(address: str) -> Any:
    # What the machines of the cluster have installed is what runs there.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    try:
        import ray
    except ImportError:
        raise ConfigError("--ray needs Ray: `pip install 'streamer[ray]'`.") from None
    try:
        _knock(address)
        ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False, ignore_reinit_error=True)
    except (ConnectionError, TimeoutError, RuntimeError, ValueError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"There is no Ray cluster at {address} ({reason}): start one with `ray start --head`, or leave --ray out."
        ) from None
    return ray


def _knock(address: str) -> None:
    """Find out whether anybody listens at an address: Ray itself would ask for minutes.

    Raises:
        OSError: Nobody does.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S).close()
