"""``streamer bench serve``."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli.options import ConfigName, Figures, Overrides, Size, read_config, read_size


def bench_serve(
    seconds: Annotated[float, typer.Option(help="How many seconds each row plays.", min=1)] = 20.0,
    fps: Annotated[int, typer.Option(help="Rate of the rendered scene in Hz.", min=1, max=240)] = 30,
    size: Size = "1280x720",
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    json: Figures = None,
) -> None:
    """Play a live run that is not served, served to nobody, to one page, and to ten of which one is stalled.

    Tells what serving costs the frame loop, and how old a picture is when a page on this machine has it decoded.
    """
    from streamer.benchmarks.serve import ServeBench
    from streamer.benchmarks.serve import bench_serve as run

    raise typer.Exit(run(read_config(config, overrides), ServeBench(seconds, fps, read_size(size), json)))
