"""The sound of a video, and its subtitles: taken along from its source, in time with the pictures."""

from __future__ import annotations

import errno
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av

from streamer.data.timeline import Timeline
from streamer.sinks.audio_tracks import AudioTrack, CopiedTrack, EncodedTrack, can_be_copied, can_hold
from streamer.sinks.outputs import reason_of
from streamer.sinks.subtitle_track import EncodedSubtitles
from streamer.sinks.tags import copy_tags

SoundSource = Path | str | Callable[[], Any]
"""A file, its address, or what opens its bytes to be read once."""

_AHEAD_S = 5
"""How much of the source is looked at before it is decided what becomes of its sound [s]."""
_ENOUGH = 8
"""Packets of a track that tell what it is."""
_UNHEARD_S = 0.1
"""Encoders start a little early (AAC 21 to 44 ms, Opus up to 80 ms): nobody hears that."""


class AudioCopy:
    """Brings the sound of a file into a video as the pictures come along: as it is, or encoded anew.

    Whatever is wrong with the sound is told in `warning`; nothing that it does raises.

    Args:
        source: The file, its address, or what opens its bytes.
        container: Where it goes; must not have begun to encode.
        start_s: Media time of the file that is 0 in the video [s].
        lead_s: How long before that a packet may begin [s].
        options: Of the container, for the rehearsal.
        suffix: How the video's name ends; decides what sound is encoded with.
        video_stream: Which stream of the file the frames come from; None for its first video.

    Attributes:
        warning: One sentence about what had to be left out; None where all is well.
    """

    def __init__(
        self,
        source: SoundSource,
        container: av.container.OutputContainer,
        start_s: Fraction,
        lead_s: float,
        options: dict[str, str] | None = None,
        suffix: str = ".mp4",
        video_stream: int | None = None,
    ) -> None:
        self.warning: str | None = None
        self._lead_s = lead_s
        self._container = container
        self._tracks: dict[int, AudioTrack] = {}
        self._waiting: av.Packet | None = None
        self._video_s = Fraction(-1)
        self._packets: Iterator[av.Packet] = iter(())
        self._early_s = Fraction(0)
        self._skipped = 0
        self._restarted = False
        self._file: Any = None
        try:
            self._file = source() if callable(source) else None
            place = self._file or (source if isinstance(source, str) else str(Path(str(source)).absolute()))
            self._input: av.container.InputContainer | None = av.open(place, metadata_errors="replace")
        except (av.FFmpegError, OSError) as error:
            self._input = None
            label = source if isinstance(source, Path) else "the source"  # whose address may hold a password
            self.warning = f"The audio of {label} was left out, because the file cannot be opened ({reason_of(error)})."
            return
        video = [stream for stream in self._input.streams.video if stream.index == video_stream]
        video = video or list(self._input.streams.video[:1])
        self._origin_s = start_s + sum((stream.start_time or 0) * stream.time_base for stream in video)
        sound, subtitles = list(self._input.streams.audio), list(self._input.streams.subtitles)
        copy_tags(self._input, container, self._origin_s)
        if not sound and not subtitles:
            return
        self._timeline = Timeline(self._input.format.name)
        self._taken = [*video, *sound, *subtitles]
        self._source = self._input.demux(self._taken)
        buffered, ended = self._look_ahead()
        firsts = defaultdict(list)
        for packet in buffered:
            if packet.pts is not None:
                firsts[packet.stream.index].append(packet)
        for number, stream in enumerate(sound, 1):
            self._add(stream, number, firsts[stream.index][:_ENOUGH], ended, options or {}, suffix)
        for subtitle in subtitles:
            self._add_subtitles(subtitle, options or {})
        self._packets = chain(buffered, iter(self._demuxed, None)) if self._tracks else iter(())

    def _look_ahead(self) -> tuple[list[av.Packet], bool]:
        """The first seconds of the file, and whether that is all there is."""
        buffered: list[av.Packet] = []
        while (packet := self._demuxed()) is not None:
            buffered.append(packet)
            if packet.pts is not None and self._begins_s(packet) > _AHEAD_S:
                return buffered, False
        return buffered, True

    def _add(
        self,
        stream: av.audio.AudioStream,
        number: int,
        packets: list[av.Packet],
        ended: bool,
        options: dict[str, str],
        suffix: str,
    ) -> None:
        codec = stream.codec_context.name if stream.codec_context else "of an unknown codec"
        if ended and not packets:
            self._warn(f"Sound track {number} ({codec}) was left out, because it is empty.")
            return
        try:
            if can_be_copied(stream, packets, self._container.format.name, options):
                self._tracks[stream.index] = CopiedTrack(stream, self._container, packets)
            else:
                self._tracks[stream.index] = EncodedTrack(stream, self._container, suffix)
        except (ValueError, av.FFmpegError, OSError):
            self._warn(f"Audio ({codec}) was left out, because {self._container.format.name} cannot hold it.")

    def _add_subtitles(self, stream: av.subtitles.stream.SubtitleStream, options: dict[str, str]) -> None:
        try:
            if can_hold(stream, self._container.format.name, options):
                self._tracks[stream.index] = CopiedTrack(stream, self._container, [])
            else:
                self._tracks[stream.index] = EncodedSubtitles(stream, self._container)
        except (ValueError, av.FFmpegError, OSError):
            codec = stream.codec_context.name if stream.codec_context else "of an unknown kind"
            self._warn(f"Subtitles ({codec}) were left out, because {self._container.format.name} cannot hold them.")

    def copy_until(self, time_s: Fraction | float) -> None:
        """Copy the packets that begin before this time of the video [s]."""
        while (packet := self._waiting or self._next()) is not None:
            if self._begins_s(packet) >= time_s:
                self._waiting = packet
                return
            self._waiting = None
            self._mux(packet)

    def copy_rest(self, last_s: Fraction, duration_s: Fraction) -> None:
        """Copy what follows the last frame: all of it, unless the source's pictures went on and so did its audio."""
        rest = [] if self._waiting is None else [self._waiting]
        self._waiting = None
        while not self._goes_on(last_s) and (packet := self._next()) is not None:
            rest.append(packet)
        end_s = last_s + duration_s if self._goes_on(last_s) else math.inf
        for packet in rest:
            if self._begins_s(packet) < end_s:
                self._mux(packet)
        self.copy_until(end_s)
        for track in self._tracks.values():
            try:
                self._container.mux(track.rest())
            except av.FFmpegError as error:
                if is_of_the_system(error):
                    raise
                self._skipped += 1
        self._tell()

    def give_up(self, error: Exception) -> None:
        """Leave out the rest of the sound, because it kept the video from being written."""
        self._packets, self._waiting, self._tracks = iter(()), None, {}
        self._warn(f"The rest of the sound was left out, because it cannot be written ({reason_of(error)}).")

    @property
    def is_on(self) -> bool:
        """Whether there is sound to be written."""
        return bool(self._tracks)

    def close(self) -> None:
        for opened in (self._input, self._file):
            if opened is not None:
                opened.close()

    def _goes_on(self, last_s: Fraction) -> bool:
        return self._video_s > last_s + Fraction(1, 1000)

    def _next(self) -> av.Packet | None:
        """The next packet of audio; damage in the source ends it."""
        for packet in self._packets:
            if packet.pts is None:
                continue
            if packet.stream.index in self._tracks:
                return packet
            if packet.stream.type == "video":
                self._video_s = max(self._video_s, self._begins_s(packet))
        return None

    def _demuxed(self) -> av.Packet | None:
        try:
            packet = next(self._source, None)
        except IndexError:  # PyAV on a track that has begun in the middle of the file; at its end, too
            if self._restarted or self._input is None:
                return None
            self._restarted = True
            self._source = self._input.demux(self._taken)
            return self._demuxed()
        except (av.FFmpegError, OSError) as error:
            self._warn(f"The audio ends early, because the source is damaged ({reason_of(error)}).")
            return None
        if packet is not None:
            self._restarted = self._restarted and not packet.size
            self._timeline.place(packet)
        return packet

    def _begins_s(self, packet: av.Packet) -> Fraction:
        return packet.pts * packet.time_base - self._origin_s

    def _mux(self, packet: av.Packet) -> None:
        begins_s = self._begins_s(packet)
        track = self._tracks[packet.stream.index]
        packet.pts -= round(self._origin_s / packet.time_base)
        if isinstance(track, CopiedTrack) and begins_s < -self._lead_s:
            self._early_s = max(self._early_s, -begins_s)
            return
        try:
            self._container.mux(track.take(packet))
        except (av.FFmpegError, ValueError) as error:
            if is_of_the_system(error):
                raise
            self._skipped += 1

    def _tell(self) -> None:
        """Say at the end what was left out on the way."""
        if self._early_s > _UNHEARD_S:
            self._warn(f"The first {float(self._early_s):.1f} s of sound were left out: they lie before the pictures.")
        skipped = self._skipped + sum(track.skipped for track in self._tracks.values())
        if skipped:
            self._warn(f"{skipped} damaged pieces of the sound were left out.")

    def _warn(self, sentence: str) -> None:
        self.warning = sentence if self.warning is None else f"{self.warning} {sentence}"


def is_of_the_system(error: Exception) -> bool:
    """Whether an error comes from the disk or the network rather than from what was to be written."""
    return isinstance(error, OSError) and error.errno not in (errno.EINVAL, errno.EPERM, None)
