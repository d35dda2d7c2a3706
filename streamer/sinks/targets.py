"""Where the results of a run go: from options to sinks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from itertools import count
from pathlib import Path
from typing import Any

from streamer.data.source import IMAGE_SUFFIXES, SourceInfo
from streamer.errors import SinkError
from streamer.sinks.lines import MasksInJsonl
from streamer.sinks.optional import require
from streamer.sinks.outputs import STDOUT, is_numbered, shortened

VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".m4v", ".webm", ".gif")
FOLDER = Path("recordings")
_FOLDERS = frozenset({"masks", "depth_maps", "points", "yolo", "cutout"})
"""Outputs that are folders; the others are files, but for ``output``, which may be the folder of one."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What a person wants written; None for what they do not.

    Attributes:
        output: Annotated video or picture, or the folder for it.
        masks: Folder of indexed PNGs.
        depth_maps: Folder of 16-bit PNGs.
        jsonl: One JSON line per frame; `STDOUT` for the standard output.
        stats: JSON at the end; `STDOUT` for the standard output.
        mcap: ROS 2 messages.
        rerun: A Rerun recording.
        cutout: Folder of RGBA PNGs: the objects, and nothing around them.
        matte: The same as a video for editors, ProRes 4444 with its alpha (.mov).
        viewers: Tools that show results while the run goes on: "rerun", "foxglove".
        points: Folder of point clouds, in ``points_format``.
        depth_video: Lossless depth in meters.
        coco: A data set as one JSON file.
        yolo: Folder of a data set.
        results: Everything but the frames, for what joins the parts of a video.
        masks_in_jsonl: What the JSON lines hold of masks: "rle" (and the box), "box", or "none".
    """

    output: Path | None = None
    masks: Path | None = None
    depth_maps: Path | None = None
    jsonl: Path | None = None
    stats: Path | None = None
    mcap: Path | None = None
    rerun: Path | None = None
    viewers: frozenset[str] = frozenset()
    points: Path | None = None
    depth_video: Path | None = None
    coco: Path | None = None
    yolo: Path | None = None
    points_format: str = "ply"
    cutout: Path | None = None
    matte: Path | None = None
    results: Path | None = None
    masks_in_jsonl: MasksInJsonl = "rle"

    def __bool__(self) -> bool:
        return bool(self.viewers) or any(True for _ in self)

    def check(self, several: bool, masks: bool = True, depth: bool = True) -> None:
        """Refuse what cannot work before anything slow begins.

        Args:
            several: Whether there are several sources.
            masks, depth: Whether there will be any.

        Raises:
            SinkError: One file for several sources, one place for several outputs, a suffix that is not known,
                something that is left out, or a library that is missing.
        """
        of_masks = {"--masks": self.masks, "--points": self.points, "--coco": self.coco, "--yolo": self.yolo}
        of_masks |= {"--cutout": self.cutout, "--matte": self.matte}
        of_depth = {"--depth-maps": self.depth_maps, "--points": self.points, "--depth-video": self.depth_video}
        for option, path in of_masks.items():
            if path is not None and not masks:
                raise SinkError(f"There are no masks to write to {option}: let masks in.")
        for option, path in of_depth.items():
            if path is not None and not depth:
                raise SinkError(f"There is no depth to write to {option}: let depth in.")
        if self.matte is not None and self.matte.suffix.lower() != ".mov":
            raise SinkError(f"{self.matte.name} cannot hold a matte: end its name in .mov.")
        if self.take_stdout and several:
            raise SinkError("What is said of several sources would run together on the standard output: name a file.")
        files = {"mcap": self.mcap, "rerun": self.rerun}
        for name in {*self.viewers, *(name for name, path in files.items() if path is not None)}:
            require(f"--{name}")
        if self.points is not None and self.points_format == "glb":
            require("--points-format glb")
        if self.depth_video is not None and self.depth_video.suffix.lower() != ".mkv":
            raise SinkError(f"{self.depth_video.name} cannot hold lossless depth: end its name in .mkv.")
        places = [path.resolve() for path in self]
        for path in self:
            if places.count(path.resolve()) > 1:
                raise SinkError(f"{path} is named twice: give each output a place of its own.")
        if STDOUT in set(self) - {self.jsonl, self.stats}:
            raise SinkError("Only --jsonl and --stats can go to the standard output (-): name a file or a folder.")
        if self.output is None or self.is_folder:
            return
        if several:
            raise SinkError(f"{self.output} is one file, but there are several sources: name a folder with -o.")
        if self.output.suffix.lower() not in {*VIDEO_SUFFIXES, *IMAGE_SUFFIXES}:
            raise SinkError(
                f"{self.output.name} is nothing that can be written: "
                f"end its name in {', '.join(VIDEO_SUFFIXES)} (or .png or .jpg for a picture), or name a folder."
            )

    def check_meters(self, meters: bool) -> None:
        """Refuse what needs meters where depth will have none.

        Raises:
            SinkError: There is such an output.
        """
        for option, path in {"--points": self.points, "--depth-video": self.depth_video}.items():
            if path is not None and not meters:
                raise SinkError(
                    f"Depth will have no meters to write to {option}: choose a metric model, or give --known-distance "
                    "twice or --camera-height with --camera-pitch."
                )

    @property
    def take_stdout(self) -> bool:
        """Whether results go to the standard output, so that what is said to the person must not."""
        return STDOUT in (self.jsonl, self.stats)

    @property
    def is_folder(self) -> bool:
        """Whether ``output`` names a folder."""
        return self.output is not None and (self.output.is_dir() or not self.output.suffix)

    def of(self, info: SourceInfo, several: bool, anew: bool = True) -> Targets:
        """The targets of one source: a file name for its output, and names of their own beside other sources'.

        Args:
            info: The source. Its name may hold folders, which are made below those of the targets.
            several: Whether there are other sources.
            anew: In a folder, find a name that no other file has.

        Raises:
            SinkError: A picture was asked for from a video, or a video from a picture, the output is the source, or
                its place may not be written.
        """
        targets = replace(self, output=self._file(info, anew))
        if several:
            targets = targets._apart(info.name)
        for name, path in targets._places().items():
            if name not in _FOLDERS and path != STDOUT and path.is_dir():
                raise SinkError(f"{path} is a folder: give the name of a file in it.")
        for path in targets:
            if path != STDOUT:
                _spare(path, info)
                _check_place(path)
        return targets

    def __iter__(self) -> Iterator[Path]:
        return iter(self._places().values())

    def _places(self) -> dict[str, Path]:
        """Every place that is named, by what is written there."""
        return {field.name: place for field in fields(self) if isinstance(place := getattr(self, field.name), Path)}

    def _apart(self, source: str) -> Targets:
        """Places for one of several sources, but for ``output``: folders in the folders, files beside the files."""
        changed: dict[str, Any] = {
            name: path / source if name in _FOLDERS else _beside(path, source)
            for name, path in self._places().items()
            if name != "output"
        }
        return replace(self, **changed)

    def moved(self, to: Callable[[Path], Path]) -> Targets:
        """The same outputs at other places; the standard output stays."""
        changed: dict[str, Any] = {name: to(path) for name, path in self._places().items() if path != STDOUT}
        return replace(self, **changed)

    def _file(self, info: SourceInfo, anew: bool) -> Path | None:
        if self.output is None:
            return None
        if self.is_folder:
            names = _names(self.output / info.name, ".png" if info.still else ".mp4")
            return next(path for path in names if not (anew and path.exists()))
        is_image = self.output.suffix.lower() in IMAGE_SUFFIXES
        if is_image and not info.still and not is_numbered(self.output):
            raise SinkError(
                f"{info.name} is no single picture: end the output's name in "
                f"{', '.join(VIDEO_SUFFIXES)}, or number its pictures: %05d{self.output.suffix}."
            )
        if info.still and not is_image:
            raise SinkError(f"{info.name} is one picture: end the output's name in .png or .jpg.")
        return self.output

    def written(self) -> list[str]:
        """What there is to be found afterwards, for people."""
        there = (path for path in self if path == STDOUT or path.exists() or is_numbered(path))
        return ["the standard output" if path == STDOUT else str(path) for path in there]


def _names(path: Path, suffix: str) -> Iterator[Path]:
    """Names for what is made of a source; a clip of the same name may have been annotated before."""
    for number in count(1):
        yield path.with_name(shortened(path.name, f"-annotated{'' if number == 1 else f'-{number}'}{suffix}"))


def _beside(path: Path, name: str) -> Path:
    """``lines.jsonl`` is ``lines-clip.jsonl`` for a source named ``clip``."""
    place = path.parent / name
    return place.with_name(shortened(f"{path.stem}-{place.name}", path.suffix))


def _spare(path: Path, info: SourceInfo) -> None:
    """Refuse to write over the source."""
    place = path.resolve()
    if info.path is not None and place == info.path.resolve():
        raise SinkError(f"{path} is the source itself: choose another name.")
    if place in info.folders:
        raise SinkError(f"{path} is where the source's pictures are: choose another folder, so that they stay.")


def _check_place(path: Path) -> None:
    """Refuse a place that cannot be written, without writing anything there yet."""
    parent = next(parent for parent in path.absolute().parents if parent.exists())
    reason = "" if os.access(parent, os.W_OK) else "Permission denied"
    reason = reason if parent.is_dir() else f"{parent.name} is a file"
    if reason:
        raise SinkError(f"{path} cannot be written ({reason}): choose another place.")
