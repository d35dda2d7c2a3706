"""Subtitles that a container cannot hold as they are, written anew in the words that it knows."""

from __future__ import annotations

from fractions import Fraction

import av

from streamer.sinks.tags import copy_track_tags

_ENCODERS = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
"""By FFmpeg's name of the container."""
_CLOCK = Fraction(1, 1000)


class EncodedSubtitles:
    """Text decoded and encoded anew, a packet for each; what does not decode is skipped.

    Args:
        stream: The source's.
        container: The video's; must not have begun to encode.

    Raises:
        ValueError: It is made of pictures, or there is no decoder or encoder for it here.
        av.FFmpegError: Likewise.
    """

    def __init__(self, stream: av.subtitles.stream.SubtitleStream, container: av.container.OutputContainer) -> None:
        decoder, name = stream.codec_context, _ENCODERS.get(container.format.name)
        if decoder is None or name is None:
            raise ValueError("There is no decoder or no encoder for it.")
        decoder.open(strict=False)
        if not decoder.subtitle_header:
            raise ValueError("It is no text.")
        self._decoder = decoder
        self._output = container.add_stream(name)
        copy_track_tags(stream, self._output)
        encoder = self._output.codec_context
        encoder.subtitle_header = decoder.subtitle_header
        encoder.time_base = self._output.time_base = _CLOCK
        encoder.open()
        self.skipped = 0

    def take(self, packet: av.Packet) -> list[av.Packet]:
        """What to write for a packet whose stamps count from the start of the video."""
        try:
            texts = self._decoder.decode2(packet)
            if texts is None:
                return []
            encoded: av.Packet = self._output.codec_context.encode_subtitle(texts)
        except av.FFmpegError:
            self.skipped += 1
            return []
        encoded.pts = encoded.dts = round(packet.pts * packet.time_base / _CLOCK)
        encoded.duration = round((packet.duration or 0) * packet.time_base / _CLOCK) or texts.end_display_time
        encoded.time_base, encoded.stream = _CLOCK, self._output
        return [encoded]

    def rest(self) -> list[av.Packet]:
        """Nothing is held back."""
        return []
