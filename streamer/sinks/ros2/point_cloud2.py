"""What the camera sees as points in space: a `PointCloud2` with colors, and the number of the track of each point."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from streamer.data.result import Result
from streamer.geometry.sure import smooth_depth
from streamer.sinks.masks import labels_of
from streamer.sinks.ros2.compressed_depth import FARTHEST_M

_POINT = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("rgb", "<u4"), ("label", "<u4")])
_TYPES = {"<f4": 7, "<u4": 6}
"""As `sensor_msgs/PointField` numbers them."""


def point_cloud2_of(result: Result, most: int) -> dict[str, Any]:
    """Its fields but for the header: at most ``most`` points of an even grid, in camera coordinates [m].

    Left out is what lies on a jump in depth (flying pixels), beyond 100 m, or where the lens shows nothing. Needs a
    result with metric depth and a camera.
    """
    points = _points_of(result, most)
    fields = [
        {"name": name, "offset": place[1], "datatype": _TYPES[place[0].str], "count": 1}
        for name, place in (_POINT.fields or {}).items()
    ]
    return {
        "height": 1,
        "width": len(points),
        "fields": fields,
        "is_bigendian": False,
        "point_step": _POINT.itemsize,
        "row_step": _POINT.itemsize * len(points),
        "data": points.tobytes(),
        "is_dense": True,
    }


def _points_of(result: Result, most: int) -> np.ndarray[Any, Any]:
    depth_m, camera = result.depth_m, result.camera
    assert depth_m is not None
    assert camera is not None
    assert result.depth_map is not None
    width, height = result.frame.size
    step = max(1, int(np.ceil(np.sqrt(width * height / most))))
    grid = (slice(step // 2, None, step),) * 2
    smooth = cv2.resize(smooth_depth(result.depth_map).view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    places = camera.ray_grid()[grid] * depth_m[grid][..., None]
    sure = smooth[grid].view(bool) & (depth_m[grid] < FARTHEST_M) & np.isfinite(places).all(axis=2)
    points = np.zeros(int(sure.sum()), _POINT)
    points["x"], points["y"], points["z"] = places[sure].T
    red, green, blue = result.frame.image_rgb[grid][sure].astype(np.uint32).T
    points["rgb"] = red << 16 | green << 8 | blue
    points["label"] = labels_of(result, np.dtype(np.uint16))[grid][sure]
    return points
