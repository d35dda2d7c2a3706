"""Forty small clips, each odd in its own way, and what is right to come out of each."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from tests.videos import make_video, numbered_image

COUNT = 10
Made = tuple[str, int]
"""How its record must stand, and how many frames there are."""


def encoded(codec: str, pix_fmt: str = "yuv420p", size: tuple[int, int] = (64, 48), **options: str) -> Callable:
    """Ten frames in this codec."""

    def make(path: Path) -> Made:
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=25, options=options)
            stream.width, stream.height = size
            stream.pix_fmt = pix_fmt
            for number in range(COUNT):
                frame = av.VideoFrame.from_ndarray(numbered_image(number, size), format="rgb24")
                container.mux(stream.encode(frame.reformat(format=pix_fmt)))
            container.mux(stream.encode(None))
        return "finished", COUNT

    return make


def video(count: int = COUNT, **options: object) -> Callable:
    def make(path: Path) -> Made:
        make_video(path, count, **options)
        return "finished", count

    return make


def by_ffmpeg(*options: str, count: int = COUNT) -> Callable:
    """What PyAV has no words for, of a test picture of ten frames (0) and a red one of twenty-five (1)."""
    sources = "testsrc2=size=64x48:rate=25:duration=0.4", "color=red:size=64x48:rate=25:duration=1"
    inputs = [word for source in sources for word in ("-f", "lavfi", "-i", source)]

    def make(path: Path) -> Made:
        subprocess.run(["ffmpeg", "-v", "error", *inputs, *options, str(path)], check=True)
        return "finished", count

    return make


def mirrored(path: Path) -> Made:
    make_video(path)
    content = path.read_bytes()
    one, minus_one = (1 << 16).to_bytes(4), (-1 << 16).to_bytes(4, signed=True)
    place = content.index(one + bytes(12) + one, content.index(b"tkhd"))
    path.write_bytes(content[:place] + minus_one + content[place + 4 :])
    return "finished", 12


def cut_off(path: Path) -> Made:
    make_video(path, 40, options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[:-2000])
    return "damaged", -1


def broken_inside(path: Path) -> Made:
    make_video(path, 40)
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][20]
    content = bytearray(path.read_bytes())
    content[packet.pos : packet.pos + packet.size] = bytes(packet.size)
    path.write_bytes(content)
    return "damaged", 38  # two, because one of the others needs the broken one


def content(data: bytes) -> Callable:
    def make(path: Path) -> Made:
        path.write_bytes(data)
        return "quarantined", 0

    return make


def only_sound(path: Path) -> Made:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), format="fltp", layout="mono")
        silence.sample_rate, silence.pts = 16_000, 0
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    return "quarantined", 0


def joined(path: Path) -> Made:
    part = make_video(path.with_name("part.tmp.ts"), COUNT, audio=True)
    path.write_bytes(part.read_bytes() * 2)
    part.unlink()
    return "finished", 2 * COUNT


def pictures(path: Path) -> Made:
    path.mkdir()
    for number in range(4):
        Image.fromarray(numbered_image(number)).save(path / f"{number}.png")
    return "finished", 4


def animated(path: Path) -> Made:
    images = [Image.fromarray(numbered_image(number)) for number in range(COUNT)]
    images[0].save(path, save_all=True, append_images=images[1:], duration=40)
    return "finished", COUNT


_BOTH = ("-map", "0", "-map", "1", "-disposition:v:0", "0", "-disposition:v:1", "default")
_HLG = ("-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le")
_HLG += ("-color_primaries", "bt2020", "-color_trc", "arib-std-b67", "-colorspace", "bt2020nc")
CLIPS: dict[str, Callable[[Path], Made]] = {
    "plain.mp4": video(),
    "sound.mp4": video(audio=True),
    "sound.mkv": video(audio=True),
    "sound.ts": video(audio=True),
    "film.mov": video(rate_hz=Fraction(24000, 1001)),
    "slow.mp4": video(rate_hz=1),
    "fast.mp4": video(rate_hz=240),
    "variable.mkv": video(times_ms=[0, 10, 50, 51, 200, 900, 901, 950, 1000, 5000]),
    "late.mkv": video(times_ms=[900 + 40 * number for number in range(COUNT)]),
    "turned 90.mp4": video(rotation=90),
    "two films.mkv": by_ffmpeg(*_BOTH, count=25),
    "stretched.mp4": video(pixel_aspect=Fraction(4, 3)),
    "single.mp4": video(1),
    "two.avi": video(2),
    "tiny.mp4": video(size=(16, 16)),
    "mirrored.mp4": mirrored,
    "fragments.mp4": video(options={"movflags": "frag_keyframe+empty_moov"}),
    "Übung [1] #2 %d.mp4": video(),
    "joined.ts": joined,
    "mpeg4.avi": encoded("mpeg4"),
    "hevc.mp4": encoded("libx265", **{"x265-params": "log-level=none"}),
    "ten bits.mp4": encoded("libx264", "yuv420p10le"),
    "fine color.mp4": encoded("libx264", "yuv444p"),
    "gray.mkv": encoded("ffv1", "gray"),
    "odd.mkv": encoded("ffv1", "bgr0", size=(63, 47)),
    "mjpeg.avi": encoded("mjpeg", "yuvj420p"),
    "interlaced.mpg": by_ffmpeg("-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-top", "1"),
    "mpeg2.ts": encoded("mpeg2video"),
    "vp8.webm": encoded("libvpx"),
    "vp9.webm": encoded("libvpx-vp9", deadline="realtime"),
    "alpha.mov": encoded("png", "rgba"),
    "bright.mp4": by_ffmpeg(*_HLG),
    "moving.gif": animated,
    "pictures": pictures,
    "cut off.mp4": cut_off,
    "broken inside.mp4": broken_inside,
    "empty.mp4": content(b""),
    "text.mkv": content(b"This is a letter, not a film. " * 100),
    "noise.ts": content(np.random.default_rng(0).integers(0, 256, 20_000, dtype=np.uint8).tobytes()),
    "only sound.mp4": only_sound,
}


def make_clips(folder: Path) -> dict[str, Made]:
    """All of them, by what a batch calls them."""
    folder.mkdir()
    made = {name: make(folder / name) for name, make in CLIPS.items()}
    stems = [Path(name).stem for name in made]
    return {stem if stems.count(stem) == 1 else name: made[name] for name, stem in zip(made, stems, strict=True)}
