"""Frames as a player shows them: upright, of square pixels, without combs, and HDR as an ordinary screen shows it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from streamer.data.frame import Frame
from streamer.data.original import HLG, PQ
from streamer.sources import tone_mapping
from streamer.sources.combs import Combs
from streamer.sources.file import VideoSource
from tests.videos import make_video, numbered_image

IDENTITY = (1, 0, 0, 1)
TURNS = {
    "as it is": (IDENTITY, lambda image: image),
    "mirrored": ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
    "upside down": ((1, 0, 0, -1), lambda image: image[::-1]),
    "half turn": ((-1, 0, 0, -1), lambda image: image[::-1, ::-1]),
    "to the right": ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
    "to the left": ((0, -1, 1, 0), lambda image: np.rot90(image)),
    "transposed": ((0, 1, 1, 0), lambda image: image.transpose(1, 0, 2)),
    "transposed the other way": ((0, -1, -1, 0), lambda image: np.rot90(image, 2).transpose(1, 0, 2)),
}


def frames_of(path: Path) -> list[Frame]:
    with VideoSource(path) as source:
        return list(iter(source.read, None))


def matrix(a: int, b: int, c: int, d: int) -> bytes:
    return b"".join(
        value.to_bytes(4, signed=True) for value in (a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    )


@pytest.mark.parametrize("name", TURNS)
def test_turned_and_mirrored_videos_are_shown_as_a_player_shows_them(tmp_path: Path, name: str) -> None:
    turn, turned = TURNS[name]
    path = make_video(tmp_path / "clip.mp4", 2)
    content = path.read_bytes()
    header = content.index(b"tkhd")
    place = content.index(matrix(*IDENTITY), header)
    path.write_bytes(content[:place] + matrix(*turn) + content[place + 36 :])
    expected = turned(numbered_image(1))
    frame = frames_of(path)[1]
    assert frame.image_rgb.shape == expected.shape
    assert frame.image_rgb.flags.c_contiguous
    assert np.abs(frame.image_rgb.astype(int) - expected).mean() < 6


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        (Fraction(4, 3), (86, 48)),
        (Fraction(8), (512, 48)),
        (Fraction(1, 2), (64, 96)),
        (Fraction(100), (64, 48)),
    ],
    ids=str,
)
def test_pixels_become_square_and_none_is_thrown_away(tmp_path: Path, aspect: Fraction, size: tuple[int, int]) -> None:
    path = make_video(tmp_path / "clip.mp4", 2, pixel_aspect=aspect)
    assert {frame.size for frame in frames_of(path)} == {size}


def test_a_size_that_changes_is_fitted_between_bars_and_told(tmp_path: Path) -> None:
    white = [np.full((96, 96, 3), 235, np.uint8)] * 3
    first = make_video(tmp_path / "first.ts", 3, size=(128, 64), images=[np.full((64, 128, 3), 235, np.uint8)] * 3)
    second = make_video(tmp_path / "second.ts", 3, size=(96, 96), images=white)
    (tmp_path / "clip.ts").write_bytes(first.read_bytes() + second.read_bytes())
    source = VideoSource(tmp_path / "clip.ts")
    frames = [frame for frame in (source.read() for _ in range(3)) if frame is not None]
    assert source.remark is None
    frames += list(iter(source.read, None))
    assert {frame.size for frame in frames} == {(128, 64)}
    assert frames[0].image_rgb.min() > 200
    lit = np.flatnonzero(frames[-1].image_rgb[32, :, 0] > 128)
    assert (lit[0], lit[-1]) == (32, 95)
    assert source.damage is None
    told = "changes its size after 0.12 s, to 96x96: what is not of the first frame's size is fitted into 128x64."
    assert source.remark == f"{tmp_path / 'clip.ts'} {told}"


def combed(path: Path, count: int = 20, size: tuple[int, int] = (128, 96)) -> Path:
    """MPEG-2 in which a bar moves 4 pixels between the two halves of each frame."""
    graph = av.filter.Graph()
    width, height = size
    source = graph.add_buffer(width=width, height=height, format="yuv420p", time_base=Fraction(1, 25))
    graph.link_nodes(source, graph.add("setfield", "tff"), graph.add("buffersink"))
    graph.configure()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25, options={"flags": "+ilme+ildct", "b": "8M"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(count):
            image = np.full((height, width, 3), 40, np.uint8)
            for field in (0, 1):
                left = 4 * (2 * index + field) % width
                image[field::2, left : left + 16] = 220
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            graph.push(frame)
            container.mux(stream.encode(graph.pull()))
        container.mux(stream.encode(None))
    return path


def combs(image: np.ndarray) -> float:
    """How much rows differ from their neighbors, where these are alike."""
    gray = image.mean(axis=2)
    return float(np.abs(gray[1:-1] - (gray[:-2] + gray[2:]) / 2).mean())


def test_interlaced_frames_lose_their_combs_and_none_is_lost(tmp_path: Path) -> None:
    path = combed(tmp_path / "clip.mpg")
    with av.open(str(path)) as container:
        raw = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert np.mean([combs(image) for image in raw]) > 5
    frames = frames_of(path)
    assert len(frames) == len(raw)
    assert [frame.time_s for frame in frames] == pytest.approx([index / 25 for index in range(len(raw))], abs=1e-4)
    assert np.mean([combs(frame.image_rgb) for frame in frames]) < 1


@pytest.mark.parametrize("first", [0, 1], ids=["top first", "bottom first"])
def test_combs_that_nobody_has_marked_are_seen(tmp_path: Path, first: int) -> None:
    path = tmp_path / "clip.mp4"
    images = []
    for index in range(20):
        image = np.full((240, 320, 3), 40, np.uint8)
        for field in (0, 1):
            left = 20 + 4 * (2 * index + field)
            image[(field + first) % 2 :: 2, left : left + 60] = 220
        images.append(image)
    make_video(path, 20, size=(320, 240), images=images)
    frames = frames_of(path)
    assert [frame.time_s for frame in frames] == pytest.approx([index / 25 for index in range(20)], abs=1e-4)
    assert np.mean([combs(image) for image in images]) > 2
    assert max(combs(frame.image_rgb) for frame in frames) < 0.7


def test_what_moves_without_combs_is_left_alone(tmp_path: Path) -> None:
    lines = np.arange(240)[:, None, None] * np.ones((1, 320, 3))
    patterns = {
        "stripes that change places": lambda index: (lines + index) % 2 * 255,
        "a bar": lambda index: np.roll(np.where(np.arange(320)[None, :, None] < 60, 220, 40) + 0 * lines, 8 * index, 1),
        "noise": lambda index: np.random.default_rng(index).integers(0, 256, (240, 320, 3)),
    }
    for name, pattern in patterns.items():
        found = Combs()
        for index in range(60):
            image = np.ascontiguousarray(pattern(index).astype(np.uint8))
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            frame.pts = index
            found.look(frame, Fraction(1, 25))
        assert found.parity is None, name


def hlg(light: np.ndarray) -> np.ndarray:
    """ITU-R BT.2100 HLG of display light in cd/m2, BT.2020."""
    luma = np.maximum(light @ (0.2627, 0.6780, 0.0593), 1e-6)[..., None]
    scene = light / 1000 * (luma / 1000) ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)


def pq(light: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084 of cd/m2."""
    power = (np.clip(light, 0, 10_000) / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def make_hdr(path: Path, image: np.ndarray, transfer: int) -> Path:
    """An SDR image as HDR cameras and editors would hold it: its white at 203 cd/m2 (ITU-R BT.2408)."""
    to_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    light = (image / 255) ** 2.4 @ to_2020.T * 203
    signal = np.round((pq if transfer == PQ else hlg)(light) * 65535).astype(np.uint16)
    height, width = image.shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=25, options={"x265-params": "log-level=none:crf=6:bframes=0"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p10le"
        codec = stream.codec_context
        codec.color_primaries, codec.color_trc, codec.colorspace, codec.color_range = 9, transfer, 9, 1
        for index in range(2):
            frame = av.VideoFrame.from_ndarray(signal, format="rgb48le")
            frame = frame.reformat(format="yuv420p10le", src_colorspace=9, dst_colorspace=9, dst_color_range=1)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("transfer", [PQ, HLG], ids=["PQ", "HLG"])
def test_hdr_looks_like_the_sdr_that_it_was_made_of(tmp_path: Path, transfer: int) -> None:
    patches = np.random.default_rng(0).integers(0, 256, (6, 8, 3))
    image = np.kron(patches, np.ones((16, 16, 1))).astype(np.uint8)
    path = make_hdr(tmp_path / "clip.mp4", image, transfer)
    with VideoSource(path) as source:
        frames = list(iter(source.read, None))
        name = "PQ" if transfer == PQ else "HLG"
        told = "it is shown and written as BT.709, tone-mapped (--hdr keep leaves it HDR)."
        assert source.info.notice == f"{path} is HDR ({name}): {told}"
    seen = frames[1].image_rgb[8::16, 8::16].astype(int)
    assert np.abs(seen - patches).mean() < 3
    with av.open(str(path)) as container:
        untouched = next(container.decode(video=0)).to_ndarray(format="rgb24")[8::16, 8::16].astype(int)
    assert np.abs(untouched - patches).mean() > 20


def test_highlights_are_rolled_off_without_a_step() -> None:
    light = np.linspace(0, 1000, 2001)[:, None] * np.ones(3)
    for transfer, coded in ((PQ, pq(light)), (HLG, hlg(light))):
        levels = tone_mapping.to_sdr(coded, transfer)[:, 0]
        assert np.diff(levels).min() > -1e-4
        assert np.diff(levels[2:]).max() < 0.03
        assert levels[-1] == pytest.approx(1, abs=0.01)
        assert levels[np.searchsorted(light[:, 0], 203)] == pytest.approx(0.96, abs=0.03)
