"""``streamer bench live``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.options import Figures, Size, read_size


def bench_live(
    source: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A video; the rendered scene if left out.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How many seconds of it each row plays.", min=1)] = 60.0,
    fps: Annotated[int, typer.Option(help="Rate of the rendered scene in Hz.", min=1, max=240)] = 30,
    size: Size = "1280x720",
    rows: Annotated[
        list[str] | None,
        typer.Option(
            "--row", help="tiny, late, sam-b, baseline, 'baseline sam-b' (all if left out), or a model's name."
        ),
    ] = None,
    encoder_delay: Annotated[
        float, typer.Option(help="Seconds by which the encoder is late in row `late`.", min=0)
    ] = 1.5,
    show: Annotated[
        bool, typer.Option("--show/--no-show", metavar="", help="Show a window, where there is a display.")
    ] = True,
    accuracy: Annotated[
        bool, typer.Option("--accuracy/--no-accuracy", help="Compare the masks with file mode's.")
    ] = True,
    json: Figures = None,
) -> None:
    """Play a clip at its own rate through the real live path, click now and then, and print how it kept up.

    Models get random weights where they were never pulled: their speed does not depend on the values.
    """
    from streamer.benchmarks.live import ROWS, LiveBench
    from streamer.benchmarks.live import bench_live as run

    bench = LiveBench(source, seconds, fps, read_size(size), rows or ROWS, show, encoder_delay, accuracy, json)
    raise typer.Exit(run(bench))
