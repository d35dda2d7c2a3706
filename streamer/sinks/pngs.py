"""A folder with one PNG per frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from PIL import Image

from streamer.data.result import Result
from streamer.sinks.outputs import make_folder, replacing


class PngSink(ABC):
    """Writes ``00000.png`` by frame index, or a file named like the picture that the frame came from.

    Raises:
        SinkError: The folder cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self.name = f"{folder}/"
        self._folder = folder

    @abstractmethod
    def image_of(self, result: Result) -> Image.Image | None:
        """What is written about one frame; None where there is nothing to write."""

    def write(self, result: Result) -> None:
        """Write the picture of one frame.

        Raises:
            SinkError: It cannot be made, or the file cannot be written.
        """
        image = self.image_of(result)
        if image is not None:
            with replacing(self._folder / f"{result.stem}.png") as partial:
                image.save(partial, compress_level=1)

    def close(self) -> None:  # noqa: B027 (every sink can be closed)
        """Nothing is left to do: each file is whole once it is written."""
