"""``streamer bench batch``."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli.options import ConfigName, Figures, Overrides, Size, config_words, read_config, read_size


def bench_batch(
    clips: Annotated[int, typer.Option(help="How many clips.", min=1)] = 6,
    frames: Annotated[int, typer.Option(help="Frames of each.", min=1)] = 60,
    jobs: Annotated[int, typer.Option(help="Workers of the batch.", min=1)] = 2,
    size: Size = "1280x720",
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    json: Figures = None,
) -> None:
    """Annotate many short clips by one `batch`, and by a shell loop over `annotate`."""
    from streamer.benchmarks.batch import BatchBench
    from streamer.benchmarks.batch import bench_batch as run

    read_config(config, overrides)
    options = config_words(config, overrides)
    raise typer.Exit(run(BatchBench(clips, frames, jobs, read_size(size), options, json)))
