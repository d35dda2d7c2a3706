"""``streamer eval``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.options import ConfigName, Overrides, read_config


def evaluate(
    root: Annotated[str, typer.Argument(metavar="ROOT", help="A folder in DAVIS layout, or `scene`.")],
    sequences: Annotated[
        str, typer.Option(metavar="A,B", help="Only these sequences (of `scene`: seeds).", show_default="all")
    ] = "",
    init: Annotated[str, typer.Option(metavar="mask|box|click", help="What is said about each object.")] = "mask",
    method: Annotated[
        str,
        typer.Option(
            metavar="ours|flow|every-frame|ablation", help="What follows them; `ablation` leaves out part by part."
        ),
    ] = "ours",
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    late: Annotated[
        int, typer.Option(metavar="FRAMES", help="SAM's answers come so many frames late, as when live.", min=0)
    ] = 0,
    json: Annotated[Path | None, typer.Option(metavar="OUT", help="Write the figures here as well.")] = None,
) -> None:
    """Measure how well objects are followed: J, F, decay, frame rate and keyframes of every sequence.

    streamer eval DAVIS --init click --method every-frame
    """
    from streamer.evaluation.masks import EvalJob
    from streamer.evaluation.masks import evaluate as run

    names = [name for name in sequences.split(",") if name]
    raise typer.Exit(run(read_config(config, overrides), EvalJob(root, names, init, method, late, json)))
