"""``streamer bench memory``."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli.options import ConfigName, Overrides, Size, read_config, read_size


def bench_memory(
    frames: Annotated[int, typer.Option(help="Length of the run.", min=2)] = 20_000,
    settled: Annotated[int, typer.Option(help="Frames after which memory should grow no more.", min=1)] = 500,
    size: Size = "320x180",
    config: ConfigName = "tiny",
    overrides: Overrides = None,
) -> None:
    """Follow the objects of a long rendered scene, and print how much memory it takes as it goes on."""
    from streamer.benchmarks.memory import MemoryBench
    from streamer.benchmarks.memory import bench_memory as run

    run(read_config(config, overrides), MemoryBench(frames, settled, read_size(size)))
