"""An object's pixels as points in space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.result import Result
from streamer.data.track import Track
from streamer.errors import ConfigError
from streamer.geometry.sure import smooth_depth, sure_pixels


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PointCloud:
    """Colored points.

    Attributes:
        points_m: ``(N, 3)`` float32: x to the right, y down, z ahead of the camera, or world coordinates [m].
        colors_rgb: ``(N, 3)`` uint8.
    """

    points_m: NDArray[np.float32]
    colors_rgb: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.points_m)

    def moved(self, pose: NDArray[np.float64]) -> Self:
        """The same in another frame: ``(4, 4)`` there from here."""
        points = self.points_m @ pose[:3, :3].T.astype(np.float32) + pose[:3, 3].astype(np.float32)
        return type(self)(points.astype(np.float32), self.colors_rgb)

    def joined(self, other: Self) -> Self:
        """The points of both, which are in the same frame."""
        points = np.concatenate([self.points_m, other.points_m])
        return type(self)(points, np.concatenate([self.colors_rgb, other.colors_rgb]))

    def thinned(self, voxel_m: float) -> Self:
        """The mean of the points and colors in each cube of that side [m]."""
        if not len(self):
            return self
        cubes = np.floor(self.points_m / voxel_m).astype(np.int64)
        _, cube, counts = np.unique(cubes, axis=0, return_inverse=True, return_counts=True)
        cube = cube.reshape(-1)
        columns = np.column_stack([self.points_m, self.colors_rgb]).T
        means = np.stack([np.bincount(cube, weights=column) for column in columns], axis=1) / counts[:, None]
        return type(self)(means[:, :3].astype(np.float32), np.rint(means[:, 3:]).astype(np.uint8))

    def __repr__(self) -> str:
        return f"PointCloud({len(self)} points)"


def point_cloud(result: Result, track: Track, world: bool = False) -> PointCloud:
    """The surely known points of an object, in camera coordinates or, where poses are given, in the world's.

    Left out are pixels at the mask's border, at jumps in depth, and far off the rest of the object.

    Raises:
        ConfigError: Depth has no meters, or there is no pose for the frame.
    """
    depth_m = _depth_of(result)
    camera, inverse = result.camera, result.depth_map
    assert camera is not None
    assert inverse is not None
    frame_size = result.frame.size
    smooth = cv2.resize(smooth_depth(inverse).view(np.uint8), frame_size, interpolation=cv2.INTER_NEAREST).view(bool)
    border_px = max(1, round(frame_size[0] / inverse.shape[1]))
    assert result.inverse_depth is not None
    rows, columns = np.nonzero(sure_pixels(result.inverse_depth, smooth, track.mask, border_px))
    rays = camera.ray_grid()[rows, columns]
    points = rays * depth_m[rows, columns, None]
    seen = np.isfinite(points).all(axis=1)
    cloud = PointCloud(points[seen], result.frame.image_rgb[rows[seen], columns[seen]])
    if not world:
        return cloud
    if result.world_from_camera is None:
        raise ConfigError(f"No pose is known for frame {result.index}: give --poses, or take camera coordinates.")
    return cloud.moved(result.world_from_camera)


def unproject(result: Result, track: Track, world: bool = False) -> NDArray[np.float32]:
    """``(N, 3)`` float32 points of an object [m]; see :func:`point_cloud`, which has their colors as well.

    Raises:
        ConfigError: Depth has no meters, or there is no pose for the frame.
    """
    return point_cloud(result, track, world).points_m


def _depth_of(result: Result) -> NDArray[np.float32]:
    if result.depth_m is None:
        raise ConfigError(
            "Depth has no meters here, so there are no points in space: choose a metric depth model, or calibrate with "
            "known distances or the camera's height."
        )
    return result.depth_m
