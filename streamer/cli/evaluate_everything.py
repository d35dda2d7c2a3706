"""``streamer eval-everything``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.options import ConfigName, Figures, Overrides, read_config


def evaluate_everything(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="COCO (annotations.json, images/) or BSDS500.")],
    last: Annotated[int, typer.Option(help="Only the last pictures, so many; 0 for all.", min=0)] = 0,
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    json: Figures = None,
) -> None:
    """Measure how many of the outlined things are among the masks of everything in a picture.

    AR@100 over IoU 0.5 to 0.95 by the size of the thing, and recall at IoU 0.5.

        streamer eval-everything coco/ --last 60
    """
    from streamer.engine import Engine
    from streamer.evaluation.everything import EverythingEval
    from streamer.evaluation.everything import evaluate_everything as run

    with Engine(read_config(config, overrides, no_depth=True)) as engine:
        raise typer.Exit(run(engine, EverythingEval(root, last, json)))
