"""Results to be logged, and MCAP files read back with a library that has nothing to do with the one that wrote them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2.storage_mcap import McapReader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from streamer.data.camera_model import CameraModel
from streamer.data.depth_unit import DepthUnit
from streamer.data.frame import Frame
from streamer.data.mask import box_of
from streamer.data.result import Result
from streamer.data.track import DepthStats, State, Track

SIZE = WIDTH, HEIGHT = 64, 48


START_NS = 1_700_000_000_123_456_789


def result(
    index: int = 0,
    unit: DepthUnit = DepthUnit.RELATIVE,
    depth: bool = True,
    label: str = "cup",
    camera: CameraModel | None = None,
    pose: np.ndarray | None = None,
) -> Result:
    """A frame with an orange ramp, a cup that moves to the right, a lost object, and a slope of depth."""
    ramp = np.linspace(0, 1, WIDTH) * np.ones((HEIGHT, 1))
    image = (ramp[..., None] * (250, 150, 20)).astype(np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[10:30, 20 + index % 20 : 40 + index % 20] = True
    metric = unit is DepthUnit.METERS
    stats = DepthStats(1.8, 2.0, 2.2, 2.0, unit, 0.1) if metric else DepthStats(0.4, 0.5, 0.6, 0.5)
    position_m = (0.1, -0.2, 2.0) if metric else None
    tracks = (
        Track(3, mask, box_of(mask), 0.875, State.TRACKED, label=label, depth=stats, position_m=position_m),
        Track(7, np.zeros_like(mask), None, 0.0, State.LOST),
    )
    inverse = np.tile(np.linspace(0.25, 1, HEIGHT, dtype=np.float32)[:, None], (1, WIDTH))
    return Result(
        Frame(index, index / 25, image, index / 25, stamp_ns=START_NS + index * 40_000_000),
        tracks,
        depth_map=inverse if depth else None,
        depth_range=(0.25, 1.0) if depth else None,
        depth_unit=unit,
        camera=camera,
        world_from_camera=pose,
    )


def read_back(path: Path) -> dict[str, list[tuple[int, Any]]]:
    """(stamp [ns], message) of every message of an MCAP file, by topic, decoded by the definitions in the file."""
    reader = McapReader(path)
    reader.open()
    types = get_typestore(Stores.EMPTY)
    for connection in reader.connections:
        types.register(get_types_from_msg(connection.msgdef.data, connection.msgtype))
    found = defaultdict(list)
    for connection, stamp_ns, data in reader.messages(reader.connections, 0, 2**63 - 1):
        found[connection.topic].append((stamp_ns, types.deserialize_cdr(data, connection.msgtype)))
    reader.close()
    return dict(found)


def decoded_png(message: Any) -> np.ndarray:
    """The picture behind the 12 bytes of a compressedDepth message."""
    return cv2.imdecode(np.frombuffer(bytes(message.data)[12:], np.uint8), cv2.IMREAD_UNCHANGED)
