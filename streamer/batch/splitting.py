"""Long videos that several workers do at once: in parts, which are joined when all of them are done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count, islice
from pathlib import Path

from streamer.batch.attempt import Attempt
from streamer.batch.listing import Entry
from streamer.batch.order import Order
from streamer.batch.parts import OVERLAP, Part, parts_of
from streamer.batch.record import DONE, Record, State, sidecar
from streamer.batch.seams import Seam
from streamer.data.result import Result
from streamer.errors import ConfigError, SinkError, StreamerError
from streamer.sinks.fanout import Fanout
from streamer.sinks.opening import open_sinks
from streamer.sinks.results import Kept, read_results
from streamer.sinks.targets import Targets
from streamer.sources.open import kind_of, open_source
from streamer.terminal.console import Terminal
from streamer.ui.overlay import Overlay, Style

OrderOf = Callable[[Entry, Record, Path], Order]


class Splitting:
    """Makes entries of the parts of entries, orders of them, and of what they gave the outputs of the whole.

    Args:
        entries: Videos.
        order_of: Makes the order of a whole one.
        folder: Where the sidecars lie.
        parts: How many parts each has at most.
        resume: Whether a video that is done is left as it is.

    Attributes:
        entries: What is to be done: parts, and the videos that are too short for it or done already.

    Raises:
        StreamerError: A video cannot be split, or what is to be followed is said about its first frame.
    """

    def __init__(
        self, entries: Sequence[Entry], order_of: OrderOf, folder: Path, parts: int, resume: bool = True
    ) -> None:
        self._order_of, self._folder = order_of, folder
        self._wholes: dict[str, tuple[Entry, list[Entry]]] = {}
        self._parts: dict[str, tuple[Entry, Part]] = {}
        self.entries: list[Entry] = []
        for entry in entries:
            self.entries += self._split(entry, parts, resume)

    def _split(self, entry: Entry, wanted: int, resume: bool) -> list[Entry]:
        if kind_of(entry.source) != "video":
            raise ConfigError(f"{entry.source} is no video file: --split is for these.")
        record = Record.read(sidecar(self._folder, entry.name), entry.name, entry.source)
        order = self._order_of(entry, record, self._folder)
        if order.job.prompts or order.job.known_depths is not None:
            raise ConfigError("--split looks for objects anew in every part: say what to follow with --text.")
        if resume and record.is_done(order.record.fingerprint, self._folder):
            return [entry]
        parts = parts_of(entry.source, wanted)
        if len(parts) < 2:
            return [entry]
        entries = [replace(entry, name=f"{entry.name}.part-{part.number}-of-{part.of}") for part in parts]
        self._wholes[entry.name] = entry, entries
        self._parts |= {each.name: (entry, part) for each, part in zip(entries, parts, strict=True)}
        return entries

    def order(self, entry: Entry, record: Record, folder: Path) -> Order:
        """The order of an entry, a part or whole."""
        if entry.name not in self._parts:
            return self._order_of(entry, record, folder)
        _, part = self._parts[entry.name]
        order = self._order_of(entry, record, folder)
        job = replace(order.job, targets=Targets(results=folder / "of.results"), part=part.frames)
        told = replace(order.record, fingerprint=f"{order.record.fingerprint}-{part.first}-{part.end}")
        return replace(order, job=job, record=told)

    def join(self, records: dict[str, Record], terminal: Terminal) -> dict[str, Record]:
        """Put together what has all its parts. Those of the others stay, so that the next run goes on.

        Args:
            records: What became of everything, by its name.
            terminal: Told what the person shall know.

        Returns:
            The same with the whole in the place of its parts.
        """
        for name, (entry, parts) in self._wholes.items():
            mine = [records.pop(part.name) for part in parts]
            left = next((record for record in mine if record.state not in DONE), None)
            if left is not None:
                records[name] = replace(left, name=name, outputs=())
                continue
            terminal.say(f"Joining {len(parts)} parts of {name}.")
            records[name] = self._joined(entry, parts, mine, terminal)
        return records

    def _joined(self, entry: Entry, parts: Sequence[Entry], mine: Sequence[Record], terminal: Terminal) -> Record:
        before = Record.read(sidecar(self._folder, entry.name), entry.name, entry.source)
        order = self._order_of(entry, before, self._folder)
        attempt = Attempt(order)
        files = [self._folder / record.outputs[0] for record in mine]
        spans = [self._parts[part.name][1] for part in parts]
        record = replace(
            order.record,
            attempts=max(each.attempts for each in mine),
            worker="; ".join(dict.fromkeys(each.worker for each in mine)),
            versions=mine[0].versions,
            duration_s=round(sum(each.duration_s for each in mine), 3),
        )
        try:
            frames, damage = _written(order, attempt, files, spans, terminal)
            state = State.FINISHED if damage is None else State.DAMAGED
            record = replace(record, state=state, reason=damage, frames=frames, outputs=())
            record = replace(record, outputs=tuple(map(order.told, attempt.outputs)))
            attempt.commit(record)
        except StreamerError as error:
            attempt.discard()
            record = replace(record, state=State.FAILED, reason=attempt.plainly(str(error)))
            record.write(order.sidecar)
            return record
        for file, part in zip(files, parts, strict=True):
            file.unlink(missing_ok=True)
            sidecar(self._folder, part.name).unlink(missing_ok=True)
        return record


def _written(
    order: Order, attempt: Attempt, files: Sequence[Path], spans: Sequence[Part], terminal: Terminal
) -> tuple[int, str | None]:
    """Draw and write the whole from what its parts say; how many frames there are, and what is damaged of them."""
    config, source = order.config, open_source(order.source, **order.job.options_of(order.source))
    try:
        targets = attempt.targets_of(source.info)
        style = Style.of(config.overlay, config.segmenter is not None, config.depth is not None, False)
        draw = partial(Overlay().draw, style=style)
        sinks = Fanout(open_sinks(targets, source.info, draw, config.video, config.robot_logs), terminal.warn)
        written = 0
        try:
            for kept in joined(files, spans):
                frame = source.read()
                if frame is None or frame.index != kept["index"]:
                    raise SinkError(f"{order.source} has changed since its parts were done: run the command again.")
                sinks.write(Result(frame, **{name: value for name, value in kept.items() if name != "index"}))
                written += 1
            source.read()  # beyond the end, which tells of damage
        finally:
            sinks.close()
        if sinks.messages:
            raise SinkError(sinks.messages[0])
        return written, source.damage
    finally:
        source.close()


def joined(files: Sequence[Path], spans: Sequence[Part]) -> Iterator[Kept]:
    """Every frame of the whole once, in order, with one number for each object and one measure of depth.

    Args:
        files: What the parts have written.
        spans: The parts.

    Raises:
        SinkError: A file is gone or damaged.
    """
    numbers = count(1)
    shared: dict[int, Kept] = {}
    for file, span in zip(files, spans, strict=True):
        coming = read_results(file)
        early = list(islice(coming, span.begin - span.first))
        seam = Seam([(shared[kept["index"]], kept) for kept in early if kept["index"] in shared], numbers)
        shared = {}
        for kept in coming:
            whole = seam.across(kept)
            if span.end is not None and kept["index"] >= span.end - OVERLAP:
                shared[kept["index"]] = whole
            yield whole
