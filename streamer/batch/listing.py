"""Which videos there are: folders, patterns and manifests in, one entry per video out."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path, PurePath

from streamer.batch.job import refuse_endless
from streamer.data.source import IMAGE_SUFFIXES
from streamer.errors import ConfigError, SourceError
from streamer.sources.open import kind_of, local, matches
from streamer.sources.url import is_url, short_name

VIDEO_SUFFIXES = frozenset(
    {
        *(".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".gif", ".h264", ".h265", ".hevc", ".ivf"),
        *(".m2ts", ".m2v", ".m4v", ".mj2", ".mjpeg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogm"),
        *(".ogv", ".rm", ".rmvb", ".ts", ".vob", ".webm", ".wmv", ".y4m"),
    }
)
"""What is taken for a video where a folder is searched; a file that is named is always tried."""
PATH, NAME = "path", "name"


@dataclass(frozen=True)
class Entry:
    """One video of a batch.

    Attributes:
        source: A path or an address.
        name: What it is called, and what is made of it; may hold folders. No other entry has it.
        options: What a row of a manifest says about it: the name of an option of ``annotate`` to its value.
        place: Where that stands, for people.
    """

    source: str
    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    place: str = ""


def entries_of(sources: Sequence[str], outside: Path) -> list[Entry]:
    """Every video of the sources, in the order of their names.

    A folder is searched through and through: each video in it is one, and so is each folder of pictures. A ``.csv`` is
    a manifest; its paths count from where it lies. What lies in ``outside``, where results go, is none of them.

    Raises:
        SourceError: There is none, a source is not there, or one has no end.
        ConfigError: A manifest cannot be read.
    """
    found: list[Entry] = []
    for source in map(local, sources):
        if source.lower().endswith(".csv"):
            found += _manifest(Path(source))
        else:
            found += [Entry(path, name) for path, name in _named(source, outside.resolve())]
    if not found:
        raise SourceError(f"There is no video in {', '.join(sources)}: name a folder of videos, videos or a manifest.")
    return sorted(_unique(found), key=lambda entry: entry.name)


def _named(source: str, outside: Path) -> Iterator[tuple[str, str]]:
    refuse_endless(source)
    if source == "-":
        raise SourceError("A batch needs videos that can be read again: - is for `streamer annotate`.")
    if Path(source).is_dir():
        for path in _inside(Path(source), outside):
            yield str(path), _name_of(path, Path(source))
    elif kind_of(source) == "folder":
        files = matches(source)
        if files and all(Path(file).suffix.lower() in IMAGE_SUFFIXES for file in files):
            yield source, Path(source).parent.name or "pictures"
        else:
            yield from ((file, Path(file).stem) for file in files)
    elif is_url(source):
        yield source, short_name(source)
    elif source == "scene" or Path(source).exists():
        yield source, Path(source).stem
    else:
        raise SourceError(f"There is no file {source}: check the path.")


def _inside(top: Path, outside: Path) -> Iterator[Path]:
    """The videos below a folder, and the folders that hold pictures."""
    for folder, below, names in os.walk(top, followlinks=True):
        here = Path(folder)
        below[:] = sorted(name for name in below if name[0] != "." and (here / name).resolve() != outside)
        visible = sorted(name for name in names if name[0] != ".")
        yield from (here / name for name in visible if PurePath(name).suffix.lower() in VIDEO_SUFFIXES)
        if any(PurePath(name).suffix.lower() in IMAGE_SUFFIXES for name in visible):
            yield here


def _name_of(path: Path, top: Path) -> str:
    relative = path.relative_to(top)
    if relative == Path():
        return path.resolve().name or "pictures"
    return relative.as_posix() if path.is_dir() else relative.with_suffix("").as_posix()


def _unique(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The same with a name of its own for each; equal names keep the end of the file's, or are numbered."""
    entries = list(entries)
    first = Counter(entry.name for entry in entries)
    taken: set[str] = set()
    for entry in entries:
        name = entry.name if first[entry.name] == 1 else f"{entry.name}{PurePath(entry.source).suffix}"
        free = free_name(name, taken)
        taken.add(free)
        yield replace(entry, name=free)


def free_name(name: str, taken: Container[str]) -> str:
    """The name, with a number behind it where it is taken: ``door``, ``door-2``, ``door-3``."""
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(free for free in names if free not in taken)


def _manifest(path: Path) -> Iterator[Entry]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            columns = [(name or "").strip() for name in rows.fieldnames or []]
            if PATH not in columns:
                raise ConfigError(f"The manifest {path} has no column {PATH!r}: begin it with a line of column names.")
            rows.fieldnames = columns
            for row in rows:
                yield from _row(row, path.parent, f"{path}, line {rows.line_num}")
    except OSError as error:
        raise SourceError(f"The manifest {path} cannot be read ({error.strerror}): check the path.") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise ConfigError(f"The manifest {path} is no table of UTF-8 text ({error}): save it as CSV.") from None


def _row(row: Mapping[str | None, str | list[str] | None], folder: Path, place: str) -> Iterator[Entry]:
    if None in row:
        raise ConfigError(f"{place}: there are more values than columns: put values with commas into quotes.")
    cells = {str(name): str(value).strip() for name, value in row.items() if value and str(value).strip()}
    if not cells:
        return
    source = cells.pop(PATH, "")
    if not source:
        raise ConfigError(f"{place}: there is no path: name the video.")
    refuse_endless(source)
    source = local(source)
    if not is_url(source) and source != "scene":
        source = str(folder / source)
    name = cells.pop(NAME, "") or (short_name(source) if is_url(source) else Path(source).stem)
    if PurePath(name).is_absolute() or ".." in PurePath(name).parts:
        raise ConfigError(f"{place}: the name {name!r} leads out of the folder of results: choose another.")
    yield Entry(source, name, cells, place)
