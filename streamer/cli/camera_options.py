"""What the command line says of the camera, and what is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamer.errors import ConfigError

if TYPE_CHECKING:
    from streamer.config import Config

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


def with_camera(config: Config, intrinsics: Path | None, fov_deg: float | None) -> Config:
    """The config with what the options say of the camera.

    Raises:
        ConfigError: The field of view is none, or both are given.
    """
    if intrinsics is not None and fov_deg is not None:
        raise ConfigError("--intrinsics and --fov both say what the camera is: leave one of them out.")
    if fov_deg is not None and not 1 < fov_deg < 179:
        raise ConfigError(f"--fov {fov_deg:g} is no field of view: give degrees from 1 to 179.")
    if intrinsics is None and fov_deg is None:
        return config
    camera = config.camera.model_copy(update={"intrinsics": intrinsics, "fov_deg": fov_deg})
    return config.model_copy(update={"camera": camera})
