"""What a worker is given, and what it answers. All of it can be sent to another process or machine."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from streamer.batch.job import AnnotateJob
from streamer.batch.record import Record, sidecar
from streamer.config import Config
from streamer.sources.url import is_url


@dataclass(frozen=True)
class Order:
    """One attempt at one video.

    Attributes:
        config: The models and all that is set.
        job: What to annotate and where to write.
        record: What is known of the video until now.
        folder: Where the sidecars lie.
        token: Marks what this attempt has begun to write, so that no other attempt takes it for its own.
    """

    config: Config
    job: AnnotateJob
    record: Record
    folder: Path
    token: str

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def source(self) -> str:
        return self.record.source

    @property
    def sidecar(self) -> Path:
        return sidecar(self.folder, self.name)

    def told(self, path: Path) -> str:
        """How the record tells of an output: as seen from the sidecars, so that the folder may be moved as a whole."""
        return Path(os.path.relpath(path, self.folder)).as_posix()


def new_token() -> str:
    """Eight letters that no other attempt has."""
    return uuid4().hex[:8]


def fingerprint(config: Config, options: Mapping[str, Any], source: str) -> str:
    """A digest of everything that the result depends on, but for the versions of programs.

    Args:
        config: All that is set.
        options: What was asked for beside, as it was given; a path that is a file counts with its size and time.
        source: The video; it counts with its size and time.
    """
    said = {name: _said(value) for name, value in sorted(options.items())}
    place = source if is_url(source) else os.path.abspath(source)
    told = [config.model_dump(mode="json"), said, place, _stamp(source)]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def _said(value: Any) -> Any:
    if isinstance(value, Path):
        return [os.path.abspath(value), _stamp(str(value))]
    return value if isinstance(value, bool | int | float | str | list | None) else str(value)


def _stamp(source: str) -> list[int] | None:
    """Size [bytes] and time of change [ns] of a file; None for what is none."""
    if is_url(source) or not os.path.isfile(source):
        return None
    status = os.stat(source)
    return [status.st_size, status.st_mtime_ns]
