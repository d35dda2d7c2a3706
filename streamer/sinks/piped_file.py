"""A file for a library that opens its own, and that neither says when it cannot write nor ends when it cannot."""

from __future__ import annotations

import os
import select
import sys
import threading
from pathlib import Path

_PIECE_BYTES = 1 << 20


class PipedFile:
    """A pipe whose other end is copied into a file, so that a full disk is known here, and blocks nobody.

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
        written = whole = 0
        while data := os.read(self._outlet, _PIECE_BYTES):
            if self.error is not None:
                continue  # what cannot be written is still read: the library would wait for ever
            try:
                written += self._write(data)
            except OSError as error:
                self.error = error
                self._file.truncate(whole)
            if not select.select([self._outlet], [], [], 0)[0]:
                whole = written  # the library says nothing more for now, so it has said what it began

    def _write(self, data: bytes) -> int:
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        return len(data)
