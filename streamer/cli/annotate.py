"""``streamer annotate``."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli.camera_options import FieldOfView, Intrinsics, with_camera
from streamer.cli.options import (
    Boxes,
    ConfigName,
    DepthMaps,
    InitMask,
    Jsonl,
    Masks,
    NoDepth,
    NoMasks,
    Output,
    Overrides,
    Points,
    Show,
    Stats,
    VideoTrack,
    read_config,
    read_prompts,
)


def annotate(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="Videos, pictures, folders, patterns, addresses; - to pipe one."),
    ],
    points: Points = None,
    boxes: Boxes = None,
    init_mask: InitMask = None,
    output: Output = None,
    masks: Masks = None,
    depth_maps: DepthMaps = None,
    jsonl: Jsonl = None,
    stats: Stats = None,
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    no_depth: NoDepth = False,
    no_masks: NoMasks = False,
    show: Show = None,
    intrinsics: Intrinsics = None,
    fov: FieldOfView = None,
    video_track: VideoTrack = None,
) -> None:
    """Turn videos and pictures into annotated ones. Every frame is kept, with its time and the sound.

    Without a prompt, the objects are found on the first frame. Without -o, the result goes to recordings/.

        streamer annotate clip.mp4 --point 640,360 -o out.mp4
    """
    from streamer.batch.serial import AnnotateJob
    from streamer.batch.serial import annotate as run
    from streamer.engine import Engine
    from streamer.sinks.targets import FOLDER, Targets

    settings = with_camera(read_config(config, overrides, no_depth, no_masks, show), intrinsics, fov)
    targets = Targets(output, masks, depth_maps, jsonl, stats) or Targets(output=FOLDER)
    job = AnnotateJob(sources, read_prompts(points, boxes, init_mask), targets, bool(settings.show), video_track)
    with Engine(settings) as engine:
        raise typer.Exit(run(engine, job))
