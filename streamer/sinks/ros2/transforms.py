"""Where the camera was, as ROS tells it: a transform from the world to the camera's optical frame."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

WORLD = "map"
"""What REP 105 calls the frame that does not move."""


def transform_of(world_from_camera: NDArray[np.float64], header: dict[str, Any]) -> dict[str, Any]:
    """A `TFMessage` of one transform, from a ``(4, 4)`` pose [m]."""
    x, y, z = world_from_camera[:3, 3].tolist()
    qx, qy, qz, qw = quaternion_of(world_from_camera[:3, :3])
    transform = {"translation": {"x": x, "y": y, "z": z}, "rotation": {"x": qx, "y": qy, "z": qz, "w": qw}}
    stamped = {"header": {**header, "frame_id": WORLD}, "child_frame_id": header["frame_id"], "transform": transform}
    return {"transforms": [stamped]}


def quaternion_of(rotation: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """x, y, z, w of a ``(3, 3)`` rotation."""
    vector = cv2.Rodrigues(rotation)[0].ravel()
    angle = float(np.linalg.norm(vector))
    axis = vector / angle if angle else np.zeros(3)
    x, y, z = (axis * np.sin(angle / 2)).tolist()
    return x, y, z, float(np.cos(angle / 2))
