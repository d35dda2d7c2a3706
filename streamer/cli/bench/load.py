"""``streamer bench load``."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli.options import ConfigName, Figures, Overrides, Size, config_words, read_config, read_size


def bench_load(
    neighbors: Annotated[
        list[int] | None,
        typer.Option("--neighbors", help="Busy processes beside it, one row each: 0, 1 and 8 if left out.", min=0),
    ] = None,
    frames: Annotated[int, typer.Option(help="Frames that `annotate` does in each row.", min=2)] = 150,
    seconds: Annotated[float, typer.Option(help="How long `live` plays in each row.", min=1)] = 40.0,
    size: Size = "1280x720",
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    json: Figures = None,
) -> None:
    """Annotate and play live alone, and beside processes that take all the cores they can get.

    Tells how much slower `annotate` is, and how long `live` is without new masks and depth, from its start on.
    """
    from streamer.benchmarks.load import LoadBench
    from streamer.benchmarks.load import bench_load as run

    wanted = config_words(config, overrides)
    bench = LoadBench(neighbors or (0, 1, 8), frames, seconds, size=read_size(size), options=wanted, json=json)
    raise typer.Exit(run(read_config(config, overrides), bench))
