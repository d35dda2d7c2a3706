from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.errors import SinkError
from streamer.sinks.image import ImageSink, write_image


def gradient(width: int = 63, height: int = 41) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 4, y * 6, 255 - x * 2], axis=-1).astype(np.uint8)


def result() -> Result:
    return Result(Frame(0, 0.0, gradient(), 0.0))


def test_png_holds_exactly_what_was_drawn(tmp_path: Path) -> None:
    path = tmp_path / "made" / "a.png"
    with_inverted = ImageSink(path, lambda result: 255 - result.frame.image_rgb)
    with_inverted.write(result())
    with_inverted.close()
    assert np.array_equal(np.array(Image.open(path)), 255 - gradient())
    assert [entry.name for entry in path.parent.iterdir()] == ["a.png"]


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".webp", ".bmp", ".tif"])
def test_other_formats_keep_size_and_colors(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_image(path, gradient())
    read = np.array(Image.open(path).convert("RGB")).astype(int)
    assert read.shape == (41, 63, 3)
    assert np.abs(read - gradient()).mean() < 3


def test_refuses_at_once_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(SinkError, match=r"a\.gif is no picture .* \.png"):
        ImageSink(tmp_path / "a.gif", lambda result: result.frame.image_rgb)
    with pytest.raises(SinkError, match="is a folder"):
        ImageSink(tmp_path / "folder.png", lambda result: result.frame.image_rgb)
