"""Options for what is written to be measured, learnt from, or opened by other tools of the field."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

DATA = "What to write for robots and data sets"


class CloudFormat(StrEnum):
    """Kinds of point cloud files."""

    PLY = "ply"
    GLB = "glb"


PointClouds = Annotated[
    Path | None,
    typer.Option(
        "--points", metavar="DIR", help="Each object on each keyframe as a point cloud in meters.", rich_help_panel=DATA
    ),
]
PointsFormat = Annotated[
    CloudFormat, typer.Option("--points-format", help="PLY, or GLB for viewers in browsers.", rich_help_panel=DATA)
]
DepthVideo = Annotated[
    Path | None,
    typer.Option(metavar="FILE.mkv", help="Lossless depth in meters, as LeRobot keeps it.", rich_help_panel=DATA),
]
Coco = Annotated[Path | None, typer.Option(metavar="FILE.json", help="Masks as a COCO data set.", rich_help_panel=DATA)]
Yolo = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Pictures and outlines as a YOLO data set.", rich_help_panel=DATA),
]
