"""Depth as 16-bit PNGs."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.errors import SinkError
from streamer.sinks.depth_maps import DepthMapSink


def result(depth_map: np.ndarray | None, index: int = 0, stem: str | None = None) -> Result:
    return Result(Frame(index, 0.0, np.zeros((4, 6, 3), np.uint8), 0.0, stem), depth_map=depth_map)


def read(path: Path) -> np.ndarray:
    values = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert values.dtype == np.uint16
    return values


def test_pixels_hold_thousandths_and_what_does_not_fit_is_cut_off(tmp_path: Path) -> None:
    depth_map = np.full((4, 6), 1.2346, np.float32)
    depth_map[0, :3] = -0.5, 70.0, 65.535
    DepthMapSink(tmp_path).write(result(depth_map))
    values = read(tmp_path / "00000.png")
    assert values[0, :3].tolist() == [0, 65535, 65535]
    assert (values[1:] == 1235).all()


def test_files_have_the_size_of_the_frame_and_its_name(tmp_path: Path) -> None:
    sink = DepthMapSink(tmp_path / "made" / "depth")
    assert sink.name == f"{tmp_path / 'made' / 'depth'}/"
    sink.write(result(np.ones((2, 3), np.float32), index=7))
    sink.write(result(np.ones((4, 6), np.float32), index=8, stem="IMG_0031"))
    sink.close()
    folder = tmp_path / "made" / "depth"
    assert sorted(entry.name for entry in folder.iterdir()) == ["00007.png", "IMG_0031.png"]
    assert read(folder / "00007.png").shape == (4, 6)


def test_a_frame_without_depth_has_no_file(tmp_path: Path) -> None:
    DepthMapSink(tmp_path).write(result(None))
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "depth").touch()
    with pytest.raises(SinkError, match="a file has that name"):
        DepthMapSink(tmp_path / "depth")
