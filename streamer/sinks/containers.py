"""What kinds of video files can be written, each with a codec that its players take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc

from streamer.data.original import Hdr
from streamer.errors import SinkError

# Each group of pictures is a fragment that can be played once it is on disk. At the end `hybrid_fragmented` turns the
# same file into an ordinary MP4, in place, because fragments seek slowly and some players do not know them; its index
# is at the end then (see `faststart`).
# `delay_moov` lets edit lists express audio that starts before 0, which would otherwise shift every timestamp.
# `max_interleave_delta` [us] keeps the muxer from holding back pictures for audio that has ended.
_MUXING = {"flush_packets": "1", "max_interleave_delta": "1000000"}
_FRAGMENTS = {**_MUXING, "movflags": "frag_keyframe+delay_moov+hybrid_fragmented"}
_CLUSTERS = {**_MUXING, "cluster_time_limit": "1000"}
_LONGEST_PX = 16_384
"""What libx264 and VP9 take for a side."""
_HEVC_LONGEST_PX = 8192
"""Beyond it, no level of HEVC has a name that players know."""


@dataclass(frozen=True, slots=True)
class Colors:
    """What players are told about colors, as FFmpeg numbers it."""

    matrix: int = Colorspace.ITU709
    primaries: int = ColorPrimaries.BT709
    transfer: int = ColorTrc.BT709


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of video file.

    Attributes:
        format: FFmpeg's name of it.
        options: For its muxer.
        codec: FFmpeg's name of the encoder.
        pix_fmt: What the encoder is given.
        lead_s: How long before the first frame sound may begin [s]. Audio encoders start a little before the first
            frame (AAC 21 to 44 ms, Opus up to 80 ms). Matroska has no negative time: it would move every frame, so
            that packet stays behind there.
        timescale: Whether the header has a clock of its own, which would round a late start to 1 ms.
        index_at_end: Whether the index comes last, so that players that fetch the file have to wait for all of it.
        longest_px: The longest side [px].
        ticks_hz: The clock that times are rounded to, where the container prescribes one [Hz].
        encoding: Options of the encoder; None derives them from quality and speed.
        least_ticks: Frames that follow each other faster than this are not shown by players.
        colors: What the frames are converted to and tagged with.
        tag: The codec's name in the container, where players ask for another than FFmpeg's.
    """

    format: str
    options: Mapping[str, str] = field(default_factory=dict)
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    lead_s: float = 0.0
    timescale: bool = False
    index_at_end: bool = False
    longest_px: int = _LONGEST_PX
    ticks_hz: int | None = None
    encoding: Mapping[str, str] | None = None
    least_ticks: int = 1
    colors: Colors = Colors()
    tag: str | None = None

    def encoder_options(self, crf: int, preset: str) -> dict[str, str]:
        """Quality and speed in the words of the encoder.

        Keyframes come by the clock alone, so that fragments are neither long nor, in restless scenes, one frame each.
        """
        if self.encoding is not None:
            return dict(self.encoding)
        if self.codec == "libx264":
            return {"crf": str(crf), "preset": preset, "forced-idr": "1", "sc_threshold": "0"}
        if self.codec == "prores_ks":
            return {"profile": "4444"}
        if self.codec == "libvpx-vp9":  # its scale goes to 63, and 31 looks like 20 of H.264
            return {"crf": str(min(crf + 11, 63)), "deadline": "realtime", "cpu-used": "7", "row-mt": "1"}
        return {}


CONTAINERS = {
    ".mp4": Container("mp4", _FRAGMENTS, lead_s=0.1, timescale=True, index_at_end=True),
    ".mkv": Container("matroska", _CLUSTERS),
    ".mov": Container("mov", _FRAGMENTS, lead_s=0.1, timescale=True, index_at_end=True),
    ".m4v": Container("mp4", _FRAGMENTS, lead_s=0.1, timescale=True, index_at_end=True),
    ".webm": Container("webm", _CLUSTERS, codec="libvpx-vp9"),
    # Browsers take frames of less than 2/100 s for a mistake, and show them for 1/10 s.
    ".gif": Container("gif", codec="gif", pix_fmt="pal8", ticks_hz=100, least_ticks=2),
}
"""By the end of the name."""
PRORES = Container("mov", _FRAGMENTS, codec="prores_ks", pix_fmt="yuva444p10le", timescale=True, index_at_end=True)
"""What editors take with an alpha."""


def hdr_container(path: Path, hdr: Hdr, crf: int, preset: str) -> Container:
    """10-bit HEVC with the light and the colors of an HDR source, and what it says about its screen.

    Raises:
        SinkError: The name ends in a container that players do not take it in.
    """
    suffix = path.suffix.lower()
    if suffix not in (".mp4", ".mov", ".m4v", ".mkv"):
        raise SinkError(f"{path.name} cannot hold HDR: end its name in .mp4, .mov or .mkv, or leave --hdr keep out.")
    words = ["log-level=error", "scenecut=0", "keyint=-1", "bframes=0"]
    if hdr.mastering is not None:
        red, green, blue, white = (hdr.mastering[place : place + 2] for place in (0, 2, 4, 6))
        named = {"G": green, "B": blue, "R": red, "WP": white}
        points = (f"{name}({x},{y})" for name, (x, y) in named.items())
        least, most = hdr.mastering[8:]
        words.append(f"master-display={''.join(points)}L({most},{least})")
    if hdr.light_levels is not None:
        words.append("max-cll={},{}".format(*hdr.light_levels))
    return replace(
        CONTAINERS[suffix],
        codec="libx265",
        pix_fmt="yuv420p10le",
        longest_px=_HEVC_LONGEST_PX,
        encoding={"crf": str(crf), "preset": preset, "forced-idr": "1", "x265-params": ":".join(words)},
        colors=Colors(Colorspace.BT2020, ColorPrimaries.BT2020, hdr.transfer),
        tag=None if suffix == ".mkv" else "hvc1",
    )
