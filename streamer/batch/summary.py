"""What became of a whole batch, as JSON and as a table."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from streamer import __version__
from streamer.batch.record import DONE, Record
from streamer.sinks.outputs import replacing, write_json

_COLUMNS = ("name", "source", "state", "reason", "attempts", "frames", "duration_s", "outputs", "notices")


def summary_of(records: Sequence[Record], wall_s: float, frames_now: int) -> dict[str, Any]:
    """The figures of a batch.

    Args:
        records: One for every video, whatever became of it.
        wall_s: How long this run took [s].
        frames_now: Frames that were written in this run.
    """
    states = Counter(record.state for record in records)
    return {
        "streamer": __version__,
        "videos": len(records),
        "states": {str(state): count for state, count in sorted(states.items())},
        "frames": sum(record.frames for record in records if record.state in DONE),
        "worker_s": round(sum(record.duration_s for record in records), 3),
        "attempts": sum(record.attempts for record in records),
        "this_run": {
            "wall_s": round(wall_s, 3),
            "frames": frames_now,
            "frame_rate_hz": round(frames_now / wall_s, 3) if wall_s else 0.0,
        },
        "tasks": [_row(record) for record in records],
    }


def write_summary(path: Path, summary: dict[str, Any]) -> None:
    """Write the summary as JSON to ``path``, and its rows as CSV beside it.

    Raises:
        SinkError: It cannot be written.
    """
    write_json(path, summary)
    with replacing(path.with_suffix(".csv")) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, _COLUMNS)
        table.writeheader()
        table.writerows(_flat(row) for row in summary["tasks"])


def _row(record: Record) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in _COLUMNS}
    done = record.state in DONE
    return {**values, "frames": record.frames if done else 0, "outputs": list(record.outputs) if done else []}


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _joined(value) if isinstance(value, list | tuple) else value for name, value in row.items()}


def _joined(values: Iterable[str]) -> str:
    return "; ".join(values)
