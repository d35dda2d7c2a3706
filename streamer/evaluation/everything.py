"""``streamer eval-everything``: how much of what people outlined is among the masks of everything in a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from streamer.data.automatic_mask import AutomaticMask
from streamer.engine import Engine
from streamer.errors import SourceError
from streamer.sinks.outputs import write_json
from streamer.sources.images import natural_order, read_rgb
from streamer.terminal.progress import AnnotateConsole

MOST = 100
THRESHOLDS = np.arange(0.5, 1.0, 0.05)
"""IoU from which an instance counts as found: AR@100 averages over them (COCO)."""
SMALL_SHARE, LARGE_SHARE = 0.01, 0.1
"""Of the picture: instances below are small, above large."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class EverythingEval:
    """What to measure on.

    Attributes:
        root: A folder with ``annotations.json`` (COCO) and ``images/``, or one of BSDS500 with ``images/test`` and
            ``groundTruth/test``.
        last: Only so many pictures, the last by id or name; 0 for all.
        json: Where the figures go as well.
    """

    root: Path
    last: int = 0
    json: Path | None = None


def evaluate_everything(engine: Engine, job: EverythingEval) -> int:
    """Print recall by size of the instances. Returns 0.

    Raises:
        SourceError: There are no pictures with outlines.
    """
    samples, console = _samples(job), AnnotateConsole()
    overlaps, shares, counts = [], [], []
    with console.playing(job.root.name, len(samples), unit="pictures"):
        for done, (path, truths) in enumerate(samples, start=1):
            image = read_rgb(path)
            masks = engine.everything(image)[:MOST]
            found = [truth for truth in truths(image.shape[:2]) if truth.any()]
            overlaps += best_overlaps(found, masks)
            shares += [truth.mean() for truth in found]
            counts.append(len(masks))
            console.update(done)
    figures = figures_of(np.array(overlaps), np.array(shares)) | {"masks per picture": float(np.mean(counts))}
    rows = [(name, f"{value:.3f}") for name, value in figures.items()]
    console.table(f"{len(samples)} pictures, {len(overlaps)} instances", ("", ""), rows)
    if job.json is not None:
        write_json(job.json, figures)
    return 0


def best_overlaps(truths: Sequence[Mask], masks: Sequence[AutomaticMask]) -> list[float]:
    """IoU of each true mask with the best of those that were found."""
    if not truths or not masks:
        return [0.0] * len(truths)
    ious = coco.iou([_rle(one.mask) for one in masks], [_rle(truth) for truth in truths], [0] * len(truths))
    best: list[float] = np.asarray(ious).max(axis=0).tolist()
    return best


def figures_of(overlaps: NDArray[np.float64], shares: NDArray[np.float64]) -> dict[str, float]:
    """AR@100 by size, and recall at IoU 0.5, of instances with these best IoUs and shares of their pictures."""
    small, large = shares < SMALL_SHARE, shares >= LARGE_SHARE
    groups = {"all": shares >= 0, "small": small, "medium": ~small & ~large, "large": large}
    figures = {f"AR@100 {name}": _average_recall(overlaps[group]) for name, group in groups.items()}
    for name, group in (("all", groups["all"]), (f"above {SMALL_SHARE:.0%}", ~small)):
        figures[f"recall at IoU 0.5, {name}"] = float((overlaps[group] >= 0.5).mean()) if group.any() else 0.0
    return figures


def _average_recall(overlaps: NDArray[np.float64]) -> float:
    return float(np.mean([(overlaps >= threshold).mean() for threshold in THRESHOLDS])) if len(overlaps) else 0.0


def _samples(job: EverythingEval) -> list[tuple[Path, Any]]:
    """Pictures, and what gives the true masks of one of this (height, width)."""
    if (job.root / "annotations.json").is_file():
        samples = list(_coco_samples(job.root))
    elif (job.root / "groundTruth" / "test").is_dir():
        samples = list(_bsds_samples(job.root))
    else:
        raise SourceError(f"{job.root} has neither annotations.json nor groundTruth/test: name a data set's folder.")
    if not samples:
        raise SourceError(f"{job.root} holds no pictures with outlines: check the folder.")
    return samples[-job.last :]


def _coco_samples(root: Path) -> Iterator[tuple[Path, Any]]:
    document = json.loads((root / "annotations.json").read_text(encoding="utf-8"))
    by_image: dict[int, list[Mapping[str, Any]]] = {}
    for annotation in document["annotations"]:
        if not annotation.get("iscrowd"):
            by_image.setdefault(annotation["image_id"], []).append(annotation)
    for image in sorted(document["images"], key=lambda image: image["id"]):
        outlines = by_image.get(image["id"], [])

        def truths(shape: tuple[int, int], outlines: Sequence[Mapping[str, Any]] = outlines) -> list[Mask]:
            return [_filled(annotation["segmentation"], shape) for annotation in outlines]

        yield root / "images" / image["file_name"], truths


def _bsds_samples(root: Path) -> Iterator[tuple[Path, Any]]:
    try:
        from scipy.io import loadmat
    except ImportError:
        raise SourceError("The outlines of BSDS500 need a library: run `uv pip install scipy`.") from None

    for path in sorted((root / "images" / "test").glob("*.jpg"), key=natural_order):
        outlined = root / "groundTruth" / "test" / f"{path.stem}.mat"

        def truths(shape: tuple[int, int], outlined: Path = outlined) -> list[Mask]:
            labels = loadmat(outlined)["groundTruth"][0, 0]["Segmentation"][0, 0]  # the first person's
            return [labels == value for value in np.unique(labels)]

        yield path, truths


def _filled(polygons: Sequence[Sequence[float]], shape: tuple[int, int]) -> Mask:
    mask = np.zeros(shape, np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [np.round(np.asarray(polygon).reshape(-1, 2)).astype(np.int32)], 1)
    return mask > 0


def _rle(mask: Mask) -> Any:
    return coco.encode(np.asfortranarray(mask.view(np.uint8)))
