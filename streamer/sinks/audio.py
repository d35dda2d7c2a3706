"""The sound of a video: copied packet by packet from its source."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from streamer.sinks.outputs import reason_of


class AudioCopy:
    """Moves the audio packets of a file into a video as they are, as the pictures come along.

    Args:
        path: The file.
        container: Where they go; must not have begun to encode.
        start_s: Media time of the file that is 0 in the video [s].
        lead_s: How long before that a packet may begin [s].

    Attributes:
        warning: One sentence about what had to be left out; None where all is well.
    """

    def __init__(self, path: Path, container: av.container.OutputContainer, start_s: Fraction, lead_s: float) -> None:
        self.warning: str | None = None
        self._lead_s = lead_s
        self._container = container
        self._outputs: dict[int, av.stream.Stream] = {}
        self._waiting: av.Packet | None = None
        self._video_s = Fraction(-1)
        self._packets: Iterator[av.Packet] = iter(())
        try:
            self._input: av.container.InputContainer | None = av.open(str(path.absolute()))
        except (av.FFmpegError, OSError) as error:
            self._input = None
            self.warning = f"The audio of {path} was left out, because the file cannot be opened ({reason_of(error)})."
            return
        video = self._input.streams.video[:1]
        self._origin_s = start_s + sum((stream.start_time or 0) * stream.time_base for stream in video)
        for stream in self._input.streams.audio:
            self._add(stream)
        if self._outputs:
            self._packets = self._input.demux([*video, *(self._input.streams[index] for index in self._outputs)])

    def _add(self, stream: av.audio.AudioStream) -> None:
        try:
            self._outputs[stream.index] = self._container.add_stream_from_template(stream)
        except ValueError:
            codec = stream.codec_context.name if stream.codec_context else "of an unknown codec"
            self.warning = f"Audio ({codec}) was left out, because {self._container.format.name} cannot hold it."

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

    def close(self) -> None:
        if self._input is not None:
            self._input.close()

    def _goes_on(self, last_s: Fraction) -> bool:
        return self._video_s > last_s + Fraction(1, 1000)

    def _next(self) -> av.Packet | None:
        """The next packet of audio; damage in the source ends it."""
        try:
            for packet in self._packets:
                if packet.pts is None:
                    continue
                if packet.stream.index in self._outputs:
                    return packet
                self._video_s = max(self._video_s, self._begins_s(packet))
        except (av.FFmpegError, OSError) as error:
            self.warning = f"The audio ends early, because the source is damaged ({reason_of(error)})."
            self._packets = iter(())
        return None

    def _begins_s(self, packet: av.Packet) -> Fraction:
        return packet.pts * packet.time_base - self._origin_s

    def _mux(self, packet: av.Packet) -> None:
        if self._begins_s(packet) < -self._lead_s:
            return
        shift = round(self._origin_s / packet.time_base)
        packet.stream = self._outputs[packet.stream.index]
        packet.pts -= shift
        if packet.dts is not None:
            packet.dts -= shift
        self._container.mux(packet)
