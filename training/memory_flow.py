"""What flow carries from one look to the next: as in `streamer/motion.py`, for measuring the memory on its own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

CELL_PX = 4
Flow = NDArray[np.float32]


def flow_over(images: Sequence[NDArray[np.uint8]]) -> Flow:
    """``(h, w, 2)`` flow from the last of the ``(4h, 4w, 3)`` images back to the first one, in cells of stride 4."""
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    grays = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in images]
    height, width = grays[0].shape
    cells = width // CELL_PX, height // CELL_PX
    total = np.zeros((cells[1], cells[0], 2), np.float32)
    for before, now in pairwise(grays):
        full = dis.calc(now, before, np.zeros((height, width, 2), np.float32))
        step = cv2.resize(full, cells, interpolation=cv2.INTER_AREA) / CELL_PX
        total = (step + _pull(total, step)).astype(np.float32)
    return total


def carry(mask: Tensor, flow: Flow) -> Tensor:
    """``(h, w)`` mask of the earlier frame, as seen on the later one."""
    return torch.from_numpy(_pull(mask.numpy(), flow))


def _pull(values: NDArray[np.float32], flow: Flow) -> NDArray[np.float32]:
    rows, columns = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    x, y = columns + flow[..., 0], rows + flow[..., 1]
    return cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
