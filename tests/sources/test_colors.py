"""Colors as a player shows them, whatever they were encoded in."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from streamer.sources.file import VideoSource

MATRICES = {"BT.709": (0.2126, 0.0722, 1), "BT.601": (0.299, 0.114, 6), "BT.2020": (0.2627, 0.0593, 9)}
"""Shares of red and blue in luma, and how FFmpeg numbers the matrix."""
FORMATS = {
    "yuv420p": (8, 2, 2),
    "yuv422p": (8, 1, 2),
    "yuv444p": (8, 1, 1),
    "yuv420p10le": (10, 2, 2),
    "yuv422p10le": (10, 1, 2),
    "yuv444p12le": (12, 1, 1),
}
"""Bits, and how many rows and columns share a color."""
PATCHES = np.random.default_rng(1).integers(0, 256, (5, 6, 3))


def planes_of(rgb: np.ndarray, pix_fmt: str, matrix: str, full: bool) -> list[np.ndarray]:
    """Y'CbCr by the formulas of ITU-R BT.709 and BT.2020, of RGB from 0 to 1."""
    red, blue, _ = MATRICES[matrix]
    bits, rows, columns = FORMATS[pix_fmt]
    luma = rgb @ (red, 1 - red - blue, blue)
    cb, cr = (rgb[..., 2] - luma) / (2 - 2 * blue), (rgb[..., 0] - luma) / (2 - 2 * red)
    most, step = 2**bits - 1, 2 ** (bits - 8)
    scales = (most, 0, most, 2 ** (bits - 1)) if full else (219 * step, 16 * step, 224 * step, 128 * step)
    planes = [luma * scales[0] + scales[1], *(c[::rows, ::columns] * scales[2] + scales[3] for c in (cb, cr))]
    return [np.round(plane).clip(0, most).astype(np.uint8 if bits == 8 else np.uint16) for plane in planes]


def make_patches(path: Path, pix_fmt: str, matrix: str, full: bool) -> Path:
    """Lossless patches, tagged as what they are."""
    image = np.kron(PATCHES, np.ones((16, 16, 1))) / 255
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = image.shape[1], image.shape[0], pix_fmt
        stream.codec_context.colorspace, stream.codec_context.color_range = MATRICES[matrix][2], 2 if full else 1
        frame = av.VideoFrame(image.shape[1], image.shape[0], pix_fmt)
        for plane, values in zip(frame.planes, planes_of(image, pix_fmt, matrix, full), strict=True):
            padded = np.zeros((plane.height, plane.line_size // values.itemsize), values.dtype)
            padded[:, : plane.width] = values
            plane.update(padded.tobytes())
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_patches_come_out_as_they_went_in(tmp_path: Path, pix_fmt: str, matrix: str, full: bool) -> None:
    with VideoSource(make_patches(tmp_path / "clip.mkv", pix_fmt, matrix, full)) as source:
        frame = source.read()
    assert frame is not None
    assert np.abs(frame.image_rgb[8::16, 8::16].astype(int) - PATCHES).mean() < 1.5


@pytest.mark.parametrize(("pix_fmt", "levels"), [("gray", 255), ("gray10le", 1023), ("gray16le", 65535)])
def test_gray_of_any_depth_runs_from_black_to_white(tmp_path: Path, pix_fmt: str, levels: int) -> None:
    ramp = np.linspace(0, levels, 64).astype(np.uint8 if levels == 255 else np.uint16)[None].repeat(16, axis=0)
    with av.open(str(tmp_path / "clip.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 16, pix_fmt
        stream.codec_context.color_range = 2
        frame = av.VideoFrame.from_ndarray(ramp, format=pix_fmt)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with VideoSource(tmp_path / "clip.mkv") as source:
        read = source.read()
    assert read is not None
    assert np.abs(read.image_rgb[8].mean(axis=-1) - np.linspace(0, 255, 64)).mean() < 1.5
