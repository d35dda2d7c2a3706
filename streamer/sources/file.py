"""Recorded video, through PyAV."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path

import av

from streamer.data.frame import Frame
from streamer.data.source import BaseSource, SourceInfo
from streamer.data.timeline import Timeline
from streamer.errors import SourceError
from streamer.sources.decoding import Decoder, is_damaged
from streamer.sources.deinterlacing import deinterlaced
from streamer.sources.gaps import Gaps, in_words
from streamer.sources.hdr import hdr_of, is_hdr, name_of
from streamer.sources.pictures import Pictures
from streamer.sources.tee import Tee, TeeReader, once_only
from streamer.sources.url import is_url, redact, short_name

_STILL_CODECS = frozenset({"png", "bmp", "tiff", "webp"})
"""Next to a video, a track of these is a cover that nobody has marked as one."""
_COUNTLESS = frozenset({"mpegts", "hls", "mpeg"})
"""Containers that say nowhere how many frames there are, and lose them where a transmission was disturbed."""
_BESIDE_JOIN = 4
"""Packets before a join that MPEG-TS may call corrupt although they are whole."""


class VideoSource(BaseSource):
    """The frames of a video file with their own timestamps, as a player would show them.

    Times count from the start of the video stream, and a variable rate stays variable; a timestamp that is missing or
    runs backwards is moved on by the least step. Rotation and mirroring are applied, and so is a pixel aspect (the
    shorter side of a pixel is stretched); a frame of another size than the first is fitted between black bars. HDR is
    tone-mapped, and what is marked as interlaced is deinterlaced. What is damaged is skipped and told in
    `damage`; a file that was cut off gives the frames that are there.

    Args:
        path: A file, or the http(s) address of one.
        timeout_s: An address that says nothing for this long has ended [s].
        video_track: Which of its videos, from 1; None for the one that a player would choose.
        follow_s: The file is still being written, and ends where nothing was added for this long [s].
        keep_bits: Give each frame of more than 8 bits its `Original`.
        keep_hdr: The same for HDR, in its own colors and light.
        part: The first frame that is given, and the one after the last; indices and times are those of the whole.

    Raises:
        SourceError: It does not exist, is no video, or has not one frame that decodes.
    """

    def __init__(
        self,
        path: str | Path,
        timeout_s: float = 5.0,
        video_track: int | None = None,
        follow_s: float | None = None,
        keep_bits: bool = False,
        keep_hdr: bool = False,
        part: tuple[int, int | None] = (0, None),
    ) -> None:
        super().__init__()
        remote = is_url(str(path))
        self._label = redact(str(path)) if remote else "The standard input" if str(path) == "-" else str(path)
        # FFmpeg takes what comes before a colon for a protocol, but not in an absolute path.
        is_stdin = str(path) == "-"
        place = str(path) if remote else str(Path(path).absolute())
        is_pipe = is_stdin or (not remote and _is_pipe(Path(path)))
        once = is_pipe or follow_s is not None
        tee = _opened_once(path, self._label, follow_s) if once else None
        self._reader = None if tee is None else tee.reader()
        self._container = _open(self._reader or place, self._label, timeout_s if remote else None)
        try:
            self._videos = _videos_in(self._container)
            self._stream = _chosen(self._videos, video_track, self._label)
            self._track_was_named = video_track is not None
            self._place = place
            self._second: av.container.InputContainer | None = None
            self._decoder = Decoder(self._stream, None if once else self._stream_again)
            self._timeline = Timeline(self._container.format.name)
            self._packets = 0
            self._broke_off: str | None = None
            self._suspects: list[int] = []
            self._stated_packets = _stated_packets(self._stream)
            self._end = 0
            self._index = 0
            self._gaps = Gaps()
            self._last_pts: int | None = None
            self._decoded = deinterlaced(self._decode(), self._stream.time_base)
            self._pending = next(self._decoded, None)
            if self._pending is None:
                reason = "check that the file is whole"
                if once and "mp4" in self._container.format.name:
                    reason = "name the file, as an MP4 with its index at the end cannot be piped"
                raise SourceError(f"{self._label} has no frame that can be decoded: {reason}.")
        except BaseException:
            self._container.close()
            if self._reader is not None:
                self._reader.close()
            raise
        self._origin = _first_of(self._stream.start_time, self._stamp_of(self._pending))
        self._pictures = Pictures(self._stream, self._pending)
        self._resized: tuple[float, tuple[int, int]] | None = None
        self._begin_index, self._end_index = part
        self._keep_bits = keep_bits
        self._hdr = hdr_of(self._pending) if keep_hdr else None
        self._info = SourceInfo(
            name="stdin" if is_stdin else short_name(str(path)) if remote else Path(path).stem,
            size=self._pictures.size,
            rate_hz=self._stream.average_rate or self._stream.guessed_rate,
            time_base=self._stream.time_base,
            frame_count=self._expected_frames(),
            path=None if remote or is_pipe else Path(path),
            again=None if tee is None else tee.reader,
            address=str(path) if remote else None,
            video_stream=self._stream.index,
            notice=" ".join(self._notices()) or None,
            hdr=self._hdr,
        )

    @property
    def remark(self) -> str | None:
        if self._resized is None:
            return None
        time_s, size = self._resized
        return (
            f"{self._label} changes its size after {time_s:.2f} s, to {size[0]}x{size[1]}: what is not of the first "
            f"frame's size is fitted into {self._info.size[0]}x{self._info.size[1]}."
        )

    def _notices(self) -> Iterator[str]:
        """What to know before it begins."""
        assert self._pending is not None
        if len(self._videos) > 1 and not self._track_was_named:
            number = self._videos.index(self._stream) + 1
            yield f"{self._label} holds {len(self._videos)} videos, of which number {number} is used (--video-track)."
        if self._hdr is not None:
            yield f"{self._label} is HDR ({name_of(self._pending)}): models see it tone-mapped, the video stays HDR."
        elif is_hdr(self._pending):
            yield (
                f"{self._label} is HDR ({name_of(self._pending)}): it is shown and written as BT.709, tone-mapped "
                "(--hdr keep leaves it HDR)."
            )

    def _read(self) -> Frame | None:
        video_frame = self._next()
        while video_frame is not None and self._index < self._begin_index:
            self._index += 1
            self._gaps.add(self._time_of(video_frame))
            video_frame = self._next()
        if self._end_index is not None and self._index >= self._end_index:
            return None
        if video_frame is None:
            self._damage = self._damage or self._damage_found()
            return None
        index = self._index
        self._index += 1
        image, time_s = self._pictures.picture_of(video_frame), self._time_of(video_frame)
        if self._resized is None and self._pictures.others:
            self._resized = time_s, (video_frame.width, video_frame.height)
        self._gaps.add(time_s)
        wants_all = self._keep_bits or self._hdr is not None
        original = self._pictures.original_of(video_frame, self._hdr is not None) if wants_all else None
        return Frame(index, time_s, image, time.monotonic(), damaged=is_damaged(video_frame), original=original)

    def _next(self) -> av.VideoFrame | None:
        frame, self._pending = self._pending or next(self._decoded, None), None
        return frame

    def _release(self) -> None:
        self._decoded.close()
        self._container.close()
        for other in (self._second, self._reader):
            if other is not None:
                other.close()

    def _decode(self) -> Generator[av.VideoFrame, None, None]:
        """Every frame that decodes."""
        for packet in self._demux():
            yield from self._decoder.take(packet)
        yield from self._decoder.rest()

    def _demux(self) -> Generator[av.Packet, None, None]:
        """Every packet of the video, on one running time."""
        packets, restarted_at = self._container.demux(self._stream), -1
        while True:
            try:
                packet = next(packets, None)
            except IndexError:  # PyAV on a track that has begun in the middle of the file; at its end, too
                if restarted_at == self._packets:
                    return
                packets, restarted_at = self._container.demux(self._stream), self._packets
                continue
            except av.FFmpegError as error:
                silent = isinstance(error, av.error.ExitError)  # what the timeout looks like from here
                self._broke_off = "nothing more came" if silent else error.strerror
                return
            if packet is None:
                return
            if not packet.size:
                continue
            joins = self._timeline.joins
            self._timeline.place(packet)
            self._packets += 1
            if packet.is_corrupt:
                self._suspects.append(self._packets)
            if self._timeline.joins > joins:  # the counters that tell of loss have started again, too
                self._suspects = [number for number in self._suspects if number < self._packets - _BESIDE_JOIN]
            self._end = max(self._end, (packet.pts or 0) + (packet.duration or 0))
            yield packet

    def _stream_again(self) -> av.VideoStream:
        """The same stream, with a decoder that is fresh."""
        self._second = av.open(self._place, metadata_errors="replace")
        stream: av.VideoStream = self._second.streams[self._stream.index]
        return stream

    def _stamp_of(self, video_frame: av.VideoFrame) -> int | None:
        """When a frame is shown. AVI knows only the order of packets, which is not that of frames where these are coded
        out of order; but they leave the decoder in the right one."""
        counts = self._container.format.name == "avi" and video_frame.dts is not None
        return video_frame.dts if counts else video_frame.pts

    def _time_of(self, video_frame: av.VideoFrame) -> float:
        pts = self._stamp_of(video_frame)
        if self._last_pts is not None and (pts is None or pts <= self._last_pts):
            pts = self._last_pts + 1 if pts is not None else self._last_pts + self._ticks_per_frame()
        self._last_pts = self._origin if pts is None else pts
        return float((self._last_pts - self._origin) * self._time_base)

    @property
    def _time_base(self) -> Fraction:
        return self._stream.time_base or Fraction(1, 90_000)

    def _ticks_per_frame(self) -> int:
        rate_hz = self._stream.average_rate or self._stream.guessed_rate or 25
        return max(1, round(1 / (rate_hz * self._time_base)))

    def _expected_s(self) -> float | None:
        """Length of the video stream as its header states it [s]."""
        if self._stream.duration is not None:
            return float(self._stream.duration * self._time_base)
        # Matroska states when a track ends, on the clock of the file, not how long it is.
        end_s = _seconds(self._stream.metadata.get("DURATION", ""))
        return None if end_s is None else end_s - float(self._origin * self._time_base)

    def _expected_frames(self) -> int | None:
        rate_hz = self._stream.average_rate
        duration_s = self._expected_s()
        if duration_s is None and self._container.duration:
            duration_s = self._container.duration / av.time_base
        by_duration = round(duration_s * rate_hz) if duration_s and rate_hz else None
        # Both, because a clip cut without encoding holds packets before its start that are never shown.
        known = [count for count in (self._stated_packets, by_duration) if count]
        return min(known, default=None)

    def _damage_found(self) -> str | None:
        if self._broke_off is not None:
            return f"{self._label} broke off after {self._index} frames ({self._broke_off})."
        expected_s = self._expected_s()
        end_s = float((self._end - self._origin) * self._time_base)
        if self._stated_packets is not None and self._packets < self._stated_packets:
            return f"{self._label} is cut off: {self._index} of {self._stated_packets} frames could be read."
        frame_s = float(self._ticks_per_frame() * self._time_base)
        if self._stated_packets is None and expected_s is not None and end_s < expected_s - max(1.5 * frame_s, 0.01):
            return f"{self._label} is cut off: {end_s:.2f} s of {expected_s:.2f} s could be read."
        gaps = self._gaps.found()
        undecodable, corrupt = self._decoder.undecodable + len(self._suspects), self._decoder.corrupt
        if undecodable or corrupt:
            return (
                f"{self._label} is damaged: {self._index} frames could be read, {corrupt} of them with errors, "
                f"and {undecodable} pieces were skipped.{f' {in_words(gaps)}.' if gaps else ''}"
            )
        if gaps and _COUNTLESS.intersection(self._container.format.name.split(",")):
            return f"{self._label} has gaps: {in_words(gaps)}."
        return None


def has_end(address: str, timeout_s: float) -> bool:
    """Whether an address is that of a file, or of a playlist that is complete, rather than of something live."""
    try:
        with av.open(address, timeout=timeout_s, metadata_errors="replace") as container:
            is_playlist = "hls" in container.format.name
            return container.duration is not None or (container.size > 0 and not is_playlist)
    except (av.FFmpegError, OSError):
        return False


def _is_pipe(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _opened_once(path: str | Path, label: str, follow_s: float | None) -> Tee:
    try:
        return once_only(path, follow_s)
    except OSError as error:
        raise SourceError(f"{label} cannot be read ({error.strerror}): check the path.") from None


def _open(place: str | TeeReader, label: str, timeout_s: float | None) -> av.container.InputContainer:
    try:
        return av.open(place, timeout=timeout_s, metadata_errors="replace")
    except FileNotFoundError:
        raise SourceError(f"There is no file {label}: check the path.") from None
    except (av.FFmpegError, OSError) as error:
        reason = error.strerror or type(error).__name__
        raise SourceError(f"{label} cannot be read as a video ({reason}): give a video file.") from None


def _videos_in(container: av.container.InputContainer) -> list[av.VideoStream]:
    """The moving pictures of a file: a cover in a music file is not one, nor is a tile of a photo."""
    cover = av.stream.Disposition.attached_pic | av.stream.Disposition.dependent
    videos = [
        stream
        for stream in container.streams.video
        if not stream.disposition & cover and stream.codec_context is not None
    ]
    return [stream for stream in videos if stream.codec_context.name not in _STILL_CODECS] or videos


def _chosen(videos: list[av.VideoStream], number: int | None, label: str) -> av.VideoStream:
    """The video of that number, or the one that a player takes: the default one, else the first.

    Raises:
        SourceError: There is none, or none of that number.
    """
    if not videos:
        raise SourceError(f"{label} holds no video that can be decoded here: give a video file.")
    if number is not None:
        if not 1 <= number <= len(videos):
            raise SourceError(f"{label} has no video track {number}: choose one from 1 to {len(videos)}.")
        return videos[number - 1]
    default = [video for video in videos if video.disposition & av.stream.Disposition.default]
    return (default or videos)[0]


def _stated_packets(stream: av.VideoStream) -> int | None:
    """How many packets header and index promise; an edit list may keep some of the header's out of the index."""
    indexed = len(stream.index_entries)
    return min(stream.frames, indexed or stream.frames) or None


def _first_of(start: int | None, first: int | None) -> int:
    known = [pts for pts in (start, first) if pts is not None]
    return min(known, default=0)


def _seconds(text: str) -> float | None:
    """Seconds of ``HH:MM:SS.fraction``."""
    try:
        hours, minutes, seconds = text.split(":")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return None
