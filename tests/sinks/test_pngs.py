"""One PNG per frame: names and places; what is in them is for `test_masks` and `test_depth_maps`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.errors import SinkError
from streamer.sinks.pngs import PngSink


class EvenFrames(PngSink):
    def image_of(self, result: Result) -> Image.Image | None:
        return None if result.index % 2 else Image.new("L", result.frame.size)


def result(index: int, stem: str | None = None) -> Result:
    return Result(Frame(index, 0.0, np.zeros((4, 6, 3), np.uint8), 0.0, stem))


def test_files_are_named_by_stem_or_index_and_frames_without_a_picture_have_none(tmp_path: Path) -> None:
    sink = EvenFrames(tmp_path / "made" / "even")
    for index, stem in ((6, None), (7, None), (8, "IMG_0031")):
        sink.write(result(index, stem))
    sink.close()
    assert sink.name == f"{tmp_path / 'made' / 'even'}/"
    assert sorted(entry.name for entry in (tmp_path / "made" / "even").iterdir()) == ["00006.png", "IMG_0031.png"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "even").touch()
    with pytest.raises(SinkError, match="a file has that name"):
        EvenFrames(tmp_path / "even")
