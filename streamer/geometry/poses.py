"""Where the camera was: trajectories as the field writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.data.frame import Frame
from streamer.errors import ConfigError

Pose = NDArray[np.float64]

LONGEST_GAP_S = 0.5
"""Between two poses of a trajectory over which it is interpolated [s]: a hand turns in no more."""
_SAME_TIME_S = 0.02
"""A pose this close in time is that of the frame, as in TUM's own tools [s]."""
_EPOCH_S = 1e8
"""Times beyond this are wall-clock times (1973 and later), not those of a video."""


class Poses(Protocol):
    """Tells where the camera was."""

    def at(self, frame: Frame) -> Pose | None:
        """``(4, 4)`` world from camera on this frame [m]; None where it is not known."""
        ...


def read_poses(path: Path) -> Poses:
    """Read a TUM trajectory (``time tx ty tz qx qy qz qw`` per line), or a folder of ``*.pose.txt`` as 7-Scenes has it.

    Raises:
        ConfigError: It is neither, or cannot be read.
    """
    try:
        return PoseFolder(path) if path.is_dir() else Trajectory(np.loadtxt(path, ndmin=2))
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise ConfigError(f"The poses {path} cannot be read ({reason}): check the path.") from None
    except ValueError as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise ConfigError(
            f"{path} holds no poses that can be read ({reason}): give a TUM trajectory, or a folder of *.pose.txt "
            "with a 4x4 matrix each."
        ) from None


class Trajectory:
    """Poses with times, interpolated in between.

    Times are matched with the wall clock of the frame where both have it, with a time in the name of the frame's own
    file (as TUM names its pictures), or else with the frame's time in its video; a trajectory in wall-clock time then
    begins with the video.

    Args:
        rows: ``(N, 8)`` time [s], translation [m], and quaternion x, y, z, w: world from camera.

    Raises:
        ValueError: The rows are not like that.
    """

    def __init__(self, rows: NDArray[np.float64]) -> None:
        if rows.size == 0 or rows.shape[1] != 8:
            raise ValueError(f"{rows.shape[-1] if rows.size else 0} numbers in a line instead of 8")
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        lengths = np.linalg.norm(rows[:, 4:], axis=1)
        if not np.isfinite(rows).all() or (lengths < 1e-6).any():
            raise ValueError("a number that is not finite, or a quaternion of length 0")
        self._times_s, self._places = rows[:, 0], rows[:, 1:4]
        self._turns = rows[:, 4:] / lengths[:, None]
        self._is_wall_clock = self._times_s[0] > _EPOCH_S

    def at(self, frame: Frame) -> Pose | None:
        time_s = self._time_of(frame)
        after = int(np.searchsorted(self._times_s, time_s))
        before = max(after - 1, 0)
        after = min(after, len(self._times_s) - 1)
        start_s, end_s = self._times_s[before], self._times_s[after]
        apart = min(abs(time_s - start_s), abs(time_s - end_s))
        if apart > _SAME_TIME_S and not (start_s < time_s < end_s and end_s - start_s <= LONGEST_GAP_S):
            return None
        share = float(np.clip((time_s - start_s) / (end_s - start_s), 0, 1)) if end_s > start_s else 0.0
        pose = np.eye(4)
        pose[:3, :3] = _rotation(_slerp(self._turns[before], self._turns[after], share))
        pose[:3, 3] = (1 - share) * self._places[before] + share * self._places[after]
        return pose

    def _time_of(self, frame: Frame) -> float:
        if frame.stem is not None and re.fullmatch(r"\d+\.\d+", frame.stem):
            return float(frame.stem)
        if not self._is_wall_clock:
            return frame.time_s
        return frame.time_s + self._times_s[0] if frame.stamp_ns is None else frame.stamp_ns / 1e9


class PoseFolder:
    """One ``NAME.pose.txt`` per frame, by the name of the frame's own file, or by its index where it has none.

    Raises:
        ValueError: There is none in the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._files = sorted(folder.glob("*.pose.txt"))
        if not self._files:
            raise ValueError("there is no *.pose.txt")
        self._by_name: Mapping[str, Path] = {path.name.removesuffix(".pose.txt"): path for path in self._files}

    def at(self, frame: Frame) -> Pose | None:
        path = self._path_of(frame)
        if path is None:
            return None
        try:
            pose = np.loadtxt(path).reshape(4, 4)
        except (OSError, ValueError):
            raise ConfigError(f"{path} holds no 4x4 matrix: give the pose as 16 numbers.") from None
        return pose if np.isfinite(pose).all() else None  # 7-Scenes writes lost frames as not finite

    def _path_of(self, frame: Frame) -> Path | None:
        if frame.stem is None:
            return self._files[frame.index] if frame.index < len(self._files) else None
        return self._by_name.get(frame.stem) or self._by_name.get(frame.stem.removesuffix(".color"))


def _slerp(first: NDArray[np.float64], second: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """From one unit quaternion to another, the short way (Shoemake 1985)."""
    cosine = float(first @ second)
    second, cosine = (second, cosine) if cosine >= 0 else (-second, -cosine)
    if cosine > 0.9995:
        turned = (1 - share) * first + share * second
    else:
        angle = np.arccos(cosine)
        turned = np.sin((1 - share) * angle) * first + np.sin(share * angle) * second
    return turned / np.linalg.norm(turned)


def _rotation(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(3, 3)`` of a unit quaternion x, y, z, w."""
    x, y, z, w = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
