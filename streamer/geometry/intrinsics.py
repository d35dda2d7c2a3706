"""Files in which calibration tools leave a camera's intrinsics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from streamer.data.camera_model import CameraModel, DistortionModel
from streamer.errors import ConfigError

Reader = Callable[[tuple[int, int]], CameraModel]
"""Gives the camera, told the (width, height) of the frames for the formats that do not say their own [px]."""

_MATRICES = ("camera_matrix", "cameraMatrix", "Camera_Matrix", "K", "K1", "M1", "intrinsic_matrix")
_DISTORTIONS = ("distortion_coefficients", "distCoeffs", "dist_coeffs", "Distortion_Coefficients", "D", "D1")
_WIDTHS, _HEIGHTS = ("image_width", "image_Width", "width"), ("image_height", "image_Height", "height")

# The pixel's corner is COLMAP's origin, so its principal points are half a pixel larger than OpenCV's.
# Per model: where fx, fy, cx, cy stand among its parameters, and the distortion in OpenCV's order.
_COLMAP: Mapping[
    str, tuple[tuple[int, int, int, int], DistortionModel, Callable[[Sequence[float]], tuple[float, ...]]]
] = {
    "SIMPLE_PINHOLE": ((0, 0, 1, 2), "plumb_bob", lambda p: ()),
    "PINHOLE": ((0, 1, 2, 3), "plumb_bob", lambda p: ()),
    "SIMPLE_RADIAL": ((0, 0, 1, 2), "plumb_bob", lambda p: (p[3], 0, 0, 0)),
    "RADIAL": ((0, 0, 1, 2), "plumb_bob", lambda p: (p[3], p[4], 0, 0)),
    "OPENCV": ((0, 1, 2, 3), "plumb_bob", lambda p: tuple(p[4:8])),
    "FULL_OPENCV": ((0, 1, 2, 3), "rational_polynomial", lambda p: tuple(p[4:12])),
    "OPENCV_FISHEYE": ((0, 1, 2, 3), "equidistant", lambda p: tuple(p[4:8])),
    "SIMPLE_RADIAL_FISHEYE": ((0, 0, 1, 2), "equidistant", lambda p: (p[3], 0, 0, 0)),
    "RADIAL_FISHEYE": ((0, 0, 1, 2), "equidistant", lambda p: (p[3], p[4], 0, 0)),
}


def read_intrinsics(path: Path) -> Reader:
    """Read a camera: ROS ``camera_info`` YAML, OpenCV YAML, XML or JSON, COLMAP ``cameras.txt``, or a 3x3 matrix.

    Raises:
        ConfigError: The file cannot be read, is none of these, or holds what no camera can be.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f"The intrinsics {path} cannot be read ({reason}): check the path.") from None
    try:
        if text.lstrip().startswith(("<?xml", "<opencv_storage")) or "opencv-matrix" in text:
            return _from_storage(text)
        if path.suffix.lower() in (".yaml", ".yml", ".json"):
            return _from_camera_info(next(yaml.safe_load_all(text), None))
        return _from_text(text)
    except (ValueError, TypeError, KeyError, IndexError, yaml.YAMLError, cv2.error) as error:
        reason = " ".join(str(error).split()) if isinstance(error, ValueError) else "something is missing in it"
        raise ConfigError(
            f"{path} is no camera that can be read ({reason}): give ROS camera_info YAML, OpenCV YAML or XML, "
            "COLMAP cameras.txt, or a 3x3 matrix."
        ) from None


def _from_camera_info(entries: Any) -> Reader:
    """What ``camera_calibration`` saves, and what ``ros2 topic echo`` prints of a ``sensor_msgs/CameraInfo``."""
    if not isinstance(entries, dict):
        raise ValueError("it holds no entries")
    matrix = _first(entries, ("camera_matrix", "K", "k"))
    distortion = _first(entries, ("distortion_coefficients", "D", "d"), [])
    width, height = _first(entries, _WIDTHS, None), _first(entries, _HEIGHTS, None)
    return _camera(_values(matrix), _values(distortion), _size(width, height), entries.get("distortion_model"))


