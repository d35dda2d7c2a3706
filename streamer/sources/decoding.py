"""Packets in, frames out, and nothing lost around what is damaged."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

import av

from streamer.data import cores

_COPY_OPAQUE = 1 << 7
"""AV_CODEC_FLAG_COPY_OPAQUE: a frame carries the number of the packet that it came from."""
_LONGEST = 1500
"""Packets kept to go back to: a minute between keyframes at 25 frames a second."""
_LARGEST_BYTES = 128 << 20


_LONGEST_DOUBT = 250
"""Frames after an error that are not trusted, unless a keyframe ends it: x264's longest distance between two."""


class _Origin:
    """Which packet a frame came from. An object of its own for each, because PyAV finds it again by its identity."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.damaged = False


class Decoder:
    """Decodes a stream on all cores until something is damaged, and on one from there on.

    A decoder with several threads takes whole frames beside a damaged packet along. So the packets since the last
    keyframe are kept; at the first error they are decoded again, on one thread, and what had been lost comes out.

    Args:
        stream: What to decode.
        again: Opens the same stream a second time; None where that cannot be done (a pipe), which takes one thread
            from the start.

    Attributes:
        undecodable: Packets that gave an error.
        corrupt: Frames that came out with errors.
    """

    def __init__(self, stream: av.VideoStream, again: Callable[[], av.VideoStream] | None) -> None:
        self._context = _prepared(stream, threads=cores.limit() if again else 1)
        self._again = again
        self._alone = again is None
        self._kept: deque[tuple[int, av.Packet]] = deque()
        self._bytes = 0
        self._number = 0
        self._shown = 0
        self._taken = 0
        self._out: set[int] = set()
        self._last_pts: int | None = None
        self._doubt = 0
        self.undecodable = 0
        self.corrupt = 0

    def take(self, packet: av.Packet) -> Iterator[av.VideoFrame]:
        """The frames that are ready once this packet is known."""
        number = self._number
        self._number += 1
        self._shown += not packet.is_discard
        packet.opaque = _Origin(number)
        if packet.is_corrupt:
            self._doubt = _LONGEST_DOUBT
        if not self._alone:
            self._keep(number, packet)
            if packet.is_corrupt and self._go_alone():
                yield from self._decoded_again()
                return
        yield from self._decode(packet)

    def rest(self) -> Iterator[av.VideoFrame]:
        """The frames that are left at the end."""
        yield from self._decode(None)
        if not self._alone and self._taken < self._shown and self._go_alone():
            yield from self._decoded_again(to_the_end=True)

    def _decode(self, packet: av.Packet | None) -> Iterator[av.VideoFrame]:
        try:
            frames = self._context.decode(packet)
        except av.FFmpegError:
            if self._alone or not self._go_alone():
                self.undecodable += 1
                self._doubt = _LONGEST_DOUBT
                return
            yield from self._decoded_again(to_the_end=packet is None)
            return
        for frame in frames:
            yield self._noted(frame)

    def _noted(self, frame: av.VideoFrame) -> av.VideoFrame:
        self.corrupt += frame.is_corrupt
        self._taken += 1
        self._last_pts = frame.pts
        self._judge(frame)
        if not self._alone and (number := _number_of(frame)) is not None:
            self._out.add(number)
            if any(kept == number and packet.is_keyframe for kept, packet in self._kept):
                self._forget_before(number)
        return frame

    def _judge(self, frame: av.VideoFrame) -> None:
        """Mark a frame that has errors, or that comes after one that had, as far as the next keyframe."""
        if frame.is_corrupt:
            self._doubt = _LONGEST_DOUBT
        elif frame.key_frame:
            self._doubt = 0
        if self._doubt and isinstance(frame.opaque, _Origin):
            frame.opaque.damaged = True
            self._doubt -= 1

    def _keep(self, number: int, packet: av.Packet) -> None:
        """Remember a packet from the first keyframe on, and nothing where keyframes are too far apart."""
        if not self._kept and not packet.is_keyframe:
            return
        self._kept.append((number, packet))
        self._bytes += packet.size
        if len(self._kept) > _LONGEST or self._bytes > _LARGEST_BYTES:
            self._forget_before(number + 1)

    def _forget_before(self, number: int) -> None:
        """A keyframe is out, and with it everything that is shown before it."""
        while self._kept and self._kept[0][0] < number:
            self._bytes -= self._kept.popleft()[1].size
        self._out = {out for out in self._out if out >= number}

    def _go_alone(self) -> bool:
        """Change to one thread; False where there is nothing to start from."""
        if not self._kept or self._again is None:
            return False
        try:
            self._context = _prepared(self._again(), threads=1)
        except (av.FFmpegError, OSError, IndexError):
            return False
        self._alone = True
        return True

    def _decoded_again(self, to_the_end: bool = False) -> Iterator[av.VideoFrame]:
        """What is left of the kept packets, without the frames that are out."""
        packets: list[av.Packet | None] = [packet for _, packet in self._kept]
        packets += [None] if to_the_end else []
        out, last_pts = self._out, self._last_pts
        self._kept.clear()
        self._out = set()
        for packet in packets:
            for frame in self._decode(packet):
                number = _number_of(frame)
                late = frame.pts is not None and last_pts is not None and frame.pts <= last_pts
                if number not in out if number is not None else not late:
                    yield frame


def is_damaged(frame: av.VideoFrame) -> bool:
    """Whether a frame of a `Decoder` was decoded with errors, or from frames that were."""
    return isinstance(frame.opaque, _Origin) and frame.opaque.damaged


def _number_of(frame: av.VideoFrame) -> int | None:
    return frame.opaque.number if isinstance(frame.opaque, _Origin) else None


def _prepared(stream: av.VideoStream, threads: int) -> av.VideoCodecContext:
    context = stream.codec_context
    context.thread_type = "AUTO"
    context.thread_count = threads
    context.flags |= _COPY_OPAQUE
    return context
