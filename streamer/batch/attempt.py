"""What one attempt at a video writes: under names of its own until all of it is whole."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from glob import escape
from pathlib import Path

from streamer.batch.order import Order
from streamer.batch.record import Record
from streamer.data.source import SourceInfo
from streamer.errors import SinkError
from streamer.sinks.outputs import shortened
from streamer.sinks.targets import Targets

_UNFINISHED = "unfinished"


class Attempt:
    """The outputs of an order, unfinished and finished."""

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
