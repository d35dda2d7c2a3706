"""``streamer bench file``."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli.options import Boxes, ConfigName, Figures, Overrides, Points, read_config
from streamer.cli.prompts import read_prompts


def bench_file(
    source: Annotated[str, typer.Argument(metavar="CLIP", help="A video, or `scene` for the rendered scene.")],
    points: Points = None,
    boxes: Boxes = None,
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    frames: Annotated[int | None, typer.Option(help="Only the first ones.", min=1, show_default="all")] = None,
    loop_seconds: Annotated[float, typer.Option(help="After how many seconds the obvious loop ends.", min=0)] = 60.0,
    repeats: Annotated[int, typer.Option(help="The best of so many runs counts; the loop runs once.", min=1)] = 1,
    json: Figures = None,
) -> None:
    """Time `annotate` from file to file, beside the obvious loop and beside decoding and encoding alone.

    The obvious loop is upstream's models on every frame. Models that were never pulled get random weights.
    """
    from streamer.benchmarks.file import FileBench
    from streamer.benchmarks.file import bench_file as run

    bench = FileBench(source, read_prompts(points, boxes), frames, loop_seconds, repeats, json=json)
    raise typer.Exit(run(read_config(config, overrides), bench))
