"""What the command line says of the camera and of distances, and what is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamer.errors import ConfigError, PromptError

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.data.known_depths import KnownDepths

METERS = "Meters"

Intrinsics = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The camera: ROS camera_info YAML, OpenCV YAML or XML, COLMAP cameras.txt, or a 3x3 matrix.",
        rich_help_panel=METERS,
    ),
]
FieldOfView = Annotated[
    float | None,
    typer.Option("--fov", metavar="DEGREES", help="Its horizontal field of view instead.", rich_help_panel=METERS),
]
KnownDistances = Annotated[
    list[str] | None,
    typer.Option(
        "--known-distance",
        metavar="X,Y=METERS",
        help="How far a thing on the first frame is from the camera; two or more make depth metric.",
        rich_help_panel=METERS,
    ),
]
CameraHeight = Annotated[
    float | None,
    typer.Option(
        metavar="METERS",
        help="Of the camera above flat ground: metric with its pitch.",
        rich_help_panel=METERS,
    ),
]
CameraPitch = Annotated[
    float | None,
    typer.Option(metavar="DEGREES", help="How far it looks down; 0 is level.", rich_help_panel=METERS),
]
PosesFile = Annotated[
    Path | None,
    typer.Option(
        "--poses",
        metavar="FILE|DIR",
        help="Where the camera was: a TUM trajectory, or a folder of *.pose.txt.",
        rich_help_panel=METERS,
    ),
]


def with_camera(
    config: Config,
    intrinsics: Path | None = None,
    fov_deg: float | None = None,
    height_m: float | None = None,
    pitch_deg: float | None = None,
    poses: Path | None = None,
) -> Config:
    """The config with what the options say of the camera.

    Raises:
        ConfigError: A value cannot be, two say the same, or a pitch is given without a height.
    """
    if intrinsics is not None and fov_deg is not None:
        raise ConfigError("--intrinsics and --fov both say what the camera is: leave one of them out.")
    if fov_deg is not None and not 1 < fov_deg < 179:
        raise ConfigError(f"--fov {fov_deg:g} is no field of view: give degrees from 1 to 179.")
    if height_m is not None and not height_m > 0:
        raise ConfigError(f"--camera-height {height_m:g} is no height: give meters above 0.")
    if pitch_deg is not None and not -90 < pitch_deg < 90:
        raise ConfigError(f"--camera-pitch {pitch_deg:g} is no pitch: give degrees from -90 (up) to 90 (down).")
    camera = config.camera
    if camera.height_m is None and (height_m is None) != (pitch_deg is None):
        raise ConfigError("--camera-height and --camera-pitch make meters together only: give both (0 is level).")
    said = {"intrinsics": intrinsics, "fov_deg": fov_deg, "height_m": height_m, "pitch_deg": pitch_deg, "poses": poses}
    changes: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    if intrinsics is not None or fov_deg is not None:  # one replaces the other
        changes = {"intrinsics": None, "fov_deg": None} | changes
    if not changes:
        return config
    return config.model_copy(update={"camera": camera.model_copy(update=changes)})


def read_known_distances(texts: Sequence[str] | None) -> KnownDepths | None:
    """``X,Y=METERS`` of the first frame, as a tape measures them from the camera; None where there are none.

    Raises:
        PromptError: One does not look like that, or there is one alone.
    """
    if not texts:
        return None
    from streamer.data.known_depths import KnownDepths

    rows = [_numbers(text) for text in texts]
    if len(rows) < 2:
        raise PromptError("One known distance gives no scale and shift: give --known-distance for two things or more.")
    return KnownDepths([row[:2] for row in rows], [row[2] for row in rows], along_ray=True)


def _numbers(text: str) -> list[float]:
    place, _, meters = text.partition("=")
    try:
        x, y = place.split(",")
        return [float(x), float(y), float(meters)]
    except ValueError:
        raise PromptError(f"--known-distance {text!r} must look like X,Y=METERS, as in 320,240=1.5.") from None
