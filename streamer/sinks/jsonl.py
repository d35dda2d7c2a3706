"""Results as JSON lines: one object per frame, readable while the run goes on."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import cv2
import numpy as np
from pycocotools import mask as coco

from streamer.data.result import Result
from streamer.data.track import Track
from streamer.errors import SinkError
from streamer.sinks.outputs import STDOUT, Claim, make_room, reason_of, unwritable


class JsonlSink:
    """Writes one line per frame under ``<name>.partial.jsonl``, renamed when it is closed.

    Each line is flushed, so a killed run leaves whole lines. Pipes and devices are written directly, and so is the
    standard output, for which ``-`` stands. Numbers that are not finite are written as null.

    Raises:
        SinkError: The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        make_room(path)
        self.name = "standard output" if path == STDOUT else path.name
        self._path = path
        self._error: SinkError | None = None
        try:
            self._claim = Claim(path)
            self._partial = self._claim.path
            self._file = _open(self._partial)
        except OSError as error:
            raise unwritable(path, error) from None

    def write(self, result: Result) -> None:
        """Append one line.

        Raises:
            SinkError: It cannot be written.
        """
        if self._error is not None:
            raise self._error
        line = json.dumps(_finite(to_dict(result)), allow_nan=False, separators=(",", ":"))
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            self._error = self._broken_off(error)
            raise self._error from error

    def close(self) -> None:
        """Give the file its final name; one that could not be written to the end keeps the other name.

        Raises:
            SinkError: It cannot be renamed.
        """
        if self._file.closed:
            return
        try:
            self._file.close()
            if self._error is None and self._partial != self._path:
                os.replace(self._partial, self._path)
        except OSError as error:
            if self._error is None:
                raise unwritable(self._path, error) from error
        finally:
            self._claim.release()

    def _broken_off(self, error: OSError) -> SinkError:
        reason = reason_of(error)
        if self._path == STDOUT:
            return SinkError(f"The standard output takes no more lines ({reason}): let whoever reads them run on.")
        return SinkError(
            f"{self._path} cannot be written any further ({reason}): free some space or choose another place; what was "
            f"written until then is in {self._partial.name}."
        )


def _open(path: Path) -> TextIO:
    if path == STDOUT:
        # A file of its own, so that closing it leaves the interpreter's alone.
        return open(1, "w", encoding="utf-8", closefd=False)
    return path.open("w", encoding="utf-8")


def to_dict(result: Result) -> dict[str, Any]:
    """What one line holds: index, time_s, objects, stages (each with reason, age and what else it knows), timings."""
    return {
        "index": result.index,
        "time_s": result.time_s,
        "objects": [_object(track) for track in result.tracks],
        "stages": {
            name: {"reason": status.reason, "age": status.age, **_values_of(result, name)}
            for name, status in result.stages.items()
        },
        "timings_ms": _rounded(result.timings_ms),
        "model_timings_ms": _rounded(result.model_timings_ms),
    }


def _values_of(result: Result, stage: str) -> dict[str, Any]:
    return {"values": dict(result.values[stage])} if stage in result.values else {}


def _rounded(durations_ms: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(duration_ms), 3) for name, duration_ms in durations_ms.items()}


def _object(track: Track) -> dict[str, Any]:
    # COCO counts along columns; cv2.transpose is ten times as fast as np.asfortranarray.
    rle = coco.encode(cv2.transpose(np.ascontiguousarray(track.mask).view(np.uint8)).T)
    depth = track.depth
    return {
        "id": int(track.id),
        "label": track.label,
        "box_xyxy": None if track.box_xyxy is None else [float(corner) for corner in track.box_xyxy],
        "score": round(float(track.score), 4),
        "state": str(track.state),
        "mask": {"size": [int(length) for length in rle["size"]], "counts": rle["counts"].decode("ascii")},
        "depth": None
        if depth is None
        else {
            "median": float(depth.median),
            "lower": float(depth.lower),
            "upper": float(depth.upper),
            "now": float(depth.now),
            "unit": str(depth.unit),
        },
    }


def _finite(value: Any) -> Any:
    """The same with null for every number that JSON cannot hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list) else value
