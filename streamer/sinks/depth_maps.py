"""Depth as 16-bit PNGs: what recordings of depth cameras look like, but nearness instead of distance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from streamer.outputs import make_folder, replacing
from streamer.result import Result

STEPS = 1000
"""What a pixel holds is the inverse depth in such parts of one."""
_MOST = np.iinfo(np.uint16).max


class DepthMapSink:
    """Writes one 16-bit PNG per frame, named as `MaskSink` names its own: a thousand times the inverse depth.

    Larger is nearer, as in `Result.inverse_depth`; scale and shift are the same for the whole clip. Values below 0 and
    above 65.535 are cut off. Frames before the first map get no file.

    Raises:
        SinkError: The folder cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self.name = f"{folder}/"
        self._folder = folder

    def write(self, result: Result) -> None:
        """Write the map of one frame.

        Raises:
            SinkError: The file cannot be written.
        """
        if result.inverse_depth is None:
            return
        values = np.rint(result.inverse_depth * np.float32(STEPS)).clip(0, _MOST).astype(np.uint16)
        with replacing(self._folder / f"{result.stem}.png") as partial:
            Image.fromarray(values).save(partial, compress_level=1)

    def close(self) -> None:
        """Nothing is left to do: each file is whole once it is written."""
