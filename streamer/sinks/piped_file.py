"""A file for a library that opens its own, and that neither says when it cannot write nor ends when it cannot."""

from __future__ import annotations

import os
import struct
import sys
import threading
from pathlib import Path

_PIECE_BYTES = 1 << 20
_STREAM_HEADER_BYTES = 12
_MESSAGE_HEADER = struct.Struct("<QQ")  # kind and length of the message that follows


class RrdMessages:
    """Finds the messages in the bytes of a Rerun recording as they come, in pieces of any length.

    Attributes:
        whole: Bytes up to the end of the last message that has come whole.
    """

    def __init__(self) -> None:
        self.whole = 0
        self._end, self._seen, self._header = _STREAM_HEADER_BYTES, 0, b""

    def feed(self, data: bytes) -> None:
        """Take in the next bytes."""
        start, self._seen = self._seen, self._seen + len(data)
        while self._seen >= self._end:
            self.whole = self._end
            missing = self._end + len(self._header) - start
            self._header += data[missing : self._end + _MESSAGE_HEADER.size - start]
            if len(self._header) < _MESSAGE_HEADER.size:
                return
            self._end += _MESSAGE_HEADER.size + _MESSAGE_HEADER.unpack(self._header)[1]
            self._header = b""


class PipedFile:
    """A pipe whose other end is copied into a file, so that a full disk is known here, and blocks nobody.

    What could not be written whole is cut off.

    Windows cannot open a pipe by a path: there the library writes the file itself.

    Args:
        path: The file.

    Attributes:
        inlet: The path that the library is given to write to.
        error: Why the file could not be written any further; None where all is well.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.error: OSError | None = None
        self.inlet = str(path.absolute())
        self._thread: threading.Thread | None = None
        if sys.platform == "win32":
            return
        self._file = path.open("wb", buffering=0)
        self._outlet, self._inlet = os.pipe()
        self.inlet = f"/dev/fd/{self._inlet}"
        self._thread = threading.Thread(target=self._copy, name=f"copy to {path.name}", daemon=True)
        self._thread.start()

    def opened(self) -> None:
        """Say that the library has opened the inlet: it is the only one that holds it from now on."""
        if self._thread is not None:
            os.close(self._inlet)

    def close(self) -> None:
        """Wait until the library has closed the inlet and everything is copied."""
        if self._thread is not None:
            self._thread.join()
            self._file.close()
            os.close(self._outlet)

    def _copy(self) -> None:
        messages = RrdMessages()
        while data := os.read(self._outlet, _PIECE_BYTES):
            if self.error is not None:
                continue  # what cannot be written is still read: the library would wait for ever
            try:
                self._write(data)
                messages.feed(data)
            except OSError as error:
                self.error = error
                self._file.truncate(messages.whole)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
