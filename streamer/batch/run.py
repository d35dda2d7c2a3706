"""``streamer batch``: what is left to do is found out, done, and summed up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from streamer.batch.driver import Driver, Limits
from streamer.batch.executor import Executor
from streamer.batch.listing import Entry
from streamer.batch.order import Order
from streamer.batch.record import DONE, Record, State, sidecar
from streamer.batch.summary import summary_of, write_summary
from streamer.errors import PartialError, SinkError
from streamer.sinks.outputs import Claim, make_folder
from streamer.sources.length import frames_in
from streamer.terminal.batch_progress import BatchConsole
from streamer.terminal.console import Terminal
from streamer.terminal.stopping import INTERRUPTED, Stop

_AT_ONCE = 8
"""Headers that are read side by side: on network disks most of the time is waiting."""


@dataclass(frozen=True)
class Batch:
    """What a batch is to do.

    Attributes:
        entries: The videos, those of other shards left out.
        order_of: Makes the order of one of them from what is known of it and the folder of records; raises where it is
            said wrongly.
        records: The folder for sidecars and summary.
        summary: The summary's file.
        limits: When to give up.
        resume: Whether what is done already is left as it is.
        join: Puts together what belongs together, of what became of everything; None where each entry is whole.
    """

    entries: Sequence[Entry]
    order_of: Callable[[Entry, Record, Path], Order]
    records: Path
    summary: Path
    limits: Limits
    resume: bool = True
    join: Callable[[dict[str, Record], Terminal], dict[str, Record]] | None = None


def run_batch(batch: Batch, executor: Callable[[int], Executor], terminal: Terminal) -> int:
    """Do what is left to do of a batch.

    Args:
        batch: What to do.
        executor: Made with the number of videos that there are to be done.
        terminal: Told what the person shall know.

    Returns:
        Exit code: 0, or 130 when it was interrupted.

    Raises:
        PartialError: Some videos are damaged or were put aside; all others are done.
        StreamerError: What is asked for cannot be done.
    """
    make_folder(batch.records)
    with _alone(batch):
        return _run(batch, executor, terminal)


@contextmanager
def _alone(batch: Batch) -> Iterator[None]:
    """Keep a second run away from the same part of the same batch; what a killed one left behind goes."""
    mark = batch.summary.with_suffix(".running")
    try:
        claim = Claim(mark)
    except SinkError:
        raise SinkError(f"Another batch is at work on {batch.records}: wait for its end, or choose another.") from None
    try:
        yield
    finally:
        for left in mark.parent.glob(f"{mark.stem}.partial*{mark.suffix}"):
            left.unlink(missing_ok=True)
        claim.release()


def _run(batch: Batch, executor: Callable[[int], Executor], terminal: Terminal) -> int:
    entries = {entry.name: entry for entry in batch.entries}

    def order_of(record: Record) -> Order:
        return batch.order_of(entries[record.name], record, batch.records)

    with terminal.busy(f"looking at {len(batch.entries)} videos"):
        known, left = _left_to_do(batch)
        lengths = _lengths(left)
    longest = max(lengths.values(), default=0)
    left.sort(key=lambda record: -lengths.get(record.name, longest))
    states = Counter(str(record.state) for record in known.values())
    terminal.say(_plan(states, len(left), sum(lengths.values())))
    began_at_s = time.monotonic()
    console = BatchConsole(lengths, len(left), states.copy(), terminal.console)
    records: dict[str, Record] = {}
    with Stop() as stop:
        if left:
            driver = Driver(
                executor(len(left)),
                left,
                order_of,
                batch.records,
                lengths=lengths,
                limits=batch.limits,
                display=_Shown(console),
                stop=stop,
            )
            with console:
                try:
                    driver.run()
                finally:
                    records = driver.records
        untouched = {record.name: record for record in left}
        every = untouched | known | records
        if batch.join is not None:
            every = batch.join(every, terminal)
        frames = sum(record.frames for record in records.values() if record.state in DONE)
        summary = summary_of([every[name] for name in sorted(every)], time.monotonic() - began_at_s, frames)
        write_summary(batch.summary, summary)
        return _told(batch, list(every.values()), stop, terminal)


def _left_to_do(batch: Batch) -> tuple[dict[str, Record], list[Record]]:
    """What is settled already, by name, and what is not."""
    settled: dict[str, Record] = {}
    left = []
    for entry in batch.entries:
        before = Record.read(sidecar(batch.records, entry.name), entry.name, entry.source)
        now = batch.order_of(entry, before, batch.records).record
        same = batch.resume and before.fingerprint == now.fingerprint
        given_up = before.state not in DONE and before.attempts > batch.limits.retries
        if same and (before.is_done(now.fingerprint, batch.records) or given_up):
            settled[entry.name] = before
        else:
            attempts = before.attempts if same and before.state not in DONE else 0
            left.append(replace(now, state=State.WAITING, attempts=attempts))
    return settled, left


def _lengths(records: Sequence[Record]) -> dict[str, int]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        lengths = pool.map(frames_in, [record.source for record in records])
    return {record.name: length for record, length in zip(records, lengths, strict=True) if length}


def _plan(states: Counter[str], left: int, frames: int) -> str:
    before = "".join(f", {count} {state} before" for state, count in sorted(states.items()))
    return f"{left} videos to do, about {frames} frames{before}."


class _Shown:
    """Tells the console what the driver does."""

    def __init__(self, console: BatchConsole) -> None:
        self._console = console

    def begun(self, slot: int, record: Record, frames: int | None) -> None:
        self._console.begin(slot, record.name, frames)

    def progress(self, slot: int, frames: int) -> None:
        self._console.update(slot, frames)

    def ended(self, slot: int, record: Record) -> None:
        final = record.state in (*DONE, State.QUARANTINED)
        again = "" if final else "; it will be tried again"
        text = None if record.reason is None else f"{record.state}: {record.reason.rstrip('.')}{again}."
        self._console.end(slot, str(record.state), record.frames if record.state in DONE else 0, text, final)


def _told(batch: Batch, records: Sequence[Record], stop: Stop, terminal: Terminal) -> int:
    counts = Counter(record.state for record in records)
    words = ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
    terminal.say(f"{len(records)} videos: {words}. The summary is {batch.summary}, with a .csv beside it.")
    if stop.signalled:
        terminal.warn("Ended before all were done: the same command goes on from here.")
        return INTERRUPTED
    bad = counts[State.DAMAGED] + counts[State.QUARANTINED]
    if bad:
        raise PartialError(
            f"{bad} of {len(records)} videos are not whole: the reasons are in {batch.summary} and in the sidecars."
        )
    return 0
