"""``streamer eval-depth``: how right and how steady depth is, against a depth camera whose path is known."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from streamer.config import Config
from streamer.data.frame import Frame
from streamer.engine import Engine
from streamer.errors import SinkError, SourceError
from streamer.evaluation.metrics import depth_errors, fit_scale_and_shift
from streamer.terminal.console import Terminal

DepthMap = NDArray[np.float32]

_UNKNOWN_MM = (0, 65535)
_NEAREST_M, _FARTHEST_M = 0.1, 10.0
_STEP_PX = 2
_FIT_STEP_PX = 8


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame of a depth camera.

    Attributes:
        image_rgb: ``(H, W, 3)`` uint8.
        inverse_depth: ``(H, W)`` float32 [1/m], 0 is unknown.
        pose: ``(4, 4)`` world from camera [m].
    """

    image_rgb: NDArray[np.uint8]
    inverse_depth: DepthMap
    pose: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DepthScore:
    """One way to estimate depth on one clip.

    Attributes:
        name: Of the way.
        abs_rel, delta1: Mean over the frames, each with its own scale and shift.
        tae: Temporal alignment error x 100, one scale and shift for the clip (Video Depth Anything, 2025): each map is
            moved to the next frame by the true poses and back, and compared with what was estimated there.
        rate_hz: Frames per second, model included.
        runs: Share of the frames on which the model ran.
    """

    name: str
    abs_rel: float
    delta1: float
    tae: float
    rate_hz: float
    runs: float


def evaluate_depth(config: Config, folder: Path, json_path: Path | None = None) -> int:
    """Measure the shipped way and the model on every frame, print both, and write the figures where asked.

    Returns:
        Exit code 0.

    Raises:
        SourceError: The folder does not hold a registered clip with poses.
        SinkError: The figures cannot be written.
    """
    shots, camera = read_shots(folder), read_camera(folder)
    with Engine(config.model_copy(update={"segmenter": None})) as engine:
        scores = [score_depth(engine, shots, camera, every_frame) for every_frame in (False, True)]
    Terminal().console.print(_table(scores))
    if json_path is not None:
        try:
            json_path.write_text(json.dumps([asdict(score) for score in scores], indent=2) + "\n")
        except OSError as error:
            raise SinkError(f"{json_path} cannot be written ({error.strerror}): choose another place.") from None
    return 0


def score_depth(engine: Engine, shots: Sequence[Shot], camera: NDArray[np.float64], every_frame: bool) -> DepthScore:
    """The pipeline's depth, or the model's own on every frame."""
    assert engine.depth_estimator is not None
    start = time.perf_counter()
    if every_frame:
        maps = [engine.depth_estimator.estimate(shot.image_rgb) for shot in shots]
        runs = len(shots)
    else:
        pipeline, maps, runs = engine.pipeline(), [], 0
        for index, shot in enumerate(shots):
            result = pipeline.process(Frame(index, index / 30, shot.image_rgb, 0.0))
            runs += result.reason_of("depth") is not None
            assert result.inverse_depth is not None
            maps.append(result.inverse_depth)
    elapsed_s = time.perf_counter() - start
    errors = [depth_errors(one, shot.inverse_depth) for one, shot in zip(maps, shots, strict=True)]
    return DepthScore(
        "model on every frame" if every_frame else "ours",
        float(np.mean([error.abs_rel for error in errors])),
        float(np.mean([error.delta1 for error in errors])),
        temporal_error(maps, shots, camera),
        len(shots) / elapsed_s,
        runs / len(shots),
    )


def temporal_error(maps: Sequence[DepthMap], shots: Sequence[Shot], camera: NDArray[np.float64]) -> float:
    """Temporal alignment error x 100 of ``(H, W)`` inverse depth maps; smaller is steadier."""
    depths = list(_metric(maps, shots))
    errors = []
    for first, second, before, after in zip(depths, depths[1:], shots, shots[1:], strict=False):
        move = np.linalg.inv(after.pose) @ before.pose
        errors += [_difference(first, second, move, camera), _difference(second, first, np.linalg.inv(move), camera)]
    return 100 * float(np.mean(errors))


