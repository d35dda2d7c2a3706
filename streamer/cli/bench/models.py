"""``streamer bench models``."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli.options import Figures
from streamer.models.parameters import Runtime


def bench_models(
    segmenters: Annotated[
        list[str] | None, typer.Option("--segmenter", metavar="NAME", help="tiny, vit_b or another name; repeatable.")
    ] = None,
    depth_models: Annotated[
        list[str] | None,
        typer.Option("--depth", metavar="NAME", help="tiny, Intel/dpt-... or another name; repeatable."),
    ] = None,
    repeats: Annotated[int, typer.Option(help="The best of so many images counts.", min=1)] = 3,
    threads: Annotated[int, typer.Option(help="Processor threads.", min=1)] = 2,
    runtime: Annotated[
        Runtime, typer.Option(help="What the bundled models run through: auto, torch or openvino.")
    ] = "auto",
    json: Figures = None,
) -> None:
    """Time, memory and error of the models here, against upstream's as their READMEs use them."""
    from streamer.benchmarks.models import bench_models as run

    run(*_wanted(segmenters, depth_models), repeats, threads, runtime, json)


def _wanted(segmenters: list[str] | None, depth_models: list[str] | None) -> tuple[list[str], list[str]]:
    """What was asked for; a comparison of both kinds where nothing was."""
    if segmenters is None and depth_models is None:
        return ["tiny", "vit_b"], ["tiny", "Intel/dpt-hybrid-midas"]
    return segmenters or [], depth_models or []
