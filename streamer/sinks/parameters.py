"""What can be set about files: the sections ``video`` and ``robot_logs`` of a config."""

from __future__ import annotations

from pydantic import Field

from streamer.data.parameters import Parameters


class VideoParameters(Parameters):
    """How H.264 is encoded.

    Attributes:
        crf: Quality of libx264, from 0 (lossless) to 51 (worst).
        preset: Speed of libx264, from ultrafast to veryslow; slower makes smaller files.
    """

    crf: int = Field(default=20, ge=0, le=51)
    preset: str = "veryfast"


class RobotLogParameters(Parameters):
    """What robots' tools are given: by ``--mcap``, ``--rerun`` and ``--foxglove``.

    Attributes:
        namespace: What topics begin with; several cameras of one robot need one each.
        jpeg_quality: Of the camera's image, from 1 to 100.
        points: At most so many of a frame in a point cloud; 0 for none.
        foxglove_host, foxglove_port: Where Foxglove is served. Whoever reaches it sees the pictures.
    """

    namespace: str = Field(default="/camera", pattern=r"^(/[A-Za-z]\w*)+$")
    jpeg_quality: int = Field(default=90, ge=1, le=100)
    points: int = Field(default=20_000, ge=0)
    foxglove_host: str = "127.0.0.1"
    foxglove_port: int = Field(default=8765, ge=0, le=65535)
