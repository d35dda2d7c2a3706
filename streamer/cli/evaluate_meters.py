"""``streamer eval-meters``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.options import ConfigName, Overrides, Points, read_config
from streamer.cli.prompts import read_prompts


def evaluate_meters(
    source: Annotated[str, typer.Argument(metavar="FOLDER|scene", help="Registered color and depth, or `scene`.")],
    points: Points = None,
    points_hz: Annotated[
        float, typer.Option("--known-points", metavar="N", help="Known points per second.", min=0.1, max=30)
    ] = 5.0,
    seed: Annotated[int, typer.Option(help="Which points, and which scene.", min=0)] = 0,
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    json: Annotated[Path | None, typer.Option(metavar="OUT", help="Write the figures here as well.")] = None,
) -> None:
    """Measure depth in meters, calibrated by a few known points, and the position of what --point is on."""
    from streamer.evaluation.meters import evaluate_meters as run

    prompts = read_prompts(points, None)
    raise typer.Exit(run(read_config(config, overrides), source, prompts, points_hz, seed, json))
