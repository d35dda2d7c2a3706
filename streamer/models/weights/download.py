"""Large files from the web: resumed where they broke off, checked before they get their name."""

from __future__ import annotations

import errno
import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path
from typing import Protocol

from streamer.errors import ModelError

CHUNK_BYTES = 1 << 20
TIMEOUT_S = 30


class Progress(Protocol):
    """Told about every piece that has arrived."""

    def __call__(self, done_bytes: int, total_bytes: int) -> None: ...


def ignore_progress(done_bytes: int, total_bytes: int) -> None:
    """Tell nobody."""


def fetch(url: str, path: Path, size_bytes: int, sha256: str, progress: Progress = ignore_progress) -> None:
    """Bring the file at ``url`` to ``path``.

    It grows in :func:`part_of` it, where a later call goes on from, and is renamed when its size and SHA-256 are
    right; so whatever has the name is whole.

    Raises:
        ModelError: No connection, no space, no permission, or what arrived is not the right file.
    """
    part = part_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _transfer(url, part, size_bytes, progress)
        if not is_intact(part, size_bytes, sha256):
            part.unlink()
            raise ModelError(f"What came from {url} is damaged and was thrown away: download it again.")
        part.replace(path)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise ModelError(
            f"{url} could not be downloaded ({_reason(error)}): run the same command again to go on where it stopped, "
            f"or bring the file to {path}."
        ) from None
    except OSError as error:
        raise ModelError(_explain_write(error, path)) from None


def part_of(path: Path) -> Path:
    """Where a file grows until it is whole."""
    return path.with_name(f"{path.name}.part")


def is_intact(path: Path, size_bytes: int, sha256: str) -> bool:
    """Whether the file has this size and this SHA-256."""
    if path.stat().st_size != size_bytes:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _transfer(url: str, part: Path, size_bytes: int, progress: Progress) -> None:
    have = part.stat().st_size if part.exists() else 0
    if have > size_bytes:
        part.unlink()
        have = 0
    if have == size_bytes:
        return
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        resumed = response.status == http.client.PARTIAL_CONTENT
        done = have if resumed else 0
        with part.open("ab" if resumed else "wb") as file:
            while chunk := response.read(CHUNK_BYTES):
                file.write(chunk)
                done += len(chunk)
                progress(done, size_bytes)
    if done < size_bytes:
        raise http.client.IncompleteRead(b"", size_bytes - done)


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection broke off"
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason or type(error).__name__)


def _explain_write(error: OSError, path: Path) -> str:
    if error.errno == errno.ENOSPC:
        return f"The disk is full: free some space for {path} and run the same command again, or set STREAMER_CACHE."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST):
        return f"{path} may not be written ({error.strerror}): set STREAMER_CACHE to a folder where you may write."
    return f"{path} could not be written ({error.strerror}): set STREAMER_CACHE to another folder."
