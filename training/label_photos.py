"""Label photographs that nobody has labelled: ``python -m training.label_photos FOLDER... --teacher FOLDER``.

A teacher (`training.teacher`) says where which of COCO's 80 things are, the bundled SAM outlines them. One line of JSON
is written for each photograph; run it again to go on where it stopped. What the teacher is not sure of is kept beside
what it is sure of, so that it is neither taught nor denied.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from streamer.data.mask import box_of
from streamer.data.prompt import Prompt
from streamer.models.parameters import SegmenterParameters
from streamer.models.protocols import Segmenter
from streamer.models.registry import load_segmenter
from training.named_photos import LABELLED
from training.photos import encode_mask, read_image
from training.teacher import Taught, Teacher, overlaps

ENDINGS = (".jpg", ".jpeg", ".png")
SURE, UNSURE = 0.4, 0.25
LEAST_SIDE_PX = 4
SAME = 0.6
"""IoU of the box of an outline with the box that it was asked for; below it the outline is not believed."""


def labels_of(image_rgb: NDArray[np.uint8], teacher: Teacher, segmenter: Segmenter) -> dict[str, Any]:
    """Names and outlines of what is there, and the boxes of what may be."""
    found = [
        one for one in teacher.find(image_rgb, UNSURE) if (one.box_xyxy[2:] - one.box_xyxy[:2]).min() >= LEAST_SIDE_PX
    ]
    sure = [one for one in found if one.score >= SURE]
    masks = _outlines(image_rgb, sure, segmenter)
    believed = [_is_of(mask, one) for mask, one in zip(masks, sure, strict=True)]
    doubted = [one for one in found if one.score < SURE] + [
        one for one, is_believed in zip(sure, believed, strict=True) if not is_believed
    ]
    return {
        "names": [one.name for one, is_believed in zip(sure, believed, strict=True) if is_believed],
        "masks": [_written(mask) for mask, is_believed in zip(masks, believed, strict=True) if is_believed],
        "unsure": [[one.name, _written(_filled(one, image_rgb))] for one in doubted],
    }


def _outlines(image_rgb: NDArray[np.uint8], things: Sequence[Taught], segmenter: Segmenter) -> NDArray[np.bool_]:
    if not things:
        return np.empty((0, *image_rgb.shape[:2]), bool)
    embedding = segmenter.encode(image_rgb)
    prompts = []
    for one in things:
        x0, y0, x1, y1 = one.box_xyxy.tolist()
        prompts.append(Prompt(box=(x0, y0, x1, y1)))
    logits, _ = segmenter.decode(embedding, prompts).best()
    return segmenter.upscale(logits, embedding.image_size) > 0


def _is_of(mask: NDArray[np.bool_], one: Taught) -> bool:
    box = box_of(mask)
    return box is not None and float(overlaps(one.box_xyxy, np.array([box]))[0]) >= SAME


def _filled(one: Taught, image_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    filled = np.zeros(image_rgb.shape[:2], np.uint8)
    x0, y0, x1, y1 = one.box_xyxy.round().astype(int)
    filled[y0:y1, x0:x1] = 1
    return filled


def _written(mask: NDArray[Any]) -> dict[str, Any]:
    encoded = encode_mask(mask)
    return {"size": [int(side) for side in encoded["size"]], "counts": encoded["counts"].decode("ascii")}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folders", nargs="+", type=Path, help="photographs, in folders of folders")
    options.add_argument("--teacher", type=Path, required=True, help="folder of its .param and .bin file")
    options.add_argument("--into", type=Path, default=LABELLED)
    arguments = options.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    arguments.into.parent.mkdir(parents=True, exist_ok=True)
    known = arguments.into.read_text().splitlines() if arguments.into.exists() else []
    done = {json.loads(line)["path"] for line in known}
    teacher, segmenter = Teacher(arguments.teacher), load_segmenter(SegmenterParameters(), "cpu")
    files = [path.resolve() for folder in arguments.folders for path in sorted(folder.rglob("*"))]
    paths = [path for path in files if path.suffix.lower() in ENDINGS]
    with arguments.into.open("a") as file:
        for path in paths:
            if str(path) in done:
                continue
            labels = labels_of(read_image(path), teacher, segmenter)
            file.write(json.dumps({"path": str(path), **labels}) + "\n")
            file.flush()
    print(f"{len(paths)} photographs are labelled in {arguments.into}")


if __name__ == "__main__":
    main()