def read_shots(folder: Path) -> list[Shot]:
    """Every frame of a folder of ``*.color.jpg``, ``*.depth.png`` (millimetres) and ``*.pose.txt``, as 7-Scenes has it.

    Raises:
        SourceError: There is none, or one is not complete.
    """
    colors = sorted(folder.glob("*.color.jpg"))
    if not colors:
        raise SourceError(f"There is no *.color.jpg in {folder}: name a folder of registered color, depth and poses.")
    try:
        return [_shot(path) for path in colors]
    except (OSError, ValueError, cv2.error) as error:
        raise SourceError(f"{folder} holds a frame that cannot be read: {' '.join(str(error).split())}.") from None


def read_camera(folder: Path) -> NDArray[np.float64]:
    """The ``(3, 3)`` camera matrix [px] from ``camera-intrinsics.txt``.

    Raises:
        SourceError: There is none.
    """
    try:
        return np.loadtxt(folder / "camera-intrinsics.txt").reshape(3, 3)
    except (OSError, ValueError):
        raise SourceError(f"There is no camera-intrinsics.txt with a 3x3 matrix in {folder}: add one.") from None


def _shot(color: Path) -> Shot:
    stem = color.name.removesuffix(".color.jpg")
    image = cv2.imread(str(color))
    depth_mm = cv2.imread(str(color.with_name(f"{stem}.depth.png")), cv2.IMREAD_UNCHANGED)
    if image is None or depth_mm is None or depth_mm.shape != image.shape[:2]:
        raise ValueError(f"{stem} has no image and depth of one size")
    known = ~np.isin(depth_mm, _UNKNOWN_MM)
    inverse = np.divide(1000, depth_mm, where=known, out=np.zeros(depth_mm.shape), dtype=np.float64)
    pose = np.loadtxt(color.with_name(f"{stem}.pose.txt")).reshape(4, 4)
    return Shot(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), inverse.astype(np.float32), pose)


def _metric(maps: Sequence[DepthMap], shots: Sequence[Shot]) -> Iterator[NDArray[np.float64]]:
    """Depth [m] after one fit for the whole clip, NaN where the depth camera saw nothing."""
    sparse = np.s_[::_FIT_STEP_PX, ::_FIT_STEP_PX]
    truth = np.stack([shot.inverse_depth[sparse] for shot in shots])
    known = truth > 0
    scale, shift = fit_scale_and_shift(np.stack([one[sparse] for one in maps])[known], truth[known])
    for one, shot in zip(maps, shots, strict=True):
        inverse = np.clip(scale * one.astype(np.float64) + shift, 1 / _FARTHEST_M, 1 / _NEAREST_M)
        yield np.where(shot.inverse_depth > 0, 1 / inverse, np.nan)


def _difference(
    depth: NDArray[np.float64], other: NDArray[np.float64], move: NDArray[Any], camera: NDArray[np.float64]
) -> float:
    """AbsRel of the first map, moved to the other frame, against the other; of several points, the nearest counts."""
    height, width = depth.shape
    rows, columns = np.mgrid[0:height:_STEP_PX, 0:width:_STEP_PX]
    z = depth[rows, columns].ravel()
    rays = np.linalg.inv(camera) @ np.stack([columns.ravel(), rows.ravel(), np.ones(z.size)])
    moved = move[:3, :3] @ (rays * z) + move[:3, 3:]
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y = np.rint((camera @ moved)[:2] / moved[2])
        seen = np.isfinite(z) & (moved[2] > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    place = y[seen].astype(int) * width + x[seen].astype(int)
    nearest = np.full(height * width, np.inf)
    np.minimum.at(nearest, place, moved[2, seen])
    there = other.ravel()
    both = np.isfinite(nearest) & np.isfinite(there)
    return float(np.mean(np.abs(nearest[both] - there[both]) / there[both]))


def _table(scores: Sequence[DepthScore]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("depth")
    for name in ("AbsRel", "δ<1.25", "TAE", "frames/s", "model runs"):
        table.add_column(name, justify="right")
    for score in scores:
        cells = [f"{score.abs_rel:.3f}", f"{score.delta1:.3f}", f"{score.tae:.2f}", f"{score.rate_hz:.1f}"]
        table.add_row(score.name, *cells, f"{100 * score.runs:.0f} %")
    return table
