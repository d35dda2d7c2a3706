"""``streamer picture``: photos in, pictures of their depth, of everything in them, and of what was pointed at out."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamer.batch.job import AnnotateJob
from streamer.batch.listing import free_name
from streamer.data.prompt import Prompt, check_inside
from streamer.data.result import Result
from streamer.data.source import IMAGE_SUFFIXES
from streamer.depth.inside import DepthInside, depth_inside
from streamer.engine import Engine
from streamer.errors import ConfigError, PartialError, SinkError, SourceError, StreamerError
from streamer.sinks.everything import write_coco, write_labels
from streamer.sinks.image import write_image
from streamer.sinks.outputs import replacing, write_json
from streamer.sources.images import images_in, read_rgb
from streamer.sources.open import kind_of, local, matches
from streamer.terminal.progress import AnnotateConsole
from streamer.terminal.stopping import INTERRUPTED, Stop
from streamer.ui.pictures import depth_limits, draw_depth, draw_everything, draw_masks

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PictureJob:
    """What to make of photos.

    Attributes:
        sources: Photos, folders of them, and patterns.
        folder: Where the pictures go.
        prompts: What is pointed at on each; without any there is no picture of it.
        everything: Whether everything in them is found.
        depth: Whether their depth is estimated.
    """

    sources: Sequence[str]
    folder: Path
    prompts: Sequence[Prompt] = ()
    everything: bool = True
    depth: bool = True

    @classmethod
    def of_everything(cls, job: AnnotateJob) -> Self:
        """What is to be annotated with everything in it.

        Raises:
            SinkError: One file was named, but there will be several.
        """
        folder = job.targets.output
        if folder is None or not job.targets.is_folder:
            raise SinkError("Everything in a photo is a picture, a PNG of labels and COCO JSON: name a folder with -o.")
        return cls(job.sources, folder, depth=False)


def pictures(engine: Engine, job: PictureJob) -> int:
    """Make the pictures of every photo.

    Returns:
        Exit code: 0, or 130 when it was interrupted.

    Raises:
        PartialError: Some photos could not be read, or their pictures not be written; the others have been.
        StreamerError: Nothing could be done.
    """
    photos, console = photos_of(job.sources), AnnotateConsole()
    if not (job.everything or job.depth or job.prompts):
        raise ConfigError("Masks and depth are both left out, so there is nothing to do: leave one of them in.")
    failures: list[StreamerError] = []
    with Stop() as stop, console.playing("photos", len(photos), unit="photos"):
        for done, (photo, name) in enumerate(zip(photos, names_of(photos), strict=True)):
            if stop.signalled:
                return INTERRUPTED
            try:
                for written in _pictures_of(engine, job, photo, name, console.say):
                    console.say(str(written))
            except StreamerError as error:
                if len(photos) == 1:
                    raise
                failures.append(error)
                console.error(f"{photo}: {error}")
            console.update(done + 1)
    if failures:
        partial = PartialError(f"{len(failures)} of {len(photos)} photos could not be done whole: see above.")
        raise partial if len(failures) < len(photos) else failures[-1]
    return 0


def photos_of(sources: Sequence[str]) -> list[Path]:
    """The photos that are meant, folders and patterns in natural order.

    Raises:
        SourceError: Something is no photo, or a folder or pattern holds none.
    """
    photos: list[Path] = []
    for source in map(local, sources):
        kind = kind_of(source)
        if kind == "image":
            photos.append(Path(source))
        elif kind == "folder" and Path(source).is_dir():
            photos += images_in(Path(source))
        elif kind == "folder":
            found = [Path(file) for file in matches(source) if Path(file).suffix.lower() in IMAGE_SUFFIXES]
            if not found:
                raise SourceError(f"Nothing matches the pattern {source}: check the path.")
            photos += found
        else:
            raise SourceError(f"{source} is no photo: name photos or a folder of them, or use `streamer annotate`.")
    return photos


def names_of(photos: Sequence[Path]) -> list[str]:
    """What the pictures of each photo are called: as the photo, with a number where two are called the same."""
    names: list[str] = []
    for photo in photos:
        names.append(free_name(photo.stem, names))
    return names


def _pictures_of(engine: Engine, job: PictureJob, photo: Path, name: str, say: Callable[[str], None]) -> Iterator[Path]:
    """Make the pictures of one photo, and give the path of each as soon as it is there."""
    image = read_rgb(photo)
    height, width = image.shape[:2]
    check_inside(job.prompts, (width, height))

    def path(ending: str) -> Path:
        return job.folder / f"{name}-{ending}"

    inverse_depth = None
    if job.depth and engine.depth_estimator is not None:
        model = engine.depth_estimator
        inverse_depth = model.estimate(image)
        write_image(path("depth.png"), draw_depth(image, inverse_depth, model.unit, model.name))
        yield path("depth.png")
    if job.everything:
        masks = engine.everything(image)
        write_image(path("everything.png"), draw_everything(image, masks))
        write_coco(path("everything.json"), photo.name, (width, height), masks)
        left_out = write_labels(path("labels.png"), (width, height), masks)
        if left_out:
            say(f"{path('labels.png')} leaves out the {left_out} smallest masks: an indexed PNG has 255 numbers.")
        yield from (path("everything.png"), path("everything.json"), path("labels.png"))
    if job.prompts:
        (result,) = engine.run([image], job.prompts)
        insides = [] if inverse_depth is None else _depth_inside(engine, result, inverse_depth)
        write_image(path("mask.png"), draw_masks(result, insides))
        yield path("mask.png")
        if insides:
            write_depth_csv(path("mask-depth.csv"), insides)
            write_depth_json(path("mask-depth.json"), insides)
            yield from (path("mask-depth.csv"), path("mask-depth.json"))


def _depth_inside(engine: Engine, result: Result, inverse_depth: NDArray[np.float32]) -> list[tuple[int, DepthInside]]:
    assert engine.depth_estimator is not None
    limits, unit = depth_limits(inverse_depth), engine.depth_estimator.unit
    known = ((track.id, depth_inside(inverse_depth, track.mask, limits, unit)) for track in result.tracks)
    return [(object_id, inside) for object_id, inside in known if inside is not None]


def write_depth_csv(path: Path, insides: Sequence[tuple[int, DepthInside]]) -> None:
    """One row per object: pixels, quartiles, unit, and then the histogram's bins as ``low..high``.

    Raises:
        SinkError: The file cannot be written.
    """
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        edges = insides[0][1].edges.tolist()
        bins = [f"{low:.4g}..{high:.4g}" for low, high in pairwise(edges)]
        writer.writerow(["object", "pixels", "lower", "median", "upper", "unit", *bins])
        for object_id, one in insides:
            quartiles = [f"{value:.6g}" for value in (one.lower, one.median, one.upper)]
            writer.writerow([object_id, one.count, *quartiles, one.unit.value, *one.counts.tolist()])


def write_depth_json(path: Path, insides: Sequence[tuple[int, DepthInside]]) -> None:
    """The same as a JSON document.

    Raises:
        SinkError: The file cannot be written.
    """
    objects: list[dict[str, Any]] = [
        {
            "id": object_id,
            "pixels": one.count,
            "lower": one.lower,
            "median": one.median,
            "upper": one.upper,
            "unit": one.unit.value,
            "histogram": {"edges": one.edges.tolist(), "counts": one.counts.tolist()},
        }
        for object_id, one in insides
    ]
    write_json(path, {"objects": objects})
