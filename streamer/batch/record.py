"""What became of one video of a batch: its sidecar, which a later run reads to know what is left to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from streamer.sinks.outputs import write_json

FORMAT = 1


def sidecar(folder: Path, name: str) -> Path:
    """Where the record of the video of that name lies."""
    return folder / f"{name}.batch.json"


class State(StrEnum):
    """How far a video is."""

    WAITING = "waiting"
    FINISHED = "finished"
    DAMAGED = "damaged"
    FAILED = "failed"
    QUARANTINED = "quarantined"


DONE = frozenset({State.FINISHED, State.DAMAGED})
"""All that there is to be had has been written."""


@dataclass(frozen=True)
class Record:
    """What is known of one video.

    Attributes:
        name: What it is called in the batch.
        source: Where its frames come from.
        state: How far it is; a damaged source has given all that decodes.
        reason: Why it is not simply finished, in one sentence.
        attempts: How often it was tried with these settings.
        fingerprint: Changes with everything that the result depends on: the settings, the prompts, and the source.
        outputs: What was written, as seen from the folder of the sidecars.
        frames: Frames written.
        duration_s: What it took [s].
        notices: What a person should know although it is finished.
        worker: Who did it.
        versions: Of what.
        figures: Those of the run, as ``--stats`` has them.
        traceback: Where something went wrong inside the program.
    """

    name: str
    source: str
    state: State = State.WAITING
    reason: str | None = None
    attempts: int = 0
    fingerprint: str = ""
    outputs: tuple[str, ...] = ()
    frames: int = 0
    duration_s: float = 0.0
    notices: tuple[str, ...] = ()
    worker: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    traceback: str | None = None

    def is_done(self, fingerprint: str, folder: Path) -> bool:
        """Whether nothing is left to do: it was done with these very settings, and what was written is there."""
        same = self.state in DONE and self.fingerprint == fingerprint
        return same and all((folder / output).exists() for output in self.outputs)

    def write(self, path: Path) -> None:
        """Write the sidecar, by rename.

        Raises:
            SinkError: It cannot be written.
        """
        write_json(path, {"format": FORMAT, **asdict(self)})

    @classmethod
    def read(cls, path: Path, name: str, source: str) -> Self:
        """The sidecar of a video; a fresh record where there is none that can be read."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            known = {each.name: values[each.name] for each in fields(cls) if each.name in values}
            known |= {"state": State(values["state"]), "name": name, "source": source}
            known |= {key: tuple(known.get(key, ())) for key in ("outputs", "notices")}
            return cls(**known)
        except (OSError, ValueError, TypeError, KeyError):
            return cls(name, source)
