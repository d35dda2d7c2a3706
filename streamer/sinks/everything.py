"""Everything in a picture as files that other programs read: COCO JSON and an indexed PNG."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from streamer.data.automatic_mask import AutomaticMask, by_area
from streamer.sinks.masks import MAX_ID, indexed
from streamer.sinks.outputs import replacing
from streamer.sinks.rle import rle_of


def write_coco(path: Path, file_name: str, size: tuple[int, int], masks: Sequence[AutomaticMask]) -> None:
    """Write COCO's format for detections of one class, with what SAM adds to it, the largest first.

    Args:
        path: Where to.
        file_name: Of the picture.
        size: (width, height) of it [px].
        masks: On the picture.

    Raises:
        SinkError: The file cannot be written.
    """
    width, height = size
    document = {
        "images": [{"id": 1, "file_name": file_name, "width": width, "height": height}],
        "categories": [{"id": 1, "name": "anything"}],
        "annotations": [_annotation(number, one) for number, one in enumerate(by_area(masks), start=1)],
    }
    with replacing(path) as partial:
        partial.write_text(json.dumps(document) + "\n", encoding="utf-8")


def write_labels(path: Path, size: tuple[int, int], masks: Sequence[AutomaticMask]) -> int:
    """Write an indexed PNG in the colors of DAVIS: the number of the smallest mask that covers a pixel, 0 where none.

    Returns:
        How many of the smallest masks were left out, since a PNG has 255 numbers.

    Raises:
        SinkError: The file cannot be written.
    """
    labels = np.zeros(size[::-1], np.uint8)
    for number, one in enumerate(by_area(masks)[:MAX_ID], start=1):
        labels[one.mask] = number
    with replacing(path) as partial:
        indexed(labels).save(partial)
    return max(0, len(masks) - MAX_ID)


def _annotation(number: int, one: AutomaticMask) -> dict[str, object]:
    x0, y0, x1, y1 = one.box_xyxy
    return {
        "id": number,
        "image_id": 1,
        "category_id": 1,
        "iscrowd": 0,
        "segmentation": rle_of(one.mask),
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "area": one.area,
        "predicted_iou": round(one.predicted_iou, 4),
        "stability_score": round(one.stability_score, 4),
        "point_coords": [list(one.point)],
    }
