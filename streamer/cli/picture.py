"""``streamer picture``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.options import (
    WHERE,
    Boxes,
    ConfigName,
    InitMask,
    NoDepth,
    NoMasks,
    Overrides,
    Points,
    read_config,
)
from streamer.cli.prompts import read_prompts, say_understood


def picture(
    photos: Annotated[list[str], typer.Argument(metavar="PHOTO...", help="Photos, folders of them, patterns.")],
    points: Points = None,
    boxes: Boxes = None,
    init_mask: InitMask = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="A folder.", rich_help_panel=WHERE)
    ] = None,
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    no_depth: NoDepth = False,
    no_masks: NoMasks = False,
) -> None:
    """Make pictures of photos: everything in them in colors, and their depth beside them.

    NAME-depth.png, and NAME-everything.png with its masks as NAME-everything.json (COCO) and NAME-labels.png (indexed).
    With --point or --box also NAME-mask.png, with the depth inside as a histogram there, in NAME-mask-depth.csv and
    NAME-mask-depth.json. Without -o they go to recordings/.

        streamer picture photo.jpg
        streamer picture photos/ -o pictures/
        streamer picture photo.jpg --point 640,360 --no-depth
    """
    from streamer.batch.pictures import PictureJob, pictures
    from streamer.engine import Engine
    from streamer.sinks.targets import FOLDER

    settings = read_config(config, overrides, no_depth, no_masks)
    prompts = read_prompts(points, boxes, init_mask)
    say_understood(prompts, points, boxes, aside=False)
    job = PictureJob(photos, output or FOLDER, prompts, everything=not no_masks, depth=not no_depth)
    with Engine(settings) as engine:
        raise typer.Exit(pictures(engine, job))