def _from_storage(text: str) -> Reader:
    storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    try:
        matrices = {name: storage.getNode(name).mat() for name in (*_MATRICES, *_DISTORTIONS)}
        sizes = {name: storage.getNode(name) for name in (*_WIDTHS, *_HEIGHTS)}
        lengths = {name: int(node.real()) for name, node in sizes.items() if not node.empty()}
        model = storage.getNode("distortion_model")
        name = model.string() if model.isString() else None
        fisheye = storage.getNode("fisheye_model")
        if not fisheye.empty() and fisheye.real():
            name = "equidistant"
    finally:
        storage.release()
    matrices = {name: matrix for name, matrix in matrices.items() if matrix is not None}
    distortion = _first(matrices, _DISTORTIONS, np.empty(0))
    size = _size(_first(lengths, _WIDTHS, None), _first(lengths, _HEIGHTS, None))
    return _camera(_values(_first(matrices, _MATRICES)), _values(distortion), size, name)


def _from_text(text: str) -> Reader:
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if rows and len(rows[0]) > 4 and rows[0][1] in _COLMAP:
        if len(rows) > 1:
            raise ValueError(f"it holds {len(rows)} cameras, of which one must be chosen")
        return _from_colmap(rows[0])
    if rows and len(rows[0]) > 1 and rows[0][1].isupper():
        raise ValueError(f"camera model {rows[0][1]} instead of {', '.join(_COLMAP)}")
    return _camera([float(value) for row in rows for value in row], [], None, None)


def _from_colmap(row: Sequence[str]) -> Reader:
    (fx, fy, cx, cy), model, distortion_of = _COLMAP[row[1]]
    size, values = (int(row[2]), int(row[3])), [float(value) for value in row[4:]]
    distortion = distortion_of(values)
    camera = CameraModel(
        *size, values[fx], values[fy], values[cx] - 0.5, values[cy] - 0.5, tuple(map(float, distortion)), model
    )
    return lambda _: camera


def _camera(
    matrix: Sequence[float], distortion: Sequence[float], size: tuple[int, int] | None, model: str | None
) -> Reader:
    if len(matrix) != 9:
        raise ValueError(f"{len(matrix)} numbers instead of the 9 of a camera matrix")
    if matrix[1]:
        raise ValueError(f"a skew of {matrix[1]:g}, which no present camera has")
    coefficients, name = _distortion(distortion, model)

    def camera_of(frame_size: tuple[int, int]) -> CameraModel:
        width, height = size or frame_size
        return CameraModel(width, height, matrix[0], matrix[4], matrix[2], matrix[5], coefficients, name)

    camera_of((1, 1))  # what cannot be is told now, not at the first frame
    return camera_of


def _distortion(coefficients: Sequence[float], model: str | None) -> tuple[tuple[float, ...], DistortionModel]:
    """As many coefficients as OpenCV takes, and the model they belong to; none where a lens has no distortion."""
    values = tuple(map(float, coefficients))
    if model in ("equidistant", "fisheye", "kannala_brandt"):  # zeros are a fisheye as well
        return values + (0.0,) * (4 - len(values)), "equidistant"
    if not any(values):
        return (), "plumb_bob"
    wanted = next((count for count in (4, 5, 8, 12, 14) if count >= len(values)), len(values))
    return values + (0.0,) * (wanted - len(values)), "plumb_bob" if wanted <= 5 else "rational_polynomial"


def _first(entries: Mapping[str, Any], names: Sequence[str], *default: Any) -> Any:
    """The entry of the first of these names that is there."""
    for name in names:
        if name in entries:
            return entries[name]
    if default:
        return default[0]
    raise ValueError(f"it holds no {names[0]}")


def _values(entry: Any) -> list[float]:
    """The numbers of a matrix: nested, flat, or as ROS writes one, with its rows, columns and data."""
    if isinstance(entry, dict):
        entry = entry["data"]
    return np.asarray(entry, np.float64).ravel().tolist()


def _size(width: Any, height: Any) -> tuple[int, int] | None:
    return (int(width), int(height)) if width and height else None
