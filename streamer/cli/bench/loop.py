"""``streamer bench loop``."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli.options import ConfigName, Figures, Overrides, Size, read_config, read_size


def bench_loop(
    frames: Annotated[int, typer.Option(help="Length of the run.", min=1)] = 300,
    size: Size = "854x480",
    objects: Annotated[int, typer.Option(help="Objects in it.", min=1, max=16)] = 4,
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    json: Figures = None,
) -> None:
    """Time what a frame costs beside the models, on one thread: flow, tracking, carrying and drawing."""
    from streamer.benchmarks.loop import LoopBench
    from streamer.benchmarks.loop import bench_loop as run

    run(read_config(config, overrides), LoopBench(frames, read_size(size), objects, json))
