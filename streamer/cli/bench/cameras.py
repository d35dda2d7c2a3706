"""``streamer bench cameras``."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli.options import ConfigName, Figures, Overrides, Size, read_config, read_size


def bench_cameras(
    cameras: Annotated[
        list[int] | None, typer.Option(help="So many at once, one row each: 1, 2 and 4 if left out.", min=1)
    ] = None,
    seconds: Annotated[float, typer.Option(help="How many seconds each row plays.", min=1)] = 20.0,
    fps: Annotated[int, typer.Option(help="Rate of each camera in Hz.", min=1, max=240)] = 15,
    size: Size = "640x360",
    config: ConfigName = "robot",
    overrides: Overrides = None,
    json: Figures = None,
) -> None:
    """Play several cameras in one process that share one set of models, and tell what each of them gets."""
    from streamer.benchmarks.cameras import CamerasBench
    from streamer.benchmarks.cameras import bench_cameras as run

    run(read_config(config, overrides), CamerasBench(cameras or (1, 2, 4), seconds, fps, read_size(size), json))
