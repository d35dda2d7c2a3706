"""A detector that learnt from all of COCO, to label photographs that nobody has: NanoDet-Plus in ncnn's form.

It is asked for labels only; nothing of it is in the package. NanoDet-Plus (RangiLyu/nanodet, Apache-2.0) has 1.2
million weights and an average precision of 0.30 on COCO; nihui/ncnn-webassembly-nanodet has it as two files, and ncnn
itself comes with ``uv pip install ncnn``. Its heads say at every cell of four strides how sure they are of each name,
and give the distances to the four sides as distributions (Li et al., 2020, "Generalized focal loss").
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.models.tiny.words import COCO_CLASSES

SIDE_PX = 512
MULTIPLE_PX = 64
MEAN_BGR, STD_BGR = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
BLOBS = {8: "231", 16: "228", 32: "225", 64: "222"}
"""What holds the answers of each stride."""
SAME_BOX = 0.55
"""IoU from which two boxes of a name are of one thing."""
SAME_THING = 0.8
"""The same for boxes of different names: the surer one keeps it."""


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """One thing that the teacher sees.

    Attributes:
        name: Place among COCO's 80.
        score: 0 to 1.
        box_xyxy: ``(4,)`` float [px of the image].
    """

    name: int
    score: float
    box_xyxy: NDArray[np.float64]


class Teacher:
    """Finds COCO's 80 in photographs.

    Args:
        folder: With one ``.param`` and one ``.bin`` file of ncnn.

    Raises:
        FileNotFoundError: They are not there.
    """

    def __init__(self, folder: Path) -> None:
        import ncnn  # only who labels needs it

        files = [next(iter(sorted(folder.glob(f"*{ending}"))), None) for ending in (".param", ".bin")]
        if None in files:
            raise FileNotFoundError(f"{folder} has no .param and .bin file: give the teacher's folder with --teacher.")
        self._to_mat = ncnn.Mat
        self._network: Any = ncnn.Net()
        self._network.opt.num_threads = 1
        self._network.load_param(str(files[0]))
        self._network.load_model(str(files[1]))

    def find(self, image_rgb: NDArray[np.uint8], least_score: float) -> list[Taught]:
        """What is on a ``(H, W, 3)`` uint8 RGB image, the surest first."""
        boxes, scores = self._cells(image_rgb)
        found = [
            Taught(name, score, box)
            for name in range(COCO_CLASSES)
            for score, box in _merged(boxes, scores[:, name], least_score)
        ]
        kept: list[Taught] = []
        for one in sorted(found, key=lambda one: -one.score):
            if not kept or overlaps(one.box_xyxy, np.stack([other.box_xyxy for other in kept])).max() < SAME_THING:
                kept.append(one)
        return kept

    def _cells(self, image_rgb: NDArray[np.uint8]) -> tuple[NDArray, NDArray]:
        """``(N, 4)`` boxes [px of the image] and ``(N, 80)`` scores of all cells of all strides."""
        height, width = image_rgb.shape[:2]
        scale = SIDE_PX / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        normal = ((small[..., ::-1].astype(np.float32) - MEAN_BGR) / STD_BGR).transpose(2, 0, 1)
        below, right = (-side % MULTIPLE_PX for side in size[::-1])
        padded = np.pad(normal, ((0, 0), (0, below), (0, right))).astype(np.float32)
        extractor = self._network.create_extractor()
        extractor.input("in0", self._to_mat(padded))
        answers = [_of_stride(np.array(extractor.extract(blob)[1]), stride) for stride, blob in BLOBS.items()]
        boxes = np.concatenate([boxes for boxes, _ in answers]) / scale
        return boxes.clip(0, [width, height, width, height]), np.concatenate([scores for _, scores in answers])


def _of_stride(answer: NDArray[np.float32], stride: int) -> tuple[NDArray, NDArray]:
    """Boxes [px of the input] and scores of the ``(80 + 4 R, h, w)`` answer of one stride."""
    _, rows, columns = answer.shape
    scores = 1 / (1 + np.exp(-answer[:COCO_CLASSES]))
    chances = answer[COCO_CLASSES:].reshape(4, -1, rows, columns)
    chances = np.exp(chances - chances.max(axis=1, keepdims=True))
    steps = np.arange(chances.shape[1])[None, :, None, None]
    left, top, right, bottom = stride * (chances * steps).sum(axis=1) / chances.sum(axis=1)
    y, x = stride * np.indices((rows, columns))
    boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=-1)
    return boxes.reshape(-1, 4), scores.reshape(COCO_CLASSES, -1).T


def _merged(boxes: NDArray, scores: NDArray, least_score: float) -> list[tuple[float, NDArray]]:
    """Scores and boxes of the things of one name, each the mean of those that overlap it."""
    places = np.flatnonzero(scores > least_score)
    boxes, scores = boxes[places], scores[places]
    open_, found = np.argsort(-scores), []
    while len(open_):
        same = overlaps(boxes[open_[0]], boxes[open_]) > SAME_BOX
        same[0] = True
        weights = scores[open_[same]]
        found.append((float(weights[0]), weights @ boxes[open_[same]] / weights.sum()))
        open_ = open_[~same]
    return found


def overlaps(box: NDArray, boxes: NDArray) -> NDArray:
    """``(N,)`` IoU of a box with ``(N, 4)`` others."""
    shared = (np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])).clip(0).prod(axis=1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return shared / np.maximum((box[2:] - box[:2]).prod() + areas - shared, 1e-6)
