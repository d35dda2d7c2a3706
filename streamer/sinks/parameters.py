"""What can be set about video files: the section ``video`` of a config."""

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
