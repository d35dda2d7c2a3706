"""``streamer bench start``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.options import Figures


def bench_start(
    runs: Annotated[int, typer.Option(help="How often each command is started.", min=1)] = 10,
    clip: Annotated[Path | None, typer.Option(help="Video whose first frame is shown.", show_default="scene")] = None,
    photo: Annotated[Path | None, typer.Option(help="Picture to annotate.", show_default="scene")] = None,
    bytecode: Annotated[
        bool | None,
        typer.Option(help="Whether Python may keep what it compiled.", show_default="one after the other"),
    ] = None,
    json: Figures = None,
) -> None:
    """Time the program from the command on: its help, the first frame of `live`, a photo annotated; and its memory."""
    from streamer.benchmarks.start import StartBench
    from streamer.benchmarks.start import bench_start as run

    run(StartBench(runs, clip, photo, (True, False) if bytecode is None else (bytecode,), json))
