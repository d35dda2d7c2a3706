"""``streamer eval-meters``: how right relative depth is in meters once a few points a second are known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from streamer.config import Config
from streamer.data.camera_model import CameraModel
from streamer.data.frame import Frame
from streamer.data.known_depths import KnownDepths
from streamer.data.prompt import Prompt
from streamer.data.result import Result
from streamer.data.track import State
from streamer.engine import Engine
from streamer.errors import SinkError
from streamer.evaluation.depth import Shot, read_camera, read_shots
from streamer.geometry.known_camera import KnownCamera
from streamer.synthetic import SceneSource
from streamer.terminal.console import Terminal

_RATE_HZ = 30
_FARTHEST_M = 10.0
_SCENE = (640, 360), 150
_SETTLING_S = 1.0
"""Frames before this are not scored: five points come in the first second, one after the other."""


@dataclass(frozen=True, slots=True)
class MetersScore:
    """One clip, from one second on.

    Attributes:
        name: Of the clip.
        points_hz: Known points per second.
        abs_rel: Mean relative error of depth over pixels up to 10 m, mean over frames.
        told: The relative error that the results told, mean over frames.
        position: Relative error of a clicked object's position, its distance being 1: median and 90th percentile over
            frames; None without a click.
        frames: That were scored, and that had meters.
    """

    name: str
    points_hz: float
    abs_rel: float
    told: float
    position: tuple[float, float] | None
    frames: tuple[int, int]


def evaluate_meters(
    config: Config, source: str, prompts: Sequence[Prompt], points_hz: float, seed: int, json_path: Path | None = None
) -> int:
    """Measure a folder with true depth, or the rendered ``scene``, and print and write the figures.

    Args:
        prompts: A click on what is to be followed; none follows nothing.
        points_hz: How many points are known per second, one at a time.
        seed: Which ones, and which scene.

    Returns:
        Exit code 0.

    Raises:
        SourceError: The folder does not hold a registered clip.
        SinkError: The figures cannot be written.
    """
    shots, camera = _scene(seed) if source == "scene" else _folder(Path(source))
    config = config if prompts else config.model_copy(update={"segmenter": None})
    with Engine(config) as engine:
        results = list(_play(engine, shots, camera, prompts, points_hz, seed))
    score = score_meters(source, results, shots, camera, points_hz)
    Terminal().console.print(_table(score))
    if json_path is not None:
        try:
            json_path.write_text(json.dumps(asdict(score), indent=2) + "\n")
        except OSError as error:
            raise SinkError(f"{json_path} cannot be written ({error.strerror}): choose another place.") from None
    return 0


def score_meters(
    name: str, results: Sequence[Result], shots: Sequence[Shot], camera: CameraModel, points_hz: float
) -> MetersScore:
    """The figures of a run over shots."""
    scored = [(result, shot) for result, shot in zip(results, shots, strict=True) if result.time_s >= _SETTLING_S]
    metric = [(result, shot) for result, shot in scored if result.depth_m is not None]
    places = [off for result, shot in metric if (off := _position_error(result, shot, camera)) is not None]
    return MetersScore(
        name,
        points_hz,
        float(np.mean([_abs_rel(result, shot) for result, shot in metric])),
        float(np.mean([result.depth_error for result, _ in metric if result.depth_error is not None])),
        (float(np.median(places)), float(np.quantile(places, 0.9))) if places else None,
        (len(scored), len(metric)),
    )


def _play(
    engine: Engine,
    shots: Sequence[Shot],
    camera: CameraModel,
    prompts: Sequence[Prompt],
    points_hz: float,
    seed: int,
) -> Iterator[Result]:
    """Every frame, with one known point said of it now and then, as a single beam would."""
    pipeline, rng = engine.pipeline(camera=KnownCamera(own=camera)), np.random.default_rng(seed)
    for prompt in prompts:
        pipeline.prompt(prompt)
    every = max(1, round(_RATE_HZ / points_hz))
    for index, shot in enumerate(shots):
        yield pipeline.process(Frame(index, index / _RATE_HZ, shot.image_rgb, 0.0))
        if index % every == 0:
            rows, columns = np.nonzero(shot.inverse_depth > 1 / _FARTHEST_M)
            at = rng.integers(len(rows))
            depth_m = 1 / shot.inverse_depth[rows[at], columns[at]]
            pipeline.calibrate(KnownDepths([(columns[at], rows[at])], [depth_m]))


def _abs_rel(result: Result, shot: Shot) -> float:
    assert result.depth_m is not None
    known = shot.inverse_depth > 1 / _FARTHEST_M
    return float(np.mean(np.abs(result.depth_m[known] * shot.inverse_depth[known] - 1)))


def _position_error(result: Result, shot: Shot, camera: CameraModel) -> float | None:
    """How far the first object is from where the true depth puts it, relative to its distance; None where it is lost.

    True is the median of the points that the true depth has under its mask.
    """
    track = result.tracks[0] if result.tracks else None
    if track is None or track.position_m is None or track.state is State.LOST:
        return None
    rows, columns = np.nonzero(track.mask & (shot.inverse_depth > 1 / _FARTHEST_M))
    if len(rows) == 0:
        return None
    points = camera.unproject(np.column_stack([columns, rows]), 1 / shot.inverse_depth[rows, columns])
    true_m = np.median(points, axis=0)
    return float(np.linalg.norm(np.array(track.position_m) - true_m) / np.linalg.norm(true_m))


def _folder(folder: Path) -> tuple[list[Shot], CameraModel]:
    shots, matrix = read_shots(folder), read_camera(folder)
    height, width = shots[0].inverse_depth.shape
    return shots, CameraModel(width, height, matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2])


def _scene(seed: int) -> tuple[list[Shot], CameraModel]:
    size, count = _SCENE
    scene = SceneSource(seed, size, frame_count=count)
    assert scene.info.camera is not None
    nowhere: NDArray[np.float64] = np.eye(4)
    return [Shot(scene.render(at), scene.truth(at).inverse_depth, nowhere) for at in range(count)], scene.info.camera


def _table(score: MetersScore) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("meters")
    for name in ("known points/s", "AbsRel", "told", "position (median, 90 %)", "frames"):
        table.add_column(name, justify="right")
    position = "" if score.position is None else " ".join(f"{100 * share:.1f} %" for share in score.position)
    frames = f"{score.frames[1]} of {score.frames[0]}"
    table.add_row(score.name, f"{score.points_hz:g}", f"{score.abs_rel:.3f}", f"{score.told:.3f}", position, frames)
    return table
