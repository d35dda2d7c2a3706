"""``streamer bench scene``."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli.options import Figures, Size, read_size


def bench_scene(
    seeds: Annotated[
        list[int] | None, typer.Option("--seed", help="A scene; repeatable.", min=0, show_default="0 to 5")
    ] = None,
    frames: Annotated[int, typer.Option(help="Length of each.", min=1)] = 150,
    size: Size = "1280x720",
    json: Figures = None,
) -> None:
    """Time the rendered scene itself, the stand-in camera of the other benchmarks, on one thread."""
    from streamer.benchmarks.scene import SceneBench
    from streamer.benchmarks.scene import bench_scene as run

    run(SceneBench(seeds or range(6), frames, read_size(size), json))
