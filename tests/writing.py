"""Writing videos with sound in tests, and reading them back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.sinks.video import VideoSink


def make_image(index: int, width: int = 64, height: int = 48) -> np.ndarray:
    """Smooth, and different for each index."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 3 + index, y * 4, np.full_like(x, 40 + index * 5 % 200)], axis=-1).astype(np.uint8)


def result(index: int, time_s: float, image: np.ndarray | None = None) -> Result:
    return Result(Frame(index, time_s, make_image(index) if image is None else image, 0.0))


def drawn(result: Result) -> np.ndarray:
    return result.frame.image_rgb


def write(path: Path, times_s: list[float], images: list[np.ndarray] | None = None, **options: object) -> VideoSink:
    sink = VideoSink(path, drawn, **options)
    for index, time_s in enumerate(times_s):
        sink.write(result(index, time_s, None if images is None else images[index]))
    sink.close()
    return sink


def read(path: Path) -> tuple[list[Fraction], list[np.ndarray]]:
    with av.open(str(path)) as container:
        frames = [
            (frame.pts * frame.time_base, frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)
        ]
    return [time_s for time_s, _ in frames], [image for _, image in frames]


def audio(path: Path) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in container.demux(stream) if packet.size]


def make_source(path: Path, codec: str = "aac", frames: int = 30, audio_s: float = 1.5) -> Path:
    """A clip of 20 frames per second with a tone."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=20)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        tone = container.add_stream(codec, rate=48_000)
        tone.bit_rate = 128_000
        samples = np.sin(np.arange(int(audio_s * 48_000)) * 0.05).astype(np.float32)
        for index in range(frames):
            container.mux(video.encode(av.VideoFrame.from_ndarray(make_image(index), format="rgb24")))
        for start in range(0, len(samples), 1024):
            chunk = av.AudioFrame.from_ndarray(
                np.tile(samples[start : start + 1024], (tone.channels, 1)), format="fltp", layout=tone.layout.name
            )
            chunk.sample_rate, chunk.pts, chunk.time_base = 48_000, start, Fraction(1, 48_000)
            container.mux(tone.encode(chunk))
        container.mux(video.encode(None))
        container.mux(tone.encode(None))
    return path


def sound(path: Path) -> tuple[str, np.ndarray]:
    """Codec and samples of the first channel of the first sound track."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
        return container.streams.audio[0].codec_context.name, np.concatenate(
            [
                frame.to_ndarray()[0] if frame.format.is_planar else frame.to_ndarray()[0, :: frame.layout.nb_channels]
                for frame in frames
            ]
        )


def tone_hz(samples: np.ndarray, rate_hz: int = 48_000) -> float:
    """The loudest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate_hz / len(samples))
