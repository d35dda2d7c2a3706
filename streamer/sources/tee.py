"""Bytes that come only once, read twice: by whoever decodes the pictures, and by whoever takes the sound along."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from pathlib import Path
from typing import Protocol

_LATE_BYTES = 64 << 20
"""What is kept for a second reader that has not come yet."""
_LOOK_EVERY_S = 0.2


class Bytes(Protocol):
    """What gives bytes, and none at its end."""

    def read(self, size: int, /) -> bytes | None: ...

    def close(self) -> None: ...


class Tee:
    """Any number of readers of the same bytes, each at its own pace. What all of them have read is forgotten.

    Args:
        source: Where they come from; closed with the last reader.
    """

    def __init__(self, source: Bytes) -> None:
        self._source = source
        self._blocks: deque[bytes] = deque()
        self._begin = 0
        self._end = 0
        self._ended = False
        self._readers: list[TeeReader] = []
        self._lock, self._reading = threading.Lock(), threading.Lock()

    def reader(self) -> TeeReader:
        """One more reader, from the first byte on.

        Raises:
            OSError: The first bytes are gone by now.
        """
        with self._lock:
            if self._begin > 0:
                raise OSError("its beginning has gone by")
            self._readers.append(TeeReader(self))
            return self._readers[-1]

    def read(self, place: int, size: int) -> bytes:
        """At most so many bytes from this place on; none at the end."""
        with self._lock:
            if place < self._end:
                return self._kept(place, size)
        with self._reading:
            if place >= self._end and not self._ended:
                block = self._source.read(size) or b""
                with self._lock:
                    self._ended = not block
                    self._blocks.append(block)
                    self._end += len(block)
        with self._lock:
            return self._kept(place, size) if place < self._end else b""

    def trim(self) -> None:
        """Forget what nobody will read any more."""
        with self._lock:
            slowest = min((reader.place for reader in self._readers), default=self._end)
            late = self._end - _LATE_BYTES if len(self._readers) < 2 else slowest
            while self._blocks and self._begin + len(self._blocks[0]) <= min(slowest, late):
                self._begin += len(self._blocks.popleft())

    def leave(self, reader: TeeReader) -> None:
        """A reader has enough."""
        with self._lock:
            if reader not in self._readers:
                return
            self._readers.remove(reader)
            last = not self._readers
        if last:
            self._source.close()

    def _kept(self, place: int, size: int) -> bytes:
        begin = self._begin
        for block in self._blocks:
            if place < begin + len(block):
                return block[place - begin : place - begin + size]
            begin += len(block)
        return b""


class TeeReader:
    """A file that can only be read on, for PyAV."""

    def __init__(self, tee: Tee) -> None:
        self._tee = tee
        self.place = 0

    def read(self, size: int) -> bytes:
        block = self._tee.read(self.place, size)
        self.place += len(block)
        self._tee.trim()
        return block

    def close(self) -> None:
        """Have enough. May be called twice."""
        self._tee.leave(self)


class Growing:
    """A file that is still being written: its end is where nothing has been added for a while.

    Args:
        path: The file.
        patience_s: For how long [s].

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: Path, patience_s: float) -> None:
        self._file = path.open("rb", buffering=0)
        self._patience_s = patience_s
        self._closed = threading.Event()

    def read(self, size: int) -> bytes:
        end_s = time.monotonic() + self._patience_s
        while not (block := self._file.read(size)):
            if time.monotonic() >= end_s or self._closed.wait(_LOOK_EVERY_S):
                return b""
        return block

    def close(self) -> None:
        self._closed.set()
        self._file.close()


def once_only(path: str | Path, follow_s: float | None = None) -> Tee:
    """The bytes of a pipe (``-`` for the standard input), or of a file that grows.

    Raises:
        OSError: It cannot be opened.
    """
    if follow_s is not None:
        return Tee(Growing(Path(path), follow_s))
    descriptor = os.dup(0) if str(path) == "-" else os.open(path, os.O_RDONLY)
    return Tee(os.fdopen(descriptor, "rb", buffering=0))
