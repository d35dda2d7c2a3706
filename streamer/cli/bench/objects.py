"""``streamer bench objects``."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli.options import ConfigName, Figures, Overrides, Size, read_config, read_size


def bench_objects(
    counts: Annotated[
        list[int] | None,
        typer.Option("--objects", help="So many; repeatable.", min=1, max=250, show_default="1, 4, 16, 40, 64"),
    ] = None,
    frames: Annotated[int, typer.Option(help="Length of each run.", min=10)] = 60,
    size: Size = "1280x720",
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    json: Figures = None,
) -> None:
    """Time what an object costs: in the frame loop, on a keyframe and in the drawing."""
    from streamer.benchmarks.objects import ObjectsBench
    from streamer.benchmarks.objects import bench_objects as run

    bench = ObjectsBench(counts or (1, 4, 16, 40, 64), frames, read_size(size), json)
    run(read_config(config, overrides), bench)
