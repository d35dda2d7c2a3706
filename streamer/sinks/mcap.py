"""An MCAP file with ROS 2 messages, written without ROS: for Foxglove, rosbag2 and everything that reads them."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from streamer.data.result import Result
from streamer.errors import SinkError
from streamer.sinks.optional import require
from streamer.sinks.outputs import Claim, broken_off, make_room, unwritable
from streamer.sinks.parameters import RobotLogParameters
from streamer.sinks.ros2.definitions import definition_of
from streamer.sinks.ros2.messages import Messages

_CHUNK_BYTES = 512 * 1024
"""Messages that are compressed together, before compression. What a killed process loses is at most one chunk."""


class McapSink:
    """Writes the messages of :class:`~streamer.sinks.ros2.messages.Messages`, stamped with the capture of the frame.

    The file grows under ``<name>.partial.mcap`` and takes its own name when it is closed, with an index. What a killed
    process leaves under the other name is a whole file, too, but without the index.

    Raises:
        SinkError: The library is missing, the name does not end in ``.mcap``, or the file cannot be written.
    """

    def __init__(self, path: Path, parameters: RobotLogParameters | None = None) -> None:
        require("--mcap")
        from mcap_ros2.writer import Writer

        if path.suffix.lower() != ".mcap":
            raise SinkError(f"{path.name} is no MCAP file: end its name in .mcap.")
        make_room(path)
        self.name = path.name
        self._path = path
        self._messages = Messages(parameters or RobotLogParameters())
        self._error: SinkError | None = None
        self._schemas: dict[str, Any] = {}
        self._sequence: Counter[str] = Counter()
        try:
            self._claim = Claim(path)
            self._file = EndedFile(self._claim.path)
        except OSError as error:
            raise unwritable(path, error) from None
        self._writer = Writer(cast(IO[Any], self._file), chunk_size=_CHUNK_BYTES)

    def write(self, result: Result) -> None:
        """Append what is known about one frame.

        Raises:
            SinkError: It cannot be written; what was written before is kept and named in the message.
        """
        if self._error is not None:
            raise self._error
        for message in self._messages.of(result):
            stamp_ns = message.stamp_ns
            schema, sequence = self._schema(message.type), self._sequence[message.topic]
            self._writer.write_message(message.topic, schema, message.fields(), stamp_ns, stamp_ns, sequence)
            self._sequence[message.topic] += 1
        try:
            self._file.save()
        except OSError as error:
            self._error = broken_off(self._path, error, self._claim.path)
            raise self._error from error

    def close(self) -> None:
        """Write the index and give the file its final name; one that could not be written keeps the other name.

        Leaves nothing behind where nothing was written.

        Raises:
            SinkError: It cannot be finished.
        """
        if self._file.closed:
            return
        try:
            if not self._sequence:
                self._claim.remove()
            elif self._error is None:
                self._writer.finish()
                self._file.save(end=b"")
                self._claim.rename()
        except OSError as error:
            raise broken_off(self._path, error, self._claim.path) from error
        finally:
            with suppress(OSError):
                self._file.close()
            self._claim.release()

    def _schema(self, kind: str) -> Any:
        if kind not in self._schemas:
            self._schemas[kind] = self._writer.register_msgdef(kind, definition_of(kind))
        return self._schemas[kind]


class EndedFile:
    """A file that an MCAP writer appends to, and that ends as an MCAP file must after every `save`.

    The end of a file without an index is 50 bytes long; the next records are written over it, with a new one behind
    them, in one call. So whenever the process is killed, every reader opens what is there.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._end = _end_without_index()
        self._saved = 0
        self._waiting = bytearray()

    @property
    def closed(self) -> bool:
        return self._file.closed

    def write(self, data: bytes) -> int:
        """Append; nothing is in the file before `save`."""
        self._waiting += data
        return len(data)

    def tell(self) -> int:
        """Where the next byte goes."""
        return self._saved + len(self._waiting)

    def save(self, end: bytes | None = None) -> None:
        """Write what waits, and ``end`` behind it; None for that of a file without an index.

        Raises:
            OSError: It cannot be written; the file ends where it did before, if the system lets it.
        """
        if not self._waiting:
            return
        data = memoryview(bytes(self._waiting) + (self._end if end is None else end))
        try:
            self._file.seek(self._saved)
            while data:
                data = data[self._file.write(data) :]
        except OSError:
            with suppress(OSError):
                self._file.seek(self._saved)
                self._file.write(self._end)
                self._file.truncate()
            raise
        self._saved += len(self._waiting)
        self._waiting.clear()

    def close(self) -> None:
        self._file.close()


def _end_without_index() -> bytes:
    from mcap.data_stream import RecordBuilder
    from mcap.records import DataEnd, Footer
    from mcap.writer import MCAP0_MAGIC

    records = RecordBuilder()
    DataEnd(data_section_crc=0).write(records)
    Footer(summary_start=0, summary_offset_start=0, summary_crc=0).write(records)
    return records.end() + MCAP0_MAGIC
