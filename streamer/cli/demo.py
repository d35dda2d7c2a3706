"""``streamer demo``."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli.options import ConfigName, Output, Overrides, read_config


def demo(
    output: Output = None,
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    frames: Annotated[int, typer.Option(help="Length of the scene in frames.", min=1)] = 240,
    seed: Annotated[int, typer.Option(help="Which scene.", min=0)] = 0,
) -> None:
    """Render a scene, segment and track its objects, estimate depth, and compare with the scene's own truth."""
    from streamer.engine import Engine
    from streamer.evaluation.demo import demo as run

    with Engine(read_config(config, overrides)) as engine:
        raise typer.Exit(run(engine, output, frames, seed))
