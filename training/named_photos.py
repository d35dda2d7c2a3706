"""COCO's photographs as their files have them: instances with names, and crowds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as coco_mask

COCO_HELD_OUT = 60
LABELLED = Path("runs/labelled.jsonl")
"""What `training.label_photos` wrote, if it did."""


@dataclass(frozen=True, slots=True)
class NamedPhoto:
    """One photograph and its instances.

    Attributes:
        path: Of the file.
        names: ``(N,)`` places of their names among COCO's 80.
        masks: N run-length encodings at the size of the file.
        crowds: The same of what is there too often to be outlined one by one, with its place among the names.
    """

    path: Path
    names: list[int]
    masks: list[dict]
    crowds: list[tuple[int, dict]]


def coco_names(root: Path) -> list[str]:
    """COCO's 80 names in their order."""
    return [one["name"] for one in json.loads((root / "coco-mini/annotations.json").read_text())["categories"]]


def load_named(root: Path, held_out: bool) -> list[NamedPhoto]:
    """coco-mini's photographs with names: the last 60 by image id, or all but those."""
    found = json.loads((root / "coco-mini/annotations.json").read_text())
    places = {one["id"]: place for place, one in enumerate(found["categories"])}
    by_image = defaultdict(list)
    for one in found["annotations"]:
        by_image[one["image_id"]].append(one)
    images = sorted(found["images"], key=lambda image: image["id"])
    photos = []
    for image in images[-COCO_HELD_OUT:] if held_out else images[:-COCO_HELD_OUT]:
        size = image["height"], image["width"]
        single = [one for one in by_image[image["id"]] if not one.get("iscrowd")]
        photos.append(
            NamedPhoto(
                root / "coco-mini/images" / image["file_name"],
                [places[one["category_id"]] for one in single],
                [_encoded(one["segmentation"], size) for one in single],
                [
                    (places[one["category_id"]], _encoded(one["segmentation"], size))
                    for one in by_image[image["id"]]
                    if one.get("iscrowd")
                ],
            )
        )
    return photos


def load_panoptic(root: Path, known: Collection[str]) -> list[NamedPhoto]:
    """More of COCO, in its panoptic form as lightly-ai/coco128_yolo has it; nothing where the folder is not there.

    Args:
        root: Folder of that repository.
        known: Names of files that are left out.
    """
    return [
        photo
        for annotations in sorted((root / "panoptic_segmentation/annotations").glob("panoptic_*.json"))
        for photo in _panoptic_photos(root, annotations)
        if photo.path.name not in known
    ]


def load_labelled(path: Path) -> list[NamedPhoto]:
    """Photographs that a teacher labelled, as `training.label_photos` writes them; what it doubts is a crowd."""
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [
        NamedPhoto(Path(one["path"]), one["names"], one["masks"], [(name, box) for name, box in one["unsure"]])
        for one in lines
    ]


def _panoptic_photos(root: Path, annotations: Path) -> Iterator[NamedPhoto]:
    found = json.loads(annotations.read_text())
    things = [one["id"] for one in found["categories"] if one["isthing"]]  # COCO's 80, in their order
    for one in found["annotations"]:
        path = (root / "images" / annotations.stem.removeprefix("panoptic_") / one["file_name"]).with_suffix(".jpg")
        yield _panoptic_photo(path, annotations.with_suffix("") / one["file_name"], one, things)


def _panoptic_photo(path: Path, segments: Path, annotation: dict, things: list[int]) -> NamedPhoto:
    blue, green, red = cv2.split(cv2.imread(str(segments)).astype(np.int64))
    numbers = red + 256 * green + 65536 * blue
    photo = NamedPhoto(path, [], [], [])
    for segment in annotation["segments_info"]:
        if segment["category_id"] not in things:
            continue
        place = things.index(segment["category_id"])
        mask = coco_mask.encode(np.asfortranarray(numbers == segment["id"], np.uint8))
        if segment["iscrowd"]:
            photo.crowds.append((place, mask))
        else:
            photo.names.append(place)
            photo.masks.append(mask)
    return photo


def _encoded(segmentation: list | dict, size: tuple[int, int]) -> dict:
    if isinstance(segmentation, list):
        return coco_mask.merge(coco_mask.frPyObjects(segmentation, *size))
    return coco_mask.frPyObjects(segmentation, *size)
