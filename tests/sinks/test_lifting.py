"""What has more than 8 bits stays as it was where nothing is drawn on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamer.data.original import HLG, PQ, Hdr
from streamer.data.result import Result
from streamer.errors import SinkError
from streamer.sinks.containers import hdr_container
from streamer.sinks.image import ImageSink
from streamer.sinks.lifting import lifted
from streamer.sinks.opening import video_sink
from streamer.sinks.parameters import VideoParameters
from streamer.sources import tone_mapping
from streamer.sources.file import VideoSource
from streamer.sources.images import ImageFolderSource
from tests.sources.test_looks import make_hdr

SQUARE = slice(16, 32), slice(16, 32)


def with_a_square(result: Result) -> np.ndarray:
    """The picture with a red square on it and the same beside it."""
    image = result.frame.image_rgb.copy()
    image[SQUARE] = (200, 30, 30)
    return np.hstack([image, image])


@pytest.mark.parametrize("transfer", [PQ, HLG], ids=["PQ", "HLG"])
def test_hdr_that_is_kept_has_its_light_and_its_tags_and_drawings_their_colors(tmp_path: Path, transfer: int) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (6, 8, 3))
    source_path = make_hdr(tmp_path / "clip.mp4", np.kron(levels, np.ones((16, 16, 1))).astype(np.uint8), transfer)
    path = tmp_path / "out.mp4"
    with VideoSource(source_path, keep_hdr=True) as source:
        sink = video_sink(path, source.info, with_a_square, VideoParameters(crf=6))
        while (frame := source.read()) is not None:
            sink.write(Result(frame))
        sink.close()
    with av.open(str(source_path)) as container:
        original = next(container.decode(video=0)).to_ndarray(format="rgb48le").astype(int)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "hevc"
        assert stream.codec_context.codec_tag == "hvc1"
        frames = list(container.decode(video=0))
    tags = frames[0].color_trc, frames[0].color_primaries, frames[0].colorspace
    assert (frames[0].format.name, *map(int, tags)) == ("yuv420p10le", transfer, 9, 9)
    assert len(frames) == 2
    written = frames[0].to_ndarray(format="rgb48le")
    untouched = np.abs(written[:, :128].astype(int) - original)[40::16, 8::16]  # the middles of patches
    assert untouched.mean() < 65535 * 0.004
    seen = tone_mapping.to_sdr(written[24, [24, 128 + 24]] / 65535, transfer) * 255
    assert np.abs(seen - (200, 30, 30)).max() < 12


def test_what_the_source_says_of_its_screen_is_passed_on(tmp_path: Path) -> None:
    screen = (35400, 14600, 8500, 39850, 6550, 2300, 15635, 16450, 50, 10_000_000)
    kind = hdr_container(tmp_path / "out.mkv", Hdr(PQ, screen, (1000, 400)), 20, "veryfast")
    said = "master-display=G(8500,39850)B(6550,2300)R(35400,14600)WP(15635,16450)L(10000000,50):max-cll=1000,400"
    assert (kind.encoding or {})["x265-params"].endswith(said)
    with pytest.raises(SinkError, match=r"out\.webm cannot hold HDR"):
        hdr_container(tmp_path / "out.webm", Hdr(PQ), 20, "veryfast")


def test_the_screen_is_read_from_a_video(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    told = "G(8500,39850)B(6550,2300)R(35400,14600)WP(15635,16450)L(10000000,50)"
    with av.open(str(path), "w") as container:
        words = f"log-level=none:bframes=0:master-display={told}:max-cll=1000,400"
        stream = container.add_stream("libx265", rate=25, options={"x265-params": words})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p10le"
        stream.codec_context.color_trc, stream.codec_context.colorspace = PQ, 9
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame.reformat(format="yuv420p10le")))
        container.mux(stream.encode(None))
    with VideoSource(path, keep_hdr=True) as source:
        screen = (35400, 14600, 8500, 39850, 6550, 2300, 15635, 16450, 50, 10_000_000)
        assert source.info.hdr == Hdr(PQ, screen, (1000, 400))


@pytest.mark.parametrize("bits", [12, 16])
def test_pictures_of_16_bits_stay_so_where_nothing_is_drawn(tmp_path: Path, bits: int) -> None:
    most = 2**bits - 1
    values = np.random.default_rng(0).integers(0, most + 1, (48, 64, 3)).astype(np.uint16)
    values[0, 0] = most
    cv2.imwrite(str(tmp_path / "0.png"), values)
    source = ImageFolderSource([tmp_path / "0.png"], keep_bits=True)
    frame = source.read()
    sink = ImageSink(tmp_path / "out" / "%04d.png", with_a_square)
    sink.write(Result(frame))
    written = cv2.imread(str(tmp_path / "out" / "0000.png"), cv2.IMREAD_UNCHANGED)
    assert written.dtype == np.uint16
    drawn = np.zeros((48, 64), bool)
    drawn[SQUARE] = True
    assert np.array_equal(written[:, :64][~drawn], values[~drawn])
    assert written[20, 20].tolist() == [30 * most // 255, 30 * most // 255, 200 * most // 255]
    plain = replace(frame, original=None)
    assert np.array_equal(lifted(frame.image_rgb, plain), frame.image_rgb.astype(np.uint16) * 257)


def test_a_video_of_ten_bits_gives_pictures_of_16(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gbrp10le"
        ramp = np.broadcast_to((np.arange(64) * 257).astype(np.uint16)[None, :, None], (48, 64, 3))
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(ramp), format="rgb48le")
        container.mux(stream.encode(frame.reformat(format="gbrp10le")))
        container.mux(stream.encode(None))
    with VideoSource(path, keep_bits=True) as source:
        frame = source.read()
    assert frame is not None
    assert frame.original is not None
    assert len(np.unique(frame.original.image[24, :, 1])) > 60
    with VideoSource(path) as source:
        assert source.read().original is None
