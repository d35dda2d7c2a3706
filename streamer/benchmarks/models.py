"""``streamer bench models``: the models as their READMEs use them, against the same models here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.table import Table

from streamer.benchmarks.figures import machine, write_figures
from streamer.benchmarks.model_speed import SpeedRow, run
from streamer.terminal.console import Terminal

COLUMNS = ("model", "side", "s per image", "speed-up", "peak MiB", "relative error", "IoU of masks")


def bench_models(
    segmenters: Sequence[str],
    depth_models: Sequence[str],
    repeats: int,
    threads: int,
    runtime: str = "auto",
    json: Path | None = None,
) -> None:
    """Measure, say each row when it is known, print the table, and write the figures."""
    terminal, here = Terminal(), machine()
    measured: list[SpeedRow] = []
    for row in run(segmenters, depth_models, repeats=repeats, threads=threads, runtime=runtime):
        measured.append(row)
        terminal.say("  ".join(_cells(row)))
    table = Table(*COLUMNS, title=f"best of {repeats}, {threads} threads", title_justify="left", box=None)
    for row in measured:
        table.add_row(*_cells(row))
    terminal.console.print(table)
    figures = {"repeats": repeats, "threads": threads, "runtime": runtime, "rows": [asdict(row) for row in measured]}
    write_figures(json, {"machine": here, **figures})


def _cells(row: SpeedRow) -> tuple[str, ...]:
    iou = "" if row.mask_iou is None else f"{row.mask_iou:.3f}"
    return (
        row.model,
        row.side,
        f"{row.seconds:.3f}",
        "" if row.speedup is None else f"{row.speedup:.2f}x",
        f"{row.peak_mib:.0f}",
        "" if row.relative_error is None else f"{row.relative_error:.1e}",
        iou,
    )
