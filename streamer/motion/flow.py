"""Dense flow from each frame to the one before it, as an absolute map on the half level of the pyramid."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.motion.parameters import FlowPreset
from streamer.motion.pyramid import Pyramid

Maps = tuple[NDArray[np.float32], NDArray[np.float32]]

_PRESETS: dict[FlowPreset, int] = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}


class DenseFlow:
    """DIS flow (Kroeger et al., ECCV 2016) from the present frame to the one before.

    Args:
        preset: ultrafast, fast or medium.
    """

    def __init__(self, preset: FlowPreset) -> None:
        self._dis = cv2.DISOpticalFlow_create(_PRESETS[preset])

    def step(self, present: Pyramid, before: Pyramid, identity: Maps) -> Maps:
        """Where every pixel of the half level was one frame before: x and y, ``(h / 2, w / 2)`` float32.

        Args:
            present: The present frame.
            before: The one before it, of the same size.
            identity: The map of a frame onto itself.
        """
        flow = self._dis.calc(present.flow_gray, before.flow_gray, None)
        # DIS finds it on a coarser grid and fills in what lies between, so that any pixel near by will do.
        size = present.grid.half_size
        flow = cv2.resize(flow, size, interpolation=cv2.INTER_NEAREST)
        shares = np.divide(size, present.flow_gray.shape[::-1]).tolist()
        step_x, step_y = map(cv2.scaleAdd, cv2.split(flow), shares, identity)
        return step_x, step_y
