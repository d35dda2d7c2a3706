"""Results as JSON lines: one object per frame, readable while the run goes on."""

from __future__ import annotations

import json
import os
import select
import stat
import sys
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from streamer.data.camera_model import CameraModel
from streamer.data.result import Result, StageStatus
from streamer.data.source import SourceInfo
from streamer.data.track import DepthStats, Track
from streamer.errors import SinkError
from streamer.sinks.lines import (
    CameraLine,
    DepthLine,
    DroppedLine,
    FrameLine,
    Header,
    Line,
    MasksInJsonl,
    ObjectLine,
    RleLine,
    StageLine,
)
from streamer.sinks.outputs import STDOUT, Claim, broken_off, make_room, reason_of, unwritable
from streamer.sinks.rle import rle_of


class JsonlSink:
    """Writes a header and then one line per frame under ``<name>.partial.jsonl``, renamed when it is closed.

    Each line is flushed, so a killed run leaves whole lines. Pipes and devices are written directly, and so is the
    standard output, for which ``-`` stands. What the lines hold is in `streamer.sinks.lines`.

    Args:
        path: Where to.
        info: The source.
        masks: What of the masks is told; see `line_of`.

    Raises:
        SinkError: The file cannot be written.
    """

    def __init__(self, path: Path, info: SourceInfo, masks: MasksInJsonl = "rle") -> None:
        make_room(path)
        self.name = "standard output" if path == STDOUT else path.name
        self._path, self._info, self._masks = path, info, masks
        self._begun = False
        self._error: SinkError | None = None
        try:
            self._claim = Claim(path)
            self._partial = self._claim.path
            self._file = _open(self._partial)
        except OSError as error:
            raise unwritable(path, error) from None

    def write(self, result: Result) -> None:
        """Append its line, after the header where it is the first.

        Raises:
            SinkError: It cannot be written.
        """
        if not self._begun:
            self._begun = True
            self._append(header_of(self._info, result, self._masks))
        self._append(line_of(result, self._masks))

    def _append(self, line: Line) -> None:
        if self._error is not None:
            raise self._error
        try:
            self._file.write(to_text(line) + "\n")
            self._file.flush()
        except OSError as error:
            self._error = self._broken_off(error)
            raise self._error from error

    @property
    def is_pipe(self) -> bool:
        """Whether somebody reads it line by line while it is written."""
        return stat.S_ISFIFO(os.fstat(self._file.fileno()).st_mode)

    @property
    def is_read(self) -> bool:
        """Whether a pipe's reader has taken all that was written, or is gone; True where the system does not tell."""
        return _unread_bytes(self._file.fileno()) == 0 or _is_left(self._file.fileno())

    def tell_dropped(self, count: int, first_index: int, last_index: int) -> None:
        """Append a line that says that frames were left out."""
        self._append(DroppedLine(count=count, first_index=first_index, last_index=last_index))

    def close(self) -> None:
        """Give the file its final name; one that could not be written to the end keeps the other name.

        Raises:
            SinkError: It cannot be renamed.
        """
        if self._file.closed:
            return
        try:
            self._file.close()
            if self._error is None:
                self._claim.rename()
        except OSError as error:
            if self._error is None:
                raise unwritable(self._path, error) from error
        finally:
            self._claim.release()

    def _broken_off(self, error: OSError) -> SinkError:
        if self._path != STDOUT:
            return broken_off(self._path, error, self._partial)
        return SinkError(
            f"The standard output takes no more lines ({reason_of(error)}): let whoever reads them run on."
        )


def _unread_bytes(descriptor: int) -> int:
    """What lies in a pipe for its reader; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0
    import fcntl
    import termios

    unread = array("i", [0])
    try:
        fcntl.ioctl(descriptor, termios.FIONREAD, unread)
    except OSError:
        return 0
    return unread[0]


def _is_left(descriptor: int) -> bool:
    """Whether nobody has the other end of a pipe open any more."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _open(path: Path) -> TextIO:
    if path == STDOUT:
        # A file of its own, so that closing it leaves the interpreter's alone.
        return open(1, "w", encoding="utf-8", closefd=False)
    return path.open("w", encoding="utf-8")


