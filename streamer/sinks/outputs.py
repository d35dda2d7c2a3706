"""Output files that never lie half-written under their final name."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from streamer.errors import SinkError

STDOUT = Path("-")
"""Stands for the standard output where a file could be named."""
_NUMBERED = re.compile(r"%0?(\d*)d")
_LONGEST_NAME = 255
"""What ext4, APFS and NTFS take for one name [bytes]."""
_NUMBER = 4
"""Room for ``-2`` up to ``-999`` [bytes]."""


def partial_path(path: Path) -> Path:
    """Where ``path`` is written until it is whole: ``out.mp4`` grows as ``out.partial.mp4`` beside it.

    A pipe, a device or the standard output, which can be neither renamed nor half-written, is its own partial path.
    """
    if path == STDOUT or (path.exists() and not path.is_file()):
        return path
    return path.with_name(shortened(path.stem, f".partial{path.suffix}"))


def is_numbered(path: Path) -> bool:
    """Whether a name stands for one file per frame, as ``%05d.png`` does."""
    return _NUMBERED.search(path.name) is not None


def numbered(path: Path, number: int) -> Path:
    """The file of that number; the path itself where its name has no place for one."""
    return path.with_name(_NUMBERED.sub(lambda match: f"{number:0{match[1] or 1}d}", path.name, count=1))


def shortened(stem: str, end: str) -> str:
    """``stem`` and ``end`` in one name, the stem cut where file systems take no more than 255 bytes."""
    room = _LONGEST_NAME - _NUMBER - len(os.fsencode(end))
    return os.fsencode(stem)[: max(room, 1)].decode(errors="ignore") + end


class Claim:
    """The file that an output grows under until it is whole, created and held by this run alone.

    What a killed run left behind is never written over: a later run takes ``out.partial-2.mp4``. A pipe, a device or
    the standard output is its own.

    Attributes:
        path: Where to write.

    Raises:
        SinkError: Another run is at work on the same output.
        OSError: The file cannot be created.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._held: int | None = None
        self.path = partial_path(target)
        if self.path == target:
            return
        for self.path in _partials(target):
            try:
                self._held = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
            except FileExistsError:
                if _is_held(self.path):
                    raise SinkError(f"{target} is being written by another run: choose another name.") from None
                continue
            _hold(self._held)
            return

    def rename(self) -> None:
        """Give the file, whole now, the name of the output; what can be neither renamed nor half-written has it.

        Raises:
            OSError: It cannot be renamed.
        """
        if self.path != self._target:
            os.replace(self.path, self._target)

    def release(self) -> None:
        """Let others have the place. May be called twice."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def remove(self) -> None:
        """Take the file away where nothing is in it."""
        if self._held is not None and self.path.exists() and not self.path.stat().st_size:
            self.path.unlink()
        self.release()


def _partials(target: Path) -> Iterator[Path]:
    """``out.partial.mp4``, ``out.partial-2.mp4`` and so on; shortened where the system takes no such long names."""
    first = partial_path(target)
    yield first
    for number in count(2):
        yield first.with_name(f"{first.stem}-{number}{first.suffix}")


def _hold(descriptor: int) -> None:
    """Lock an open file until it is closed or the process ends, however it does."""
    if sys.platform != "win32":
        import fcntl

        with suppress(OSError):  # some network disks know no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_held(path: Path) -> bool:
    """Whether a process holds this file."""
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def make_folder(folder: Path) -> None:
    """Create a folder and its parents where they are missing.

    Raises:
        SinkError: It cannot be created, or a file is in its place.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "a file has that name" if isinstance(error, FileExistsError) else reason_of(error)
        raise SinkError(f"The folder {folder} cannot be created ({reason}): choose another place.") from None


def make_room(path: Path) -> None:
    """Create the folder of ``path``, and refuse a path that is itself a folder.

    Raises:
        SinkError: The folder cannot be created, or ``path`` is a folder.
    """
    if path.is_dir():
        raise SinkError(f"{path} is a folder: give the name of a file in it.")
    make_folder(path.parent)


def unwritable(path: Path, error: Exception) -> SinkError:
    """The error that says in one sentence why ``path`` could not be written."""
    return SinkError(f"{path} cannot be written ({reason_of(error)}): free some space or choose another place.")


def broken_off(path: Path, error: Exception, kept: Path | None) -> SinkError:
    """The error that says why writing ``path`` ended halfway, and in which file what was written until then is."""
    rest = "" if kept is None else f"; what was written until then is in {kept.name}"
    return SinkError(
        f"{path} cannot be written any further ({reason_of(error)}): free some space or choose another place{rest}."
    )


def reason_of(error: Exception) -> str:
    """What the system says went wrong, without error numbers and paths."""
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to, which takes the place of ``path`` at the end and vanishes if the block fails.

    Raises:
        SinkError: The folder or the file cannot be written.
    """
    make_room(path)
    try:
        claim = Claim(path)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield claim.path
        claim.rename()
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        claim.release()
        if claim.path != path:
            claim.path.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a document for people and programs, whole or not at all.

    Raises:
        SinkError: The folder or the file cannot be written.
    """
    with replacing(path) as partial:
        partial.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
