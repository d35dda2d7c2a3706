"""H.264 in MP4 or Matroska, with the source's own timestamps and audio, playable whenever the writing stops."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray

from streamer.data.result import Result
from streamer.errors import SinkError
from streamer.sinks.audio import AudioCopy, is_of_the_system
from streamer.sinks.outputs import Claim, make_room, reason_of, unwritable

Image = NDArray[np.uint8]

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_CLOCK = Fraction(1, 90_000)
_FINEST = Fraction(1, 10_000_000)
_KEYFRAME_S = Fraction(1)
# Audio encoders start a little before the first picture (AAC 21 to 44 ms, Opus up to 80 ms). Matroska has no negative
# time: it would move every picture, so that packet stays behind there.
_LEAD_S = {".mp4": 0.1, ".mkv": 0.0}

# Each group of pictures is a fragment that can be played once it is on disk. At the end `hybrid_fragmented` turns the
# same file into an ordinary MP4, in place, because fragments seek slowly and some players do not know them.
# `delay_moov` lets edit lists express audio that starts before 0, which would otherwise shift every timestamp.
# `max_interleave_delta` [us] keeps the muxer from holding back pictures for audio that has ended.
_MUXING = {"flush_packets": "1", "max_interleave_delta": "1000000"}
_CONTAINERS = {
    ".mp4": {**_MUXING, "movflags": "frag_keyframe+delay_moov+hybrid_fragmented"},
    ".mkv": {**_MUXING, "cluster_time_limit": "1000"},
}


class VideoSink:
    """Draws each result and encodes it.

    The file grows under another name (``out.partial.mp4`` for ``out.mp4``) and takes its own when it is closed, after
    an orderly interruption as well. What a killed process leaves under the other name plays up to one or two seconds
    before the end, and is never overwritten by a later run.

    Pictures of odd size are padded by one pixel that repeats the edge, since yuv420p has even sizes only. Pictures
    that are not of the video's size are scaled to fit into it, between black bars. Matroska keeps time in ms.

    Args:
        path: Where to write, .mp4 or .mkv; missing folders are created.
        draw: Makes the ``(H, W, 3)`` uint8 RGB picture of a result.
        size: (width, height) of the video [px]; None takes that of the first picture.
        rate_hz: Nominal frame rate, used for the length of the last frame and by players as a hint.
        time_base: Unit of the source's timestamps [s], so that they stay exact; None takes 1/90000 s.
        start_s: Media time that becomes 0 [s]; None takes that of the first result (a recording begun midway).
        audio_from: A file, or its address, whose sound is taken along, as it is where possible.
        crf: Quality of libx264, 0 (lossless) to 51.
        preset: Speed of libx264.
        threads: Encoder threads; 0 takes as many as there are cores.

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
        audio_from: Path | str | None = None,
        crf: int = 20,
        preset: str = "veryfast",
        threads: int = 0,
    ) -> None:
        if path.suffix.lower() not in _CONTAINERS:
            raise SinkError(f"{path.name} is no video that can be written: end its name in {' or '.join(_CONTAINERS)}.")
        if preset not in PRESETS:
            raise SinkError(f"libx264 has no preset {preset!r}: choose one of {', '.join(PRESETS)}.")
        self.name = path.name
        self.warning: str | None = None
        self._path = path
        self._draw = draw
        self._size = size
        self._rate_hz = rate_hz or Fraction(30)
        self._time_base = time_base if time_base is not None and time_base >= _FINEST else _CLOCK
        self._start_s = start_s
        self._audio_from = audio_from
        # Keyframes come by the clock alone, so that fragments are neither long nor, in restless scenes, one frame each.
        self._options = {"crf": str(crf), "preset": preset, "forced-idr": "1", "sc_threshold": "0"}
        self._threads = threads
        self._container: av.container.OutputContainer | None = None
        self._audio: AudioCopy | None = None
        self._last_pts = -1
        self._next_keyframe_s = Fraction(0)
        self._error: SinkError | None = None
        self._closed = False
        make_room(path)
        try:
            self._claim = Claim(path)
        except OSError as error:
            raise unwritable(path, error) from None
        self._partial = self._claim.path

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
        self._size = width + width % 2, height + height % 2
        if self._start_s is None:
            self._start_s = time_s
        suffix = self._path.suffix.lower()
        options = dict(_CONTAINERS[suffix])
        if suffix == ".mp4":
            options["movie_timescale"] = str(self._time_base.denominator)  # The default rounds a late start to 1 ms.
        container = self._container = av.open(str(self._partial.absolute()), "w", options=options)
        stream = container.add_stream("libx264", rate=self._rate_hz, options=self._options)
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = self._time_base
        stream.codec_context.thread_count = self._threads
        # Without B-frames pictures are written in the order they are shown: less is lost when the process is killed.
        stream.codec_context.max_b_frames = 0
        stream.codec_context.color_range = ColorRange.MPEG
        stream.codec_context.colorspace = Colorspace.ITU709
        stream.codec_context.color_primaries = ColorPrimaries.BT709
        stream.codec_context.color_trc = ColorTrc.BT709
        self._stream = stream
        if self._audio_from is not None:
            start_s, lead_s = Fraction(self._start_s), _LEAD_S[suffix]
            self._audio = AudioCopy(self._audio_from, container, start_s, lead_s, _CONTAINERS[suffix], suffix)
            self.warning = self._audio.warning
        container.start_encoding()

    def _encode(self, image: Image, time_s: float) -> None:
        assert self._container is not None
        assert self._size is not None
        assert self._start_s is not None
        time_s -= self._start_s
        picture = np.ascontiguousarray(_fitted(image, self._size))
        frame = av.VideoFrame.from_numpy_buffer(picture, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, threads=1
        )
        self._last_pts = max(round(Fraction(time_s) / self._time_base), self._last_pts + 1)
        frame.pts, frame.time_base = self._last_pts, self._time_base
        frame.duration = max(round(1 / self._rate_hz / self._time_base), 1)
        shown_s = self._last_pts * self._time_base
        if shown_s >= self._next_keyframe_s:
            frame.pict_type = PictureType.I
            self._next_keyframe_s = shown_s + _KEYFRAME_S
        self._mux(self._stream.encode(frame))
        if self._audio is not None:
            self._audio.copy_until(shown_s)

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
            self.warning = self._audio.warning
        self._container.close()
        os.replace(self._partial, self._path)

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        """Turn what PyAV and the system raise into one error that is kept."""
        try:
            yield
        except (av.FFmpegError, OSError) as error:
            kept = self._partial.exists() and self._partial.stat().st_size > 0
            self._error = SinkError(
                f"{self._path} cannot be written any further ({reason_of(error)}): free some space or choose another "
                f"place{f'; what was written until then is in {self._partial.name}' if kept else ''}."
            )
            raise self._error from error


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
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    top, left = (size[1] - scaled.shape[0]) // 2, (size[0] - scaled.shape[1]) // 2
    canvas[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return canvas