def header_of(info: SourceInfo, first: Result, masks: MasksInJsonl = "rle") -> Header:
    """The line before those of a source's frames, the first of which this is."""
    return Header(
        source=info.name,
        size=info.size,
        rate_hz=None if info.rate_hz is None else float(info.rate_hz),
        live=info.live,
        masks=masks,
        depth_unit=_unit_of(first),
        camera=None if first.camera is None else _camera(first.camera),
        start_ns=first.stamp_ns,
        start_s=first.time_s,
    )


def line_of(result: Result, masks: MasksInJsonl = "rle") -> FrameLine:
    """The line of one frame.

    Args:
        result: What is known of it.
        masks: What of its masks is told: ``rle`` (and the box), ``box`` (without the RLE), or ``none``.
    """
    return FrameLine(
        index=result.index,
        time_s=result.time_s,
        stamp_ns=result.stamp_ns,
        stamp_origin=None if result.stamp_origin is None else result.stamp_origin.value,
        latency_ms=round(result.latency_ms, 3),
        depth_unit=_unit_of(result),
        depth_error=None if result.depth_error is None else round(result.depth_error, 4),
        world_from_camera=None
        if result.world_from_camera is None
        else tuple(tuple(map(float, row)) for row in result.world_from_camera),
        objects=[_object(track, masks) for track in result.tracks],
        stages={name: _stage(status, result.values.get(name, {})) for name, status in result.stages.items()},
        timings_ms=_rounded(result.timings_ms),
        model_timings_ms=_rounded(result.model_timings_ms),
    )


def to_dict(result: Result, masks: MasksInJsonl = "rle") -> dict[str, Any]:
    """The line of one frame as a dict that `json.dumps` takes; see `FrameLine` for what it holds."""
    written: dict[str, Any] = json.loads(to_text(line_of(result, masks)))
    return written


def to_text(line: Line) -> str:
    """A line without its end; numbers that JSON cannot hold are null."""
    return line.model_dump_json()


def _unit_of(result: Result) -> str | None:
    return None if result.depth_map is None else str(result.depth_unit)


def _stage(status: StageStatus, values: Mapping[str, Any]) -> StageLine:
    age_s = None if status.age_s is None else round(status.age_s, 4)
    return StageLine(reason=status.reason, age=status.age, age_s=age_s, values=dict(values))


def _rounded(durations_ms: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(duration_ms), 3) for name, duration_ms in durations_ms.items()}


def _object(track: Track, masks: MasksInJsonl) -> ObjectLine:
    told = masks != "none"
    centroid = track.centroid if told else None
    return ObjectLine(
        id=int(track.id),
        label=track.label,
        box_xyxy=track.box_xyxy if told else None,
        centroid=None if centroid is None else (round(centroid[0], 2), round(centroid[1], 2)),
        score=round(float(track.score), 4),
        state=track.state.value,
        age_s=None if track.age_s is None else round(track.age_s, 4),
        mask=RleLine(**rle_of(track.mask)) if masks == "rle" else None,
        depth=None if track.depth is None else _depth(track.depth),
        position_m=None if track.position_m is None else _millimeters(track.position_m),
    )


def _depth(depth: DepthStats) -> DepthLine:
    return DepthLine(
        median=float(depth.median),
        lower=float(depth.lower),
        upper=float(depth.upper),
        now=float(depth.now),
        unit=str(depth.unit),
        error=None if depth.error is None else round(depth.error, 4),
    )


def _camera(camera: CameraModel) -> CameraLine:
    return CameraLine(
        size=camera.size,
        fx=camera.fx,
        fy=camera.fy,
        cx=camera.cx,
        cy=camera.cy,
        distortion_model=camera.distortion_model,
        distortion=camera.distortion,
        provenance=camera.provenance.value,
    )


def _millimeters(position_m: tuple[float, float, float]) -> tuple[float, float, float]:
    x, y, z = (round(coordinate, 4) for coordinate in position_m)
    return x, y, z
