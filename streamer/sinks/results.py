"""All that is known of each frame of a part of a video, but the frame itself: kept until the parts are joined."""

from __future__ import annotations

import pickle
import struct
import zlib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from streamer.data.result import Result
from streamer.errors import SinkError
from streamer.sinks.outputs import Claim, make_room, unwritable

_LENGTH = struct.Struct("<Q")
Kept = dict[str, Any]
"""The fields of a `Result` but for its frame, and ``index``, the frame's."""


class ResultsSink:
    """Writes what `read_results` gives back, to whoever trusts the folder: the file holds pickles.

    Raises:
        SinkError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        make_room(path)
        self.name = path.name
        self._path = path
        try:
            self._claim = Claim(path)
            self._file = self._claim.path.open("wb")
        except OSError as error:
            raise unwritable(path, error) from None

    def write(self, result: Result) -> None:
        """Append one frame.

        Raises:
            SinkError: The disk does not take it.
        """
        kept = {each.name: getattr(result, each.name) for each in fields(result) if each.name != "frame"}
        packed = zlib.compress(pickle.dumps(kept | {"index": result.index}), level=1)
        try:
            self._file.write(_LENGTH.pack(len(packed)) + packed)
        except OSError as error:
            raise unwritable(self._path, error) from None

    def close(self) -> None:
        """Give the file its final name. May be called twice.

        Raises:
            SinkError: It cannot be finished.
        """
        if self._file.closed:
            return
        try:
            self._file.close()
            self._claim.rename()
        except OSError as error:
            raise unwritable(self._path, error) from None
        finally:
            self._claim.release()


def read_results(path: Path) -> Iterator[Kept]:
    """What a `ResultsSink` has written, frame by frame.

    Raises:
        SinkError: It is not there, or not whole.
    """
    try:
        with path.open("rb") as file:
            while head := file.read(_LENGTH.size):
                (length,) = _LENGTH.unpack(head)
                yield pickle.loads(zlib.decompress(file.read(length)))
    except (OSError, struct.error, zlib.error) as error:
        raise SinkError(f"The part {path} is gone or damaged ({error}): run the same command again.") from None
