"""How one sound track gets into a video: packet by packet as it is, or encoded anew."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Protocol

import av
import numpy as np
from av.bitstream import BitStreamFilterContext
from numpy.typing import NDArray

from streamer.sinks.tags import copy_track_tags

_NUDGE_S = Fraction(1, 10)
"""A stamp that is a little too early is moved on; what is earlier than that has been heard already."""
_SLACK_S = 0.04
"""Stamps of sound jitter (Matroska rounds them to 1 ms); a gap longer than this is one [s]."""
_LONGEST_GAP_S = 3600
"""Silence is written into a gap up to this length; a longer one is a stamp that is wrong [s]."""
_RATE_HZ = 48_000
_ENCODERS = {".webm": "libopus"}


class AudioTrack(Protocol):
    """Turns packets of the source into packets of the video."""

    skipped: int

    def take(self, packet: av.Packet) -> list[av.Packet]:
        """What to write for a packet whose stamps count from the start of the video."""
        ...

    def rest(self) -> list[av.Packet]:
        """What is left at the end."""
        ...


class CopiedTrack:
    """The packets as they are, their stamps never running backwards.

    Args:
        stream: The source's.
        container: The video's; must not have begun to encode.

    Raises:
        ValueError: The container cannot hold it.
        av.FFmpegError: Likewise.
    """

    def __init__(
        self, stream: av.stream.Stream, container: av.container.OutputContainer, packets: Sequence[av.Packet]
    ) -> None:
        self._filter: BitStreamFilterContext | None = None
        self._output = container.add_stream_from_template(stream)
        copy_track_tags(stream, self._output)
        if stream.type == "audio" and stream.codec_context.name == "aac" and not stream.codec_context.extradata:
            self._output.codec_context.extradata = _aac_header(stream, packets)
            self._filter = BitStreamFilterContext("aac_adtstoasc", stream)
        self._last: int | None = None
        self.skipped = 0

    def take(self, packet: av.Packet) -> list[av.Packet]:
        filtered = [packet] if self._filter is None else self._filter.filter(packet)
        return [placed for piece in filtered if (placed := self._placed(piece)) is not None]

    def rest(self) -> list[av.Packet]:
        return []

    def _placed(self, packet: av.Packet) -> av.Packet | None:
        unit = self._output.time_base or packet.time_base
        pts = round(packet.pts * packet.time_base / unit)
        if self._last is not None and pts <= self._last:
            if (self._last - pts) * unit > _NUDGE_S:
                self.skipped += 1
                return None
            pts = self._last + 1
        self._last = pts
        packet.duration = round((packet.duration or 0) * packet.time_base / unit)
        packet.pts = packet.dts = pts
        packet.time_base = unit
        packet.stream = self._output
        return packet


class EncodedTrack:
    """The sound decoded and encoded anew, gaps filled with silence; what does not decode is skipped.

    Args:
        stream: The source's.
        container: The video's; must not have begun to encode.
        suffix: The name's end, which decides the codec: Opus in WebM, AAC elsewhere.

    Raises:
        ValueError: There is no decoder or encoder for it here.
        av.FFmpegError: Likewise.
    """

    def __init__(self, stream: av.audio.AudioStream, container: av.container.OutputContainer, suffix: str) -> None:
        if stream.codec_context is None:
            raise ValueError("There is no decoder for it.")
        self._decoder = stream.codec_context
        self._rate_hz = _RATE_HZ
        layout = _layout_of(stream)
        self._output = container.add_stream(_ENCODERS.get(suffix, "aac"), rate=self._rate_hz, layout=layout)
        copy_track_tags(stream, self._output)
        self._output.codec_context.open()
        self._channels = self._output.codec_context.layout.nb_channels
        self._resampler = av.AudioResampler("flt", layout, self._rate_hz)
        self._waiting: NDArray[np.float32] = np.zeros((0, self._channels), np.float32)
        self._laid = 0
        self._written = 0
        self._layout = layout
        self.skipped = 0

    def take(self, packet: av.Packet) -> list[av.Packet]:
        self._lay(packet, packet.pts * packet.time_base)
        return self._encode(self._output.codec_context.frame_size or 1024)

    def rest(self) -> list[av.Packet]:
        self._lay(None, Fraction(self._laid, self._rate_hz))
        packets = self._encode(1)
        return packets + self._output.encode(None) if self._written else []

    def _lay(self, packet: av.Packet | None, start_s: Fraction) -> None:
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError:
            self.skipped += 1
            return
        for frame in frames:
            at_s = start_s if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base
            pieces = [piece.to_ndarray().reshape(-1, self._channels) for piece in self._resampler.resample(frame)]
            if pieces:
                self._append(np.concatenate(pieces), float(at_s))

    def _append(self, samples: NDArray[np.float32], at_s: float) -> None:
        """Lay samples down where they belong, with silence before them or without what has been heard already."""
        gap = round(at_s * self._rate_hz) - self._laid
        if abs(gap) > _SLACK_S * self._rate_hz or not self._laid:
            if gap > _LONGEST_GAP_S * self._rate_hz:
                return
            silence = np.zeros((max(gap, 0), self._channels), np.float32)
            samples = np.concatenate([silence, samples[max(-gap, 0) :]])
        self._laid += len(samples)
        self._waiting = np.concatenate([self._waiting, samples])

    def _encode(self, least: int) -> list[av.Packet]:
        packets: list[av.Packet] = []
        size = self._output.codec_context.frame_size or 1024
        while len(self._waiting) >= least:
            chunk, self._waiting = self._waiting[:size], self._waiting[size:]
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(chunk).reshape(1, -1), "flt", self._layout)
            frame.sample_rate, frame.pts, frame.time_base = self._rate_hz, self._written, Fraction(1, self._rate_hz)
            self._written += len(chunk)
            packets += self._output.encode(frame)
        return packets


def can_hold(stream: av.stream.Stream, format_name: str, options: dict[str, str]) -> bool:
    """Whether a container of this format takes such a stream at all."""
    try:
        with av.open(io.BytesIO(), "w", format=format_name, options=options) as rehearsal:
            rehearsal.add_stream_from_template(stream)
            rehearsal.start_encoding()
    except (ValueError, av.FFmpegError, OSError):
        return False
    return True


def can_be_copied(
    stream: av.audio.AudioStream, packets: Sequence[av.Packet], format_name: str, options: dict[str, str]
) -> bool:
    """Whether a container of this format takes this sound: tried in memory, with its first packets."""
    if not packets or stream.codec_context is None or not stream.codec_context.sample_rate:
        return False
    try:
        with av.open(io.BytesIO(), "w", format=format_name, options=options) as rehearsal:
            track = CopiedTrack(stream, rehearsal, packets)
            rehearsal.start_encoding()
            for packet in packets:
                rehearsal.mux(track.take(_twin(packet)))
    except (ValueError, av.FFmpegError, OSError):
        return False
    return True


def _twin(packet: av.Packet) -> av.Packet:
    """A copy of a packet that may be changed."""
    twin = av.Packet(bytes(packet))
    twin.pts, twin.dts, twin.duration, twin.time_base = packet.pts, packet.dts, packet.duration, packet.time_base
    twin.is_keyframe = packet.is_keyframe
    return twin


def _aac_header(stream: av.audio.AudioStream, packets: Iterable[av.Packet]) -> bytes:
    """The AudioSpecificConfig, which MPEG-TS repeats in each packet and other containers hold once.

    Raises:
        ValueError: No packet has one.
    """
    for packet in packets:
        for piece in BitStreamFilterContext("aac_adtstoasc", stream).filter(_twin(packet)):
            for data in piece.iter_sidedata():
                if data.data_type == "new_extradata":
                    return bytes(data)
    raise ValueError("The sound has no header.")


def _layout_of(stream: av.audio.AudioStream) -> str:
    """What every player takes: mono, stereo or 5.1."""
    channels = stream.codec_context.layout.nb_channels
    return "mono" if channels == 1 else "5.1" if channels >= 6 else "stereo"
