"""A Rerun recording: a file, or the viewer while the run goes on."""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from streamer.data.result import Result
from streamer.errors import SinkError
from streamer.sinks.optional import require
from streamer.sinks.outputs import Claim, make_room, unwritable
from streamer.sinks.parameters import RobotLogParameters
from streamer.sinks.piped_file import PipedFile
from streamer.sinks.rerun_entities import Entities

if TYPE_CHECKING:
    from rerun import RecordingStream

_APPLICATION = "streamer"
_VIEWER = ("127.0.0.1", 9876)
"""Where Rerun's viewer listens unless it is told otherwise."""


_FAREWELL_S = 3.0
"""How long a viewer is given to take what it has not taken yet."""


class RerunSink:
    """Writes an ``.rrd`` file, which grows under ``<name>.partial.rrd`` and takes its own name when it is closed.

    A killed process loses what the last 0.2 s would have added; the viewer opens what is there.

    Args:
        path: Where to write.
        parameters: How images are coded.
        endless: Whether nobody knows how long the run will be. Then the file gets no index, which would have to be
            kept in memory until the end; ``rerun rrd optimize`` makes one.

    Raises:
        SinkError: The library is missing, the name does not end in ``.rrd``, or the file cannot be written.
    """

    def __init__(self, path: Path, parameters: RobotLogParameters, endless: bool = False) -> None:
        require("--rerun")
        if path.suffix.lower() != ".rrd":
            raise SinkError(f"{path.name} is no Rerun recording: end its name in .rrd, or say --rerun live.")
        make_room(path)
        self.name = path.name
        self._path = path
        self._entities = Entities(parameters)
        try:
            self._claim = Claim(path)
            self._file = PipedFile(self._claim.path)
        except OSError as error:
            raise unwritable(path, error) from None
        self._recording: RecordingStream | None = _recording()
        self._recording.save(self._file.inlet, self._entities.blueprint(), write_footer=not endless)
        self._file.opened()

    def write(self, result: Result) -> None:
        """Append what is known about one frame.

        Raises:
            SinkError: An earlier frame could not be written; what was written until then is kept.
        """
        self._check()
        if self._recording is not None:
            self._entities.log(self._recording, result)

    def close(self) -> None:
        """Finish the file and give it its final name; one that could not be written keeps the other name.

        Raises:
            SinkError: It cannot be finished.
        """
        if self._recording is None:
            return
        try:
            self._recording.disconnect()
            self._recording = None
            self._file.close()
            self._check()
            self._claim.rename()
        except OSError as error:
            raise unwritable(self._path, error) from error
        finally:
            self._claim.release()

    def _check(self) -> None:
        if self._file.error is not None:
            raise SinkError(f"{unwritable(self._path, self._file.error)} It is in {self._claim.path.name}.")


class RerunViewerSink:
    """Shows results in Rerun's viewer: the one that is running on this machine, or a new one.

    Raises:
        SinkError: The library is missing, or no viewer can be started.
    """

    name = "rerun"

    def __init__(self, parameters: RobotLogParameters) -> None:
        require("--rerun")
        self._entities = Entities(parameters)
        self._recording: RecordingStream | None = _recording()
        blueprint = self._entities.blueprint()
        if _is_listening(_VIEWER):
            host, port = _VIEWER
            self._recording.connect_grpc(f"rerun+http://{host}:{port}/proxy", default_blueprint=blueprint)
            return
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise SinkError("There is no screen for Rerun's viewer: start one there, or record with --rerun FILE.rrd.")
        try:
            self._recording.spawn(default_blueprint=blueprint)
        except (RuntimeError, OSError) as error:
            raise SinkError(f"Rerun's viewer cannot be started ({error}): record with --rerun FILE.rrd.") from None

    def write(self, result: Result) -> None:
        """Send what is known about one frame."""
        if self._recording is not None:
            self._entities.log(self._recording, result)

    def close(self) -> None:
        """Let go of the viewer, which stays open; one that does not answer is not waited for. May be called twice."""
        if self._recording is not None:
            leaving = threading.Thread(target=self._recording.disconnect, name="leave Rerun's viewer", daemon=True)
            leaving.start()
            leaving.join(_FAREWELL_S)
            if leaving.is_alive():
                from rerun import unregister_shutdown

                unregister_shutdown()  # which would wait for it when the program ends
            self._recording = None


def _recording() -> RecordingStream:
    from uuid import uuid4

    from rerun import RecordingStream

    return RecordingStream(_APPLICATION, recording_id=uuid4())


def _is_listening(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=0.5).close()
    except OSError:
        return False
    return True
