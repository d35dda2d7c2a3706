"""Annotates one video after the other, wherever it runs; what it makes of one appears all at once, or not at all."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from glob import escape
from importlib import metadata
from pathlib import Path

from streamer import __version__
from streamer.batch.job import annotate_one
from streamer.batch.order import Order
from streamer.batch.record import Record, State
from streamer.config import Config
from streamer.data import cores
from streamer.data.source import SourceInfo
from streamer.engine import Engine
from streamer.errors import DamagedError, SinkError, StreamerError
from streamer.session.playback import Playback
from streamer.sinks.outputs import shortened
from streamer.sinks.targets import Targets
from streamer.sources.url import is_url
from streamer.terminal.notes import Notes
from streamer.terminal.stopping import Stop

Told = Callable[[int], None]
"""Told how many frames of the video are done."""

_UNFINISHED = "unfinished"


class Worker:
    """Takes orders. The models stay loaded for as long as the orders have the same config.

    Args:
        cores_each: Processor cores it may use.
    """

    def __init__(self, cores_each: int) -> None:
        cores.set_limit(cores_each)
        self._engine: Engine | None = None

    def annotate(self, order: Order, told: Told) -> Record:
        """Carry out an order. What goes wrong is told in the record; the sidecar is written where all is done.

        The outputs take their names once the last of them is whole and the sidecar has told of them, in this order: so
        a process that dies at any moment leaves either outputs that are right, or a video that will be done again.
        """
        started_s = time.monotonic()
        record = replace(
            *(order.record,),
            attempts=order.record.attempts + 1,
            worker=f"{platform.node()} {os.getpid()}",
            versions=_versions(),
            reason=None,
            notices=(),
            traceback=None,
        )
        attempt = Attempt(order)
        try:
            record = self._played(order, attempt, record, told)
            record = replace(record, duration_s=round(time.monotonic() - started_s, 3))
            attempt.commit(record)
            return record
        except StreamerError as error:
            reason, trace = str(error), None
        except Exception as error:
            reason, trace = (
                f"something went wrong inside streamer ({type(error).__name__}: {error})",
                traceback.format_exc(),
            )
        attempt.discard()
        duration_s = round(time.monotonic() - started_s, 3)
        reason = attempt.plainly(reason)
        return replace(record, state=State.FAILED, reason=reason, traceback=trace, duration_s=duration_s)

    def close(self) -> None:
        """Let go of the models."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _engine_of(self, config: Config) -> Engine:
        if self._engine is None or self._engine.config != config:
            self.close()
            self._engine = Engine(config)
        return self._engine

    def _played(self, order: Order, attempt: Attempt, record: Record, told: Told) -> Record:
        notes = Notes()
        seen: list[Playback] = []

        def report(playback: Playback, _: object) -> None:
            seen[:] = [playback]
            told(playback.frames_shown)

        engine = self._engine_of(order.config)
        state, reason = State.FINISHED, None
        try:
            annotate_one(engine, order.source, order.job, attempt.targets_of, notes, Stop(), report)
        except DamagedError as error:
            if is_url(order.source):
                raise  # a server that breaks off may not do so the next time
            state, reason = State.DAMAGED, error.damage
        return replace(
            record,
            state=state,
            reason=reason,
            outputs=tuple(map(order.told, attempt.outputs)),
            frames=seen[0].frames_shown,
            notices=tuple(map(attempt.plainly, notes.kept)),
            figures=json.loads(attempt.plainly(json.dumps(seen[0].summary()))),
        )


class Attempt:
    """What one attempt writes: under names of its own until all of it is whole."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._final: list[Path] = []

    @property
    def outputs(self) -> list[Path]:
        """What there is to be found once it is committed."""
        return [path for path in self._final if self._staged(path).exists()]

    def targets_of(self, info: SourceInfo) -> Targets:
        """Where to write what is made of this source.

        Raises:
            SinkError: Something else has the name of an output, or its place may not be written.
        """
        targets = self._targets(info)
        self._final = list(targets)
        for path in self._final:
            if path.exists() and self._order.told(path) not in self._order.record.outputs:
                raise SinkError(f"{path} is there already and not of this batch: move it, or write to another folder.")
        self._discard(self._final)
        return targets.moved(self._staged)

    def commit(self, record: Record) -> None:
        """Give everything its final name.

        Raises:
            SinkError: The disk does not take it.
        """
        try:
            for path in self._final:
                _remove(path)
            record.write(self._order.sidecar)
            for path in self.outputs:
                os.replace(self._staged(path), path)
        except OSError as error:
            raise SinkError(f"The results of {self._order.name} cannot be put in place ({error.strerror}).") from error

    def discard(self) -> None:
        """Take away what this attempt, and others that were killed, have begun to write."""
        for still in (False, True):
            with suppress(SinkError):
                self._discard(self._targets(SourceInfo(name=self._order.name, size=(0, 0), still=still)))

    def plainly(self, text: str) -> str:
        """A text about unfinished outputs, with the names that they will have."""
        return re.sub(rf"\.{_UNFINISHED}-{self._order.token}(\.\w+)?", "", text)

    def _targets(self, info: SourceInfo) -> Targets:
        return self._order.job.targets.of(replace(info, name=self._order.name), several=True, anew=False)

    def _staged(self, path: Path) -> Path:
        return path.with_name(shortened(path.name, f".{_UNFINISHED}-{self._order.token}{path.suffix}"))

    @staticmethod
    def _discard(outputs: Iterable[Path]) -> None:
        for path in outputs:
            for left in path.parent.glob(f"{escape(path.name)}.{_UNFINISHED}-*"):
                _remove(left)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _versions() -> dict[str, str]:
    others = {name: metadata.version(name) for name in ("torch", "av", "opencv-python", "numpy")}
    return {"streamer": __version__, "python": platform.python_version(), **others}
