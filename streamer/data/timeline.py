"""One running time for recordings that were joined, whose timestamps start again in the middle."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av

_BACK_S = Fraction(1, 10)
"""Decoding times never run backwards; FFmpeg takes as much for a new beginning in streams that may have one."""
_AHEAD_S = Fraction(10)
"""FFmpeg's `dts_delta_threshold`: a longer leap is another clock, a shorter one a gap in the recording."""
_LATE = 50
"""Packets after a join among which some may still come from before it."""
_UNTIMED = ("rawvideo", "h264", "hevc", "m4v", "mjpeg")


class Timeline:
    """Moves packets so that time goes on where a joined recording starts again. One for all streams of a container.

    Containers whose clock may be set anew while they run (MPEG-TS and its kin) may also leap ahead; others only back.

    Args:
        format_name: FFmpeg's name of the container's format, such as ``mpegts``.

    Attributes:
        joins: How often time has started again so far.
    """

    def __init__(self, format_name: str) -> None:
        self._leaps = any(name in ("mpegts", "mpeg", "hls") for name in format_name.split(","))
        self._ignored = format_name in _UNTIMED
        self._offsets_s = [Fraction(0)]
        self._since_new = _LATE
        self.joins = 0
        self._expected_s: dict[int, Fraction] = {}

    def place(self, packet: av.Packet) -> None:
        """Shift the stamps of the next packet of the container, in place."""
        if packet.dts is None or packet.time_base is None or self._ignored:
            return
        stamp_s = packet.dts * packet.time_base
        index = packet.stream.index
        if packet.stream.type in ("video", "audio"):
            offset_s = self._offset_s(stamp_s, self._expected_s.get(index))
            self._expected_s[index] = stamp_s + offset_s + (packet.duration or 0) * packet.time_base
        else:  # subtitles come when somebody speaks: they tell nothing of the clock
            offset_s = self._offsets_s[-1]
        if self._leaps and packet.pts is not None and abs(packet.pts - packet.dts) * packet.time_base > _AHEAD_S:
            packet.pts = None  # a bit was lost on the way: nothing is shown so long after it was decoded
        shift = round(offset_s / packet.time_base)
        if shift:
            packet.dts += shift
            if packet.pts is not None:
                packet.pts += shift

    def _offset_s(self, stamp_s: Fraction, expected_s: Fraction | None) -> Fraction:
        """What is added to a stamp: the present offset, a new one, or just after that the one before it.

        The latter, because packets from before a join may come late, and one wrong stamp is no join.
        """
        if expected_s is None:
            return self._offsets_s[-1]
        self._since_new += 1
        known = self._offsets_s[-2:] if self._since_new < _LATE else self._offsets_s[-1:]
        fitting = [offset_s for offset_s in reversed(known) if self._fits(stamp_s + offset_s - expected_s)]
        if fitting:
            best_s = min(fitting, key=lambda offset_s: abs(stamp_s + offset_s - expected_s))
            self._offsets_s.remove(best_s)
            self._offsets_s.append(best_s)
            return best_s
        self._offsets_s.append(expected_s - stamp_s)
        self._since_new = 0
        self.joins += 1
        return self._offsets_s[-1]

    def _fits(self, ahead_s: Fraction) -> bool:
        return ahead_s >= -_BACK_S and (ahead_s <= _AHEAD_S or not self._leaps)
