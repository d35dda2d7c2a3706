"""Objects as colored point clouds: one file for each object on each keyframe, and one of all its views together."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from streamer.data.categories import sure_tracks
from streamer.data.depth_unit import DepthUnit
from streamer.data.result import Result
from streamer.geometry.point_cloud import PointCloud, point_cloud
from streamer.sinks.depth_maps import without_meters
from streamer.sinks.optional import require
from streamer.sinks.outputs import make_folder, replacing

FUSED_VOXEL_M = 0.01
"""Side of the cubes in which the points of several views are averaged [m]: the noise of depth at 1 m is larger."""
_VERTEX = [*((axis, "<f4") for axis in "xyz"), *((color, "u1") for color in ("red", "green", "blue"))]


class PointSink:
    """Writes ``00012-object-3.ply`` in camera coordinates (x right, y down, z ahead).

    Where the pose of the frame is known it is ``00012-object-3-world.ply`` in the world's instead, and the views of
    each object are fused into ``object-3-world.ply`` as well.

    Only pixels that are surely the object's are taken, of objects that are tracked. What moves in the world is smeared
    when fused.

    Args:
        folder: Where to.
        kind: ``ply`` (binary), or ``glb`` for viewers in browsers and games.

    Raises:
        SinkError: The folder cannot be created, or the library for GLB is missing.

    Attributes:
        relative: Keyframes that were left out because depth had no meters.
    """

    def __init__(self, folder: Path, kind: str = "ply") -> None:
        if kind == "glb":
            require("--points-format glb")
        make_folder(folder)
        self.name = f"{folder}/"
        self._folder, self._kind = folder, kind
        self._fused: dict[int, PointCloud] = {}
        self.relative = 0

    @property
    def warning(self) -> str | None:
        """What had to be left out; None where nothing had."""
        return without_meters(self.relative, "keyframes", "--points")

    def write(self, result: Result) -> None:
        """Write the clouds of a keyframe; other frames are carried, and hold nothing new.

        Raises:
            SinkError: A file cannot be written.
        """
        if result.reason_of("masks") is None or result.depth_map is None:
            return
        if result.depth_unit is not DepthUnit.METERS:
            self.relative += 1
            return
        world = result.world_from_camera is not None
        for track in sure_tracks(result):
            cloud = point_cloud(result, track, world)
            if len(cloud):
                self._save(cloud, f"{result.stem}-object-{track.id}{'-world' if world else ''}")
            if world:
                self._fuse(track.id, cloud)

    def close(self) -> None:
        """Write what was fused. May be called twice.

        Raises:
            SinkError: A file cannot be written.
        """
        fused, self._fused = self._fused, {}
        for object_id, cloud in fused.items():
            self._save(cloud, f"object-{object_id}-world")

    def _fuse(self, object_id: int, cloud: PointCloud) -> None:
        known = self._fused.get(object_id)
        self._fused[object_id] = (cloud if known is None else known.joined(cloud)).thinned(FUSED_VOXEL_M)

    def _save(self, cloud: PointCloud, name: str) -> None:
        with replacing(self._folder / f"{name}.{self._kind}") as partial:
            partial.write_bytes(to_ply(cloud) if self._kind == "ply" else _to_glb(cloud))


def to_ply(cloud: PointCloud) -> bytes:
    """A binary PLY (little-endian) of float32 coordinates [m] and uint8 colors."""
    vertices = np.empty(len(cloud), _VERTEX)
    for at, axis in enumerate("xyz"):
        vertices[axis] = cloud.points_m[:, at]
    for at, color in enumerate(("red", "green", "blue")):
        vertices[color] = cloud.colors_rgb[:, at]
    names = {"<f4": "float", "u1": "uchar"}
    properties = "".join(f"property {names[kind]} {name}\n" for name, kind in _VERTEX)
    header = f"ply\nformat binary_little_endian 1.0\nelement vertex {len(cloud)}\n{properties}end_header\n"
    return header.encode("ascii") + vertices.tobytes()


def _to_glb(cloud: PointCloud) -> bytes:
    """glTF has y up and looks along -z."""
    import trimesh

    points = cloud.points_m * np.array([1, -1, -1], np.float32)
    data: bytes = trimesh.Scene(trimesh.PointCloud(points, cloud.colors_rgb)).export(file_type="glb")
    return data
