"""From what a person writes to an open source."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from streamer.data.source import PICTURE_SUFFIXES, Source
from streamer.errors import SourceError
from streamer.sources.url import is_url

Kind = Literal["camera", "stream", "scene", "folder", "image", "video", "arrays"]


def kind_of(spec: object) -> Kind:
    """What a source is, without opening it.

    An int, digits or ``/dev/...`` are a camera, an address is a stream, ``scene`` is the rendered scene (a folder of
    that name is ``./scene``), a folder or a pattern with ``*``, ``?`` or ``[`` is a folder of pictures, anything
    iterable but text gives arrays; everything else is a file.
    """
    if isinstance(spec, int) and not isinstance(spec, bool):
        return "camera"
    if not isinstance(spec, (str, Path)):
        return "arrays"
    text = str(spec)
    if is_url(text):
        return "stream"
    if text == "scene":
        return "scene"
    if text.isdecimal() or text.startswith("/dev/"):
        return "camera"
    path = Path(text)
    if path.is_dir() or (glob.has_magic(text) and not path.exists()):
        return "folder"
    return "image" if path.suffix.lower() in PICTURE_SUFFIXES else "video"


def open_source(
    spec: str | int | Path | Iterable[Any],
    *,
    live: bool = False,
    rate_hz: Fraction | float | None = None,
    **keywords: Any,
) -> Source:
    """Open whatever a source can be: camera, address, ``scene``, video, picture, folder, pattern, or arrays.

    Args:
        spec: See `kind_of`.
        live: Play what is recorded or rendered at its own rate, as a camera would show it.
        rate_hz: For cameras the rate to ask for; for pictures, arrays and scenes the rate they have; for a video,
            which has its own timestamps, the rate it is played at when ``live``.
        keywords: For the source itself: ``width``, ``height``, ``open_timeout_s``, ``read_timeout_s`` of
            `CameraSource`; ``seed``, ``size``, ``frame_count`` and so on of `SceneSource`.

    Raises:
        SourceError: It cannot be opened.
    """
    kind = kind_of(spec)
    if kind == "arrays" and not isinstance(spec, Iterable):
        raise SourceError(f"A source is a path, a camera number, an address or an iterable, not {type(spec).__name__}.")
    rate = {} if rate_hz is None else {"rate_hz": rate_hz}
    if kind == "video" and rate and not live:
        raise SourceError("A video keeps its own timestamps: a rate can be given only where it is played live.")
    if kind == "arrays" and isinstance(spec, Iterator):
        keywords["live"] = live  # nobody knows when it gives the next one, so there is nothing to pace
    source: Source = _OPENERS[kind](spec, **({} if kind in ("video", "image") else rate), **keywords)
    if not live or source.info.live or source.info.still:
        return source
    from streamer.sources.paced import PacedSource

    return PacedSource(source, rate_hz if kind == "video" else None)


def _open_camera(spec: Any, **keywords: Any) -> Source:
    from streamer.sources.camera import CameraSource

    return CameraSource(spec, **keywords)


def _open_stream(spec: Any, **keywords: Any) -> Source:
    stream = _open_camera(spec, **keywords)
    if stream.info.frame_count is None:
        return stream
    stream.close()  # a file on a server: that it has a length shows only once it is open
    return _open_video(spec)


def _open_scene(spec: Any, **keywords: Any) -> Source:
    from streamer.synthetic import SceneSource

    return SceneSource(**keywords)


def _open_folder(spec: Any, **keywords: Any) -> Source:
    from streamer.sources.images import ImageFolderSource

    if Path(spec).is_dir():
        return ImageFolderSource(spec, **keywords)
    files = [Path(file) for file in glob.glob(str(spec), recursive=True) if Path(file).is_file()]
    pictures = [file for file in files if file.suffix.lower() in PICTURE_SUFFIXES]
    if pictures:
        return ImageFolderSource(pictures, **keywords)
    if files:
        raise SourceError(f"The pattern {spec} matches no picture, but {len(files)} other files: name them one by one.")
    raise SourceError(f"Nothing matches the pattern {spec}: check the path.")


def _open_image(spec: Any, **keywords: Any) -> Source:
    from streamer.sources.images import ImageSource

    return ImageSource(spec, **keywords)


def _open_video(spec: Any, **keywords: Any) -> Source:
    from streamer.sources.file import VideoSource

    return VideoSource(spec, **keywords)


def _open_arrays(spec: Any, **keywords: Any) -> Source:
    from streamer.sources.arrays import ArraySource

    return ArraySource(spec, **keywords)


_OPENERS = {
    "camera": _open_camera,
    "stream": _open_stream,
    "scene": _open_scene,
    "folder": _open_folder,
    "image": _open_image,
    "video": _open_video,
    "arrays": _open_arrays,
}
