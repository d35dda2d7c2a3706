"""Output files that never lie half-written under their final name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamer.errors import SinkError

STDOUT = Path("-")
"""Stands for the standard output where a file could be named."""


def partial_path(path: Path) -> Path:
    """Where ``path`` is written until it is whole: ``out.mp4`` grows as ``out.partial.mp4`` beside it.

    A pipe, a device or the standard output, which can be neither renamed nor half-written, is its own partial path.
    """
    if path == STDOUT or (path.exists() and not path.is_file()):
        return path
    return path.with_name(f"{path.stem}.partial{path.suffix}")


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
    partial = partial_path(path)
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        if partial != path:
            partial.unlink(missing_ok=True)
