"""From what a person writes to an open source."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

from streamer.data.source import IMAGE_SUFFIXES, Source
from streamer.errors import SourceError
from streamer.sources.url import is_url

_NUMBER = re.compile(r"%0?(\d*)d")
_PIPES = ("/dev/fd/", "/dev/stdin")
"""What shells give in the place of a file."""

Kind = Literal["camera", "stream", "scene", "folder", "image", "video", "arrays", "source"]


def kind_of(spec: object) -> Kind:
    """What a source is, without opening it.

    An int, digits or ``/dev/...`` are a camera, an address is a stream, ``scene`` is the rendered scene (unless a file
    has that name; a folder of that name is ``./scene``), a folder or a pattern with ``*``, ``?``, ``[`` or ``%04d`` is
    a folder of pictures, ``-`` is a video from the standard input, a `Source` is one already, anything else that is
    iterable gives arrays; everything else is a file.
    """
    if isinstance(spec, Source):
        return "source"
    if isinstance(spec, int) and not isinstance(spec, bool):
        return "camera"
    if not isinstance(spec, (str, Path)):
        return "arrays"
    text = local(str(spec))
    if is_url(text):
        return "stream"
    path = Path(text)
    if text == "scene" and not path.is_file():
        return "scene"
    if text.isdecimal() or (text.startswith("/dev/") and not text.startswith(_PIPES)):
        return "camera"
    if path.is_dir() or (not path.exists() and is_pattern(text)):
        return "folder"
    return "image" if path.suffix.lower() in IMAGE_SUFFIXES else "video"


def local(spec: str) -> str:
    """The path of a ``file://`` address; everything else as it is."""
    if not spec.lower().startswith("file://"):
        return spec
    return url2pathname(urlsplit(spec).path)


def is_pattern(text: str) -> bool:
    """Whether a path stands for several files: ``*``, ``?``, ``[...]`` or a number such as ``%04d``."""
    return glob.has_magic(text) or _NUMBER.search(Path(text).name) is not None


def matches(pattern: str) -> list[str]:
    """The files that a pattern stands for, sorted; signs in the name of a folder that exists are no pattern."""
    path = Path(pattern)
    folder = next(parent for parent in path.parents if parent.is_dir() or not parent.name)
    rest = str(path.relative_to(folder))
    begin = "" if str(folder) == "." and not pattern.startswith("./") else f"{glob.escape(str(folder))}/"
    numbered = _NUMBER.search(path.name)
    if numbered is None or glob.has_magic(path.name):
        found = glob.glob(begin + rest, recursive=True)
    else:
        found = [name for name in glob.glob(f"{glob.escape(str(path.parent))}/*") if _is_numbered(path, Path(name))]
    return sorted(name for name in found if Path(name).is_file())


def _is_numbered(pattern: Path, file: Path) -> bool:
    """Whether a file's name is the pattern's with a number in it, of as many digits at least."""
    before, digits, after = _NUMBER.split(pattern.name, maxsplit=1)
    number = rf"\d{{{int(digits or 1)},}}"
    return re.fullmatch(re.escape(before) + number + re.escape(after), file.name) is not None


def open_source(
    spec: str | int | Path | Source | Iterable[Any],
    *,
    live: bool = False,
    rate_hz: Fraction | float | None = None,
    loop: bool = False,
    **keywords: Any,
) -> Source:
    """Open whatever a source can be: camera, address, ``scene``, video, picture, folder, pattern, or arrays.

    Args:
        spec: See `kind_of`.
        live: Play what is recorded or rendered at its own rate, as a camera would show it.
        rate_hz: For cameras the rate to ask for; for pictures, arrays and scenes the rate they have; for a video,
            which has its own timestamps, the rate it is played at when ``live``.
        loop: Begin again at the end, as often as it comes.
        keywords: For the source itself: ``width``, ``height``, ``open_timeout_s``, ``read_timeout_s`` of
            `CameraSource`; ``seed``, ``size``, ``frame_count`` and so on of `SceneSource`.

    Raises:
        SourceError: It cannot be opened.
    """
    if isinstance(spec, str):
        spec = local(spec)
        if not spec:
            raise SourceError("The source has no name: give a path, a camera number or an address.")
    kind = kind_of(spec)
    if kind == "arrays" and not isinstance(spec, Iterable):
        raise SourceError(f"A source is a path, a camera number, an address or an iterable, not {type(spec).__name__}.")
    rate = {} if rate_hz is None else {"rate_hz": rate_hz}
    if kind == "video" and rate and not live:
        raise SourceError("A video keeps its own timestamps: a rate can be given only where it is played live.")
    if kind == "arrays" and isinstance(spec, Iterator):
        keywords["live"] = live  # nobody knows when it gives the next one, so there is nothing to pace
    if "follow_s" in keywords and kind != "video":
        raise SourceError("--follow is for a video file that is still being written: leave it out.")
    if "video_track" in keywords and kind not in ("video", "stream"):
        raise SourceError("--video-track is for files that hold several videos: leave it out.")
    opener = partial(_OPENERS[kind], spec, **({} if kind == "video" else rate), **keywords)
    source = opener()
    if loop:
        from streamer.sources.looping import LoopingSource

        source = LoopingSource(source, opener)
    if not live or source.info.live or source.info.still:
        return source
    from streamer.sources.paced import PacedSource

    return PacedSource(source, rate_hz if kind == "video" else None)


def _open_camera(spec: Any, **keywords: Any) -> Source:
    from streamer.sources.camera import CameraSource

    return CameraSource(spec, **keywords)


def _open_stream(spec: Any, **keywords: Any) -> Source:
    if str(spec).lower().startswith(("http://", "https://")):
        from streamer.sources.file import has_end

        if has_end(str(spec), keywords.get("open_timeout_s", 5.0)):
            asked = {name: keywords[name] for name in ("video_track", "keep_bits", "keep_hdr") if name in keywords}
            return _open_video(spec, **asked)
    if "video_track" in keywords:
        raise SourceError("--video-track is for files that hold several videos: leave it out.")
    return _open_camera(spec, **{name: keywords[name] for name in keywords if not name.startswith("keep_")})


def _open_scene(spec: Any, **keywords: Any) -> Source:
    from streamer.synthetic import SceneSource

    return SceneSource(**keywords)


def _open_folder(spec: Any, **keywords: Any) -> Source:
    from streamer.sources.images import ImageFolderSource

    if Path(spec).is_dir():
        return ImageFolderSource(spec, **keywords)
    files = [Path(file) for file in matches(str(spec))]
    images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    if images:
        return ImageFolderSource(images, **keywords)
    if files:
        raise SourceError(f"The pattern {spec} matches no picture, but {len(files)} other files: name them one by one.")
    raise SourceError(f"Nothing matches the pattern {spec}: check the path.")


def _open_image(spec: Any, **keywords: Any) -> Source:
    from streamer.sources.images import ImageSource
    from streamer.sources.pages import PagesSource, is_sequence

    keep_bits = keywords.pop("keep_bits", False)
    return PagesSource(spec, **keywords) if is_sequence(Path(spec)) else ImageSource(spec, keep_bits)


def _open_video(spec: Any, **keywords: Any) -> Source:
    from streamer.sources.file import VideoSource

    return VideoSource(spec, **keywords)


def _open_arrays(spec: Any, **keywords: Any) -> Source:
    from streamer.sources.arrays import ArraySource

    return ArraySource(spec, **keywords)


def _take(spec: Any, **keywords: Any) -> Source:
    if keywords:
        raise SourceError(f"This source is open already, so it takes no {', '.join(keywords)}: set that there.")
    source: Source = spec
    return source


_OPENERS = {
    "camera": _open_camera,
    "stream": _open_stream,
    "scene": _open_scene,
    "folder": _open_folder,
    "image": _open_image,
    "video": _open_video,
    "arrays": _open_arrays,
    "source": _take,
}
