"""A segmenter that finds all stable regions of a frame, where others find what is most worth following."""

from __future__ import annotations

from typing import Any

import numpy as np

from streamer.models.automatic import candidates, distinct
from streamer.models.parameters import AutomaticParameters
from streamer.models.protocols import Embedding, Found, RememberingSegmenter
from streamer.models.sam.networks import amg

LEAST_SHARE = 0.002
"""Of the frame: what is smaller is lost within a few frames, and its place is wanted for another."""
MOST_SHARED = 0.5
"""Of a region that others cover already: then it is a part of them, or they are parts of it. Each pixel is followed
once."""


class EverythingSegmenter:
    """Everything but `find` is the segmenter's own.

    Args:
        segmenter: Decodes the points.
        parameters: Of the automatic masks; crops are not looked at, since frames are encoded once.
    """

    def __init__(self, segmenter: RememberingSegmenter, parameters: AutomaticParameters) -> None:
        self._segmenter, self._parameters = segmenter, parameters

    def __getattr__(self, name: str) -> Any:
        return getattr(self._segmenter, name)

    def find(self, embedding: Embedding, limit: int) -> list[Found]:
        """Up to ``limit`` regions that hardly overlap, the surest first."""
        size, parameters = embedding.image_size, self._parameters
        points = amg.build_point_grid(parameters.points_per_side) * size
        segmenter = self._segmenter
        found = candidates(segmenter, embedding, points, parameters, lambda logits: segmenter.upscale(logits, size))
        covered, chosen = np.zeros(size[::-1], bool), list[Found]()
        for one in distinct(found, parameters.box_nms_thresh):
            mask = segmenter.upscale(one.logits[None], size)[0] > 0
            area = np.count_nonzero(mask)
            if area >= LEAST_SHARE * mask.size and np.count_nonzero(mask & covered) <= MOST_SHARED * area:
                chosen.append(Found(mask, min(one.predicted_iou, 1.0)))
                covered |= mask
            if len(chosen) == limit:
                break
        return chosen
