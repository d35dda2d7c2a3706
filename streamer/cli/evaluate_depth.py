"""``streamer eval-depth``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.options import ConfigName, Overrides, read_config


def evaluate_depth(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Registered color, depth and poses.")],
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    json: Annotated[Path | None, typer.Option(metavar="OUT", help="Write the figures here as well.")] = None,
) -> None:
    """Measure how right and how steady depth is, beside the model on every frame."""
    from streamer.evaluation.depth import evaluate_depth as run

    raise typer.Exit(run(read_config(config, overrides), folder, json))
