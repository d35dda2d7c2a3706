"""``streamer bench soak``."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli.options import ConfigName, Figures, Overrides, Size, read_config, read_size


def bench_soak(
    minutes: Annotated[float, typer.Option(help="How long the run lasts.", min=0.1)] = 30.0,
    life: Annotated[float, typer.Option(help="Seconds after which the camera dies, again and again.", min=1)] = 60.0,
    size: Size = "640x360",
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    json: Figures = None,
) -> None:
    """Leave a live run alone with a network camera that dies every minute, and look at what it holds.

    Ends with 1 where memory, threads or open files grew, or where the run stood still.
    """
    from streamer.benchmarks.soak import SoakBench
    from streamer.benchmarks.soak import bench_soak as run

    bench = SoakBench(minutes, life, read_size(size), json=json)
    raise typer.Exit(run(read_config(config, overrides), bench))
