"""Video files with the source's own timestamps and audio, playable whenever the writing stops."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from streamer.data import cores
from streamer.data.result import Result
from streamer.errors import SinkError
from streamer.sinks.audio import AudioCopy, SoundSource, is_of_the_system
from streamer.sinks.containers import CONTAINERS, Container
from streamer.sinks.faststart import index_first
from streamer.sinks.outputs import Claim, broken_off, make_room, shortened, unwritable

Image = NDArray[np.unsignedinteger[Any]]

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_CLOCK = Fraction(1, 90_000)
_FINEST = Fraction(1, 10_000_000)
_KEYFRAME_S = Fraction(1)
_NO_COLORS = ("pal8", "gray12le")
"""Pixel formats that are not converted from RGB by a color space."""


class VideoSink:
    """Draws each result and encodes it.

    The file grows under another name (``out.partial.mp4`` for ``out.mp4``) and takes its own when it is closed, after
    an orderly interruption as well. What a killed process leaves under the other name plays up to one or two seconds
    before the end, and is never overwritten by a later run.

    Pictures of odd size are padded by one pixel that repeats the edge, since yuv420p has even sizes only. Pictures
    that are not of the video's size are scaled to fit into it, between black bars; so are those that are larger than
    the encoder takes. Matroska keeps time in ms, GIF in hundredths of a second: frames that it cannot show are left
    out and told.

    Args:
        path: Where to write; its end is one of `CONTAINERS`. Missing folders are created.
        draw: Makes the ``(H, W, 3)`` uint8 RGB picture of a result, uint16 where the kind of file has more bits; RGBA
            where it has alpha, ``(H, W)`` uint16 where it is 12-bit gray.
        size: (width, height) of the video [px]; None takes that of the first picture.
        rate_hz: Nominal frame rate, used for the length of the last frame and by players as a hint.
        time_base: Unit of the source's timestamps [s], so that they stay exact; None takes 1/90000 s.
        start_s: Media time that becomes 0 [s]; None takes that of the first result (a recording begun midway).
        audio_from: A file, its address, or what opens its bytes, whose sound is taken along, as it is where possible.
        video_stream: Which stream of that file the frames come from; None for its first video.
        crf: Quality of libx264, 0 (lossless) to 51.
        preset: Speed of libx264.
        threads: Encoder threads; 0 takes as many cores as this process may use.
        kind: What to write, if not what the name's end stands for.
        metadata: Tags of the container.

    Attributes:
        warning: One sentence about audio that had to be left out; None where all is well.

    Raises:
        SinkError: The suffix or preset is not known, or the path cannot be written.
    """

    def __init__(
        self,
        path: Path,
        draw: Callable[[Result], Image],
        *,
        size: tuple[int, int] | None = None,
        rate_hz: Fraction | None = None,
        time_base: Fraction | None = None,
        start_s: float | None = 0.0,
        audio_from: SoundSource | None = None,
        video_stream: int | None = None,
        crf: int = 20,
        preset: str = "veryfast",
        threads: int = 0,
        kind: Container | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        if kind is None and path.suffix.lower() not in CONTAINERS:
            raise SinkError(f"{path.name} is no video that can be written: end its name in {', '.join(CONTAINERS)}.")
        if preset not in PRESETS:
            raise SinkError(f"libx264 has no preset {preset!r}: choose one of {', '.join(PRESETS)}.")
        self.name = path.name
        self._warnings: list[str] = []
        self._path = path
        self._draw = draw
        self._size = size
        self._rate_hz = rate_hz or Fraction(30)
        self._kind = kind or CONTAINERS[path.suffix.lower()]
        self._metadata = metadata or {}
        self._time_base = time_base if time_base is not None and time_base >= _FINEST else _CLOCK
        if self._kind.ticks_hz is not None:
            self._time_base = Fraction(1, self._kind.ticks_hz)
        self._start_s = start_s
        self._audio_from = audio_from
        self._video_stream = video_stream
        self._options = self._kind.encoder_options(crf, preset)
        self._threads = threads
        self._container: av.container.OutputContainer | None = None
        self._audio: AudioCopy | None = None
        self._last_pts = -self._kind.least_ticks
        self._left_out = 0
        self._next_keyframe_s = Fraction(0)
        self._error: SinkError | None = None
        self._closed = False
        make_room(path)
        try:
            self._claim = Claim(path)
        except OSError as error:
            raise unwritable(path, error) from None
        self._partial = self._claim.path

    @property
    def warning(self) -> str | None:
        """What had to be left out or changed, in a sentence for each; None where all is well."""
        warnings = list(self._warnings)
        if self._left_out:
            warnings.append(f"{self._left_out} frames were left out, because {self._kind.format} cannot show so many.")
        if self._audio is not None and self._audio.warning:
            warnings.append(self._audio.warning)
        return " ".join(warnings) or None

    def write(self, result: Result) -> None:
        """Draw and encode the next result.

        Raises:
            SinkError: It cannot be written; what was written before is kept and named in the message.
        """
        if self._error is not None:
            raise self._error
        image = self._draw(result)
        with self._reporting():
            if self._container is None:
                self._open(image, result.time_s)
            self._encode(image, result.time_s)

    def close(self) -> None:
        """Finish the file and give it its final name; leaves nothing behind where nothing was written.

        Raises:
            SinkError: It cannot be finished; what was written is kept and named in the message.
        """
        if self._closed:
            return
        self._closed = True
        try:
            if self._container is None:
                self._claim.remove()
            elif self._error is not None:
                with contextlib.suppress(av.FFmpegError):
                    self._container.close()
                self._claim.remove()
            else:
                with self._reporting():
                    self._finish()
        finally:
            self._claim.release()
            if self._audio is not None:
                self._audio.close()

    def _open(self, image: Image, time_s: float) -> None:
        height, width = image.shape[:2]
        width, height = self._size or (width, height)
        self._size = self._size_for(width, height)
        if self._start_s is None:
            self._start_s = time_s
        options = dict(self._kind.options)
        if self._kind.timescale:
            options["movie_timescale"] = str(self._time_base.denominator)  # The default rounds a late start to 1 ms.
        place = str(self._partial.absolute())
        container = self._container = av.open(place, "w", format=self._kind.format, options=options)
        container.metadata.update(self._metadata)
        self._stream = self._add_stream(container)
        if self._audio_from is not None:
            start_s, suffix = Fraction(self._start_s), self._path.suffix.lower()
            self._audio = AudioCopy(
                *(self._audio_from, container, start_s, self._kind.lead_s, dict(self._kind.options), suffix),
                self._video_stream,
            )
        container.start_encoding()

    def _size_for(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of the video: even, and no larger than the encoder takes [px]."""
        longest_px = self._kind.longest_px
        size = width + width % 2, height + height % 2
        if max(size) <= longest_px:
            return size
        scale = longest_px / max(size)
        size = max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)
        self._warnings.append(
            f"{self._path.name} is {size[0]}x{size[1]} instead of {width}x{height}, which is more than its codec takes."
        )
        return size

    def _add_stream(self, container: av.container.OutputContainer) -> av.VideoStream:
        assert self._size is not None
        stream: av.VideoStream = container.add_stream(self._kind.codec, rate=self._rate_hz, options=self._options)
        stream.width, stream.height = self._size
        stream.pix_fmt = self._kind.pix_fmt
        stream.time_base = stream.codec_context.time_base = self._time_base
        stream.codec_context.thread_count = self._threads or cores.limit()
        if self._kind.pix_fmt in _NO_COLORS:
            return stream
        stream.bit_rate = 0  # quality alone decides
        # Without B-frames pictures are written in the order they are shown: less is lost when the process is killed.
        stream.codec_context.max_b_frames = 0
        stream.codec_context.color_range = ColorRange.MPEG
        stream.codec_context.colorspace = self._kind.colors.matrix
        stream.codec_context.color_primaries = self._kind.colors.primaries
        stream.codec_context.color_trc = self._kind.colors.transfer
        if self._kind.tag is not None:
            stream.codec_context.codec_tag = self._kind.tag
        return stream

    def _encode(self, image: Image, time_s: float) -> None:
        assert self._container is not None
        assert self._size is not None
        assert self._start_s is not None
        time_s -= self._start_s
        pts = round(Fraction(time_s) / self._time_base)
        if self._kind.least_ticks > 1 and pts < self._last_pts + self._kind.least_ticks:
            self._left_out += 1
            return
        self._last_pts = max(pts, self._last_pts + 1)
        frame = self._frame_of(np.ascontiguousarray(_fitted(image, self._size)))
        frame.pts, frame.time_base = self._last_pts, self._time_base
        frame.duration = max(round(1 / self._rate_hz / self._time_base), 1)
        shown_s = self._last_pts * self._time_base
        if shown_s >= self._next_keyframe_s:
            frame.pict_type = PictureType.I
            self._next_keyframe_s = shown_s + _KEYFRAME_S
        self._mux(self._stream.encode(frame))
        if self._audio is not None:
            self._audio.copy_until(shown_s)

    def _frame_of(self, image: Image) -> av.VideoFrame:
        """The image as the encoder takes it."""
        if self._kind.pix_fmt == "pal8":
            return _in_256_colors(image)
        if self._kind.pix_fmt == "gray12le":
            numbers: av.VideoFrame = av.VideoFrame.from_ndarray(image, format="gray12le")
            return numbers
        if image.dtype == np.uint16:
            frame = av.VideoFrame.from_ndarray(image, format="rgb48le")
        else:
            frame = av.VideoFrame.from_numpy_buffer(image, format="rgba" if image.shape[2] == 4 else "rgb24")
        return frame.reformat(
            format=self._kind.pix_fmt,
            dst_colorspace=self._kind.colors.matrix,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )

    def _mux(self, packets: list[av.Packet]) -> None:
        """Write frames; sound that waited to be written beside them and cannot be is given up instead of them."""
        for packet in packets:
            try:
                self._write_packet(packet)
            except av.FFmpegError as error:
                if self._audio is None or not self._audio.is_on or is_of_the_system(error):
                    raise
                self._audio.give_up(error)

    def _write_packet(self, packet: av.Packet) -> None:
        assert self._container is not None
        self._container.mux(packet)

    def _finish(self) -> None:
        assert self._container is not None
        self._mux(self._stream.encode(None))
        if self._audio is not None:
            self._audio.copy_rest(self._last_pts * self._time_base, 1 / self._rate_hz)
        self._container.close()
        if self._kind.index_at_end:
            self._index_first()
        self._claim.rename()

    def _index_first(self) -> None:
        """Move the index to the front; where that cannot be done, the file is as good but for being fetched slowly."""
        moved = self._partial.with_name(shortened(self._partial.stem, f".indexed{self._partial.suffix}"))
        try:
            if index_first(self._partial, moved):
                os.replace(moved, self._partial)
        except OSError:
            moved.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        """Turn what PyAV and the system raise into one error that is kept."""
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            kept = self._partial.exists() and self._partial.stat().st_size > 0
            self._error = broken_off(self._path, error, self._partial if kept else None)
            raise self._error from error


def _in_256_colors(image: Image) -> av.VideoFrame:
    from PIL import Image as Pillow

    few = Pillow.fromarray(image).quantize(256, Pillow.Quantize.FASTOCTREE)
    palette = np.zeros((256, 4), np.uint8)
    colors = np.array(few.getpalette("RGB"), np.uint8).reshape(-1, 3)
    palette[: len(colors), 1:], palette[:, 0] = colors, 255
    frame: av.VideoFrame = av.VideoFrame.from_ndarray((np.array(few), palette), format="pal8")
    return frame


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    """The picture on a canvas of (width, height): as it is, padded by one pixel, or scaled between black bars."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    right, below = size[0] - width, size[1] - height
    if right in (0, 1) and below in (0, 1):
        return cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)
    scale = min(size[0] / width, size[1] / height)
    width, height = min(round(width * scale), size[0]), min(round(height * scale), size[1])
    scaled = cv2.resize(image, (max(width, 1), max(height, 1)), interpolation=cv2.INTER_AREA)
    canvas = np.zeros((size[1], size[0], *image.shape[2:]), image.dtype)
    top, left = (size[1] - scaled.shape[0]) // 2, (size[0] - scaled.shape[1]) // 2
    canvas[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return canvas
