"""Small videos made for tests, each frame of which tells its own number."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

STEP = 8


def numbered_image(number: int, size: tuple[int, int] = (64, 48)) -> NDArray[np.uint8]:
    """A gray picture whose level is ``number * STEP``, with a red top left quarter and a blue bottom right one."""
    width, height = size
    image = np.full((height, width, 3), number * STEP % 200 + 20, np.uint8)
    image[: height // 4, : width // 4] = (200, 20, 20)
    image[-(height // 4) :, -(width // 4) :] = (20, 20, 200)
    return image


def number_of(image: NDArray[np.uint8]) -> int:
    """The number in a `numbered_image`, after lossy coding, too."""
    height, width = image.shape[:2]
    level = float(image[height // 2 - 4 : height // 2 + 4, width // 2 - 4 : width // 2 + 4].mean())
    return round((level - 20) / STEP)


def make_video(
    path: Path,
    count: int = 12,
    *,
    size: tuple[int, int] = (64, 48),
    rate_hz: Fraction | int = 25,
    times_ms: Sequence[int] | None = None,
    rotation: int = 0,
    audio: bool = False,
    pixel_aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
    images: Sequence[NDArray[np.uint8]] | None = None,
) -> Path:
    """Write an H.264 video of numbered pictures, or of ``images`` of that size.

    ``times_ms`` gives each frame a time of its own (variable rate); ``rotation`` is in degrees to the left, as
    a player has to turn the frames; ``options`` go to the container.
    """
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream("libx264", rate=rate_hz, options={"crf": "10", "g": "6"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if rotation:
            stream.set_display_rotation(rotation)
        time_base = Fraction(1, 1000) if times_ms else 1 / Fraction(rate_hz)
        stream.codec_context.time_base = time_base
        sound = container.add_stream("aac", rate=16_000) if audio else None
        for number in range(count):
            image = numbered_image(number, size) if images is None else images[number]
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = times_ms[number] if times_ms else number
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), format="fltp", layout="mono")
            silence.sample_rate = 16_000
            silence.pts = 0
            container.mux(sound.encode(silence))
            container.mux(sound.encode(None))
    return path
