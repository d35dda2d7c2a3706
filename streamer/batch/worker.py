"""Annotates one video after the other, wherever it runs; what it makes of one appears all at once, or not at all."""

from __future__ import annotations

import json
import os
import platform
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata

from streamer import __version__
from streamer.batch.attempt import Attempt
from streamer.batch.job import annotate_one
from streamer.batch.order import Order
from streamer.batch.record import Record, State
from streamer.config import Config
from streamer.data import cores
from streamer.engine import Engine
from streamer.errors import DamagedError, StreamerError
from streamer.session.playback import Playback
from streamer.sources.url import is_url
from streamer.terminal.notes import Notes
from streamer.terminal.stopping import Stop

Told = Callable[[int], None]
"""Told how many frames of the video are done."""


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
            order.record,
            attempts=order.record.attempts + 1,
            worker=f"{platform.node()} {os.getpid()}",
            versions=_versions(),
            reason=None,
            notices=(),
            traceback=None,
        )
        attempt, trace = Attempt(order), None
        try:
            record = self._played(order, attempt, record, told)
            record = replace(record, duration_s=round(time.monotonic() - started_s, 3))
            attempt.commit(record)
            return record
        except StreamerError as error:
            reason = str(error)
        except Exception as error:
            reason = f"something went wrong inside streamer ({type(error).__name__}: {error})"
            trace = traceback.format_exc()
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


def _versions() -> dict[str, str]:
    others = {name: metadata.version(name) for name in ("torch", "av", "opencv-python", "numpy")}
    return {"streamer": __version__, "python": platform.python_version(), **others}
