"""The camera that took a frame: where a ray of light lands on it, and where a pixel looks to."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

ASSUMED_FOV_DEG = 60.0
"""Along the longer side, where nothing is known: webcams and phones have 55 to 75 degrees there (a phone's main camera
of 26 mm has 69, a webcam of 78 along the diagonal 70, many laptops' 60)."""
_ROUNDS, _EXACT_PX, _STEP = 20, 1e-7, 1e-6
"""Newton's method on the distortion: at most so many rounds, until the pixel is met; derivatives by that difference."""
_OFF_PX = 0.01
"""A pixel that is not met by this lies beyond where the distortion folds over."""
DistortionModel = Literal["plumb_bob", "rational_polynomial", "equidistant"]
_COUNTS: dict[str, tuple[int, ...]] = {"plumb_bob": (0, 4, 5), "rational_polynomial": (8, 12, 14), "equidistant": (4,)}

Points = NDArray[np.floating[Any]]


class Provenance(StrEnum):
    """How a camera model is known; the value is what outputs write."""

    GIVEN = "given"  # calibrated: a file, or a source that knows its own
    FOV = "fov"  # from a field of view that a person gave
    PHOTO = "photo"  # from the focal length that a photo tells of its lens
    ESTIMATED = "estimated"  # by a model, from the picture
    ASSUMED = "assumed"  # nothing is known: an ordinary lens is taken for granted


@dataclass(frozen=True, slots=True)
class CameraModel:
    """A camera as ROS and OpenCV describe one: x to the right, y down, z ahead; pixel centers are whole numbers.

    Attributes:
        width, height: Of the frames [px].
        fx, fy: Focal lengths [px].
        cx, cy: Principal point [px].
        distortion: Coefficients in OpenCV's order; empty for a lens without distortion.
        distortion_model: ``plumb_bob`` (k1, k2, p1, p2[, k3]), ``rational_polynomial`` (with k4, k5, k6[, s1 to s4[,
            tx, ty]]), or ``equidistant`` (a fisheye: k1 to k4), as ROS names them.
        provenance: How it is known.

    Raises:
        ValueError: A number cannot be, or there are not as many coefficients as the distortion model has.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()
    distortion_model: DistortionModel = "plumb_bob"
    provenance: Provenance = Provenance.GIVEN

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a camera of {self.width}x{self.height} pixels")
        if not (self.fx > 0 and self.fy > 0) or not np.isfinite([self.fx, self.fy, self.cx, self.cy]).all():
            raise ValueError(f"focal lengths {self.fx:g}, {self.fy:g} and principal point {self.cx:g}, {self.cy:g}")
        counts = _COUNTS.get(self.distortion_model)
        if counts is None:
            raise ValueError(f"distortion model {self.distortion_model!r} instead of {', '.join(_COUNTS)}")
        if len(self.distortion) not in counts or not np.isfinite(self.distortion).all():
            raise ValueError(f"{len(self.distortion)} finite distortion coefficients for {self.distortion_model}")

    @classmethod
    def from_fov(cls, size: tuple[int, int], fov_deg: float, provenance: Provenance = Provenance.FOV) -> Self:
        """A camera without distortion.

        Args:
            size: (width, height) of the frames [px].
            fov_deg: Horizontal field of view, from 0 to 180, both exclusive [degrees].
        """
        width, height = size
        focal_px = width / 2 / math.tan(math.radians(fov_deg) / 2)
        return cls(width, height, focal_px, focal_px, (width - 1) / 2, (height - 1) / 2, provenance=provenance)

    @classmethod
    def of_photo(cls, size: tuple[int, int], focal_35mm: float) -> Self:
        """A camera without distortion, by the focal length that a photo tells.

        Args:
            size: (width, height) of the photo [px], which is taken to be whole.
            focal_35mm: What would see as much of the diagonal on film of 36 by 24 mm (CIPA DCG-001) [mm].
        """
        width, height = size
        focal_px = focal_35mm * math.hypot(width, height) / math.hypot(36, 24)
        center = (width - 1) / 2, (height - 1) / 2
        return cls(width, height, focal_px, focal_px, *center, provenance=Provenance.PHOTO)

    @classmethod
    def assumed(cls, size: tuple[int, int]) -> Self:
        """An ordinary camera of that (width, height) [px], where nothing is known."""
        width, height = size
        focal_px = max(size) / 2 / math.tan(math.radians(ASSUMED_FOV_DEG) / 2)
        center = (width - 1) / 2, (height - 1) / 2
        return cls(width, height, focal_px, focal_px, *center, provenance=Provenance.ASSUMED)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the frames [px]."""
        return self.width, self.height

    @property
    def matrix(self) -> NDArray[np.float64]:
        """K, ``(3, 3)``: rays ahead to homogeneous pixels, but for the distortion."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1.0]])

    @property
    def fov_deg(self) -> float:
        """Horizontal field of view of its middle row, the distortion left aside [degrees]."""
        left, right = (self.cx + 0.5) / self.fx, (self.width - 0.5 - self.cx) / self.fx
        return math.degrees(math.atan(left) + math.atan(right))

    def resized(self, size: tuple[int, int]) -> Self:
        """The same camera whose frames are scaled to that (width, height) [px]."""
        if size == self.size:
            return self
        (width, height), x, y = size, size[0] / self.width, size[1] / self.height
        center = (self.cx + 0.5) * x - 0.5, (self.cy + 0.5) * y - 0.5
        return replace(self, width=width, height=height, fx=self.fx * x, fy=self.fy * y, cx=center[0], cy=center[1])

    def rays(self, points: Points) -> NDArray[np.float64]:
        """Where ``(N, 2)`` pixels (x, y) look to: ``(N, 3)`` rays of depth 1, undistorted.

        They are NaN for a pixel that no light ahead of the camera reaches (beyond where the distortion folds over).
        """
        points = np.asarray(points, np.float64).reshape(-1, 2)
        if not self.distortion or len(points) == 0:
            flat = (points - (self.cx, self.cy)) / (self.fx, self.fy)
            return np.column_stack([flat, np.ones(len(points))])
        return self._undistorted(points)

    def ray_grid(self) -> NDArray[np.float32]:
        """:meth:`rays` of every pixel, ``(H, W, 3)`` float32; read-only, and kept for the next frame."""
        return _ray_grid(self)

    def unproject(self, points: Points, depth_m: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """``(N, 3)`` points in camera coordinates [m] seen at ``(N, 2)`` pixels (x, y) at ``(N,)`` depths along z."""
        return self.rays(points) * np.asarray(depth_m, np.float64).reshape(-1, 1)

    def project(self, points_m: Points) -> NDArray[np.float64]:
        """``(N, 2)`` pixels (x, y), on the frame or beside it, of ``(N, 3)`` points in camera coordinates [m].

        They are NaN for a point that is not ahead of the camera.
        """
        points_m = np.asarray(points_m, np.float64).reshape(-1, 3)
        ahead = points_m[:, 2] > 0
        places = np.full((len(points_m), 2), np.nan)
        if ahead.any():
            places[ahead] = self._project_ahead(points_m[ahead] / points_m[ahead, 2:])
        return places

    def _undistorted(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Newton's method from OpenCV's estimate, whose few rounds alone are off by pixels for a strong distortion."""
        import cv2  # not above: whoever opens a source imports this, and need not wait for it

        undistort = cv2.fisheye.undistortPoints if self.distortion_model == "equidistant" else cv2.undistortPoints
        rays = np.ones((len(points), 3))
        rays[:, :2] = undistort(points[:, None], self.matrix, np.array(self.distortion))[:, 0]
        with np.errstate(all="ignore"):
            for _ in range(_ROUNDS):
                there = self._project_ahead(rays)
                off = points - there
                if np.nanmax(np.abs(off)) < _EXACT_PX:
                    break
                across, down = (self._project_ahead(rays + step) - there for step in (_STEP * np.eye(3))[:2])
                turns = across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0]
                rays[:, 0] += _STEP * (off[:, 0] * down[:, 1] - off[:, 1] * down[:, 0]) / turns
                rays[:, 1] += _STEP * (off[:, 1] * across[:, 0] - off[:, 0] * across[:, 1]) / turns
            rays[~(np.abs(self._project_ahead(rays) - points).max(axis=1) < _OFF_PX)] = np.nan
        return rays

    def _project_ahead(self, rays: NDArray[np.float64]) -> NDArray[np.float64]:
        if not self.distortion:
            return rays[:, :2] * (self.fx, self.fy) + (self.cx, self.cy)
        coefficients, still = np.array(self.distortion), np.zeros(3)
        import cv2

        if self.distortion_model == "equidistant":
            return cv2.fisheye.projectPoints(rays[:, None], still, still, self.matrix, coefficients)[0][:, 0]
        return cv2.projectPoints(rays[:, None], still, still, self.matrix, coefficients)[0][:, 0]


@lru_cache(maxsize=4)
def _ray_grid(camera: CameraModel) -> NDArray[np.float32]:
    rows, columns = np.indices((camera.height, camera.width), np.float64)
    points = np.column_stack([columns.ravel(), rows.ravel()])
    grid = camera.rays(points).astype(np.float32).reshape(camera.height, camera.width, 3)
    grid.setflags(write=False)
    return grid
