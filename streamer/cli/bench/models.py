"""``streamer bench models``."""

from __future__ import annotations

from typing import Annotated

import typer


def bench_models(
    segmenters: Annotated[
        list[str] | None, typer.Option("--segmenter", metavar="NAME", help="tiny, vit_b, vit_l, vit_h; repeatable.")
    ] = None,
    depth_models: Annotated[
        list[str] | None, typer.Option("--depth", metavar="NAME", help="tiny or Intel/dpt-...; repeatable.")
    ] = None,
    repeats: Annotated[int, typer.Option(help="The best of so many images counts.", min=1)] = 3,
    threads: Annotated[int, typer.Option(help="Processor threads.", min=1)] = 2,
) -> None:
    """Time, memory and error of the models here, against upstream's as their READMEs use them."""
    from streamer.benchmarks.models import bench_models as run

    run(segmenters or ["tiny", "vit_b"], depth_models or ["tiny", "Intel/dpt-hybrid-midas"], repeats, threads)
