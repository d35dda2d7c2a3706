from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from streamer.models.tiny.words import SIDE_PX

_MULTIPLE_PX = 32
_MEAN, _STD = 127.0, 128.0
"""What EfficientNet-Lite0 was trained with."""


def to_pixels(image_rgb: NDArray[np.uint8]) -> tuple[Tensor, float]:
    """``(1, 3, H, W)`` normalized pixels of a ``(H, W, 3)`` uint8 RGB image, padded, and how much larger it became."""
    height, width = image_rgb.shape[:2]
    scale = SIDE_PX / max(height, width)
    columns, rows = max(1, round(width * scale)), max(1, round(height * scale))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(image_rgb, (columns, rows), interpolation=way)
    padded = np.full((-(-rows // _MULTIPLE_PX) * _MULTIPLE_PX, -(-columns // _MULTIPLE_PX) * _MULTIPLE_PX, 3), _MEAN)
    padded[:rows, :columns] = small
    return torch.from_numpy((padded.astype(np.float32) - _MEAN) / _STD).permute(2, 0, 1)[None], scale
