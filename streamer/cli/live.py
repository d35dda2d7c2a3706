"""``streamer live``."""

from __future__ import annotations

from typing import Annotated

import typer

from streamer.cli.camera_options import FieldOfView, Intrinsics, with_camera
from streamer.cli.options import (
    HOW,
    Boxes,
    ConfigName,
    DepthMaps,
    InitMask,
    Jsonl,
    Masks,
    Mcap,
    NoDepth,
    NoMasks,
    Output,
    Overrides,
    Points,
    Show,
    Stats,
    read_config,
    read_prompts,
)


def live(
    source: Annotated[
        str, typer.Argument(metavar="[SOURCE]", help="Camera number, device, URL, file, or `scene`.")
    ] = "0",
    points: Points = None,
    boxes: Boxes = None,
    init_mask: InitMask = None,
    output: Output = None,
    masks: Masks = None,
    depth_maps: DepthMaps = None,
    jsonl: Jsonl = None,
    stats: Stats = None,
    mcap: Mcap = None,
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    no_depth: NoDepth = False,
    no_masks: NoMasks = False,
    show: Show = None,
    intrinsics: Intrinsics = None,
    fov: FieldOfView = None,
    width: Annotated[
        int | None, typer.Option(help="Ask the camera for this width in pixels.", rich_help_panel=HOW)
    ] = None,
    height: Annotated[int | None, typer.Option(help="Ask the camera for this height.", rich_help_panel=HOW)] = None,
    fps: Annotated[
        float | None, typer.Option(help="Ask the camera for this frame rate in Hz.", rich_help_panel=HOW)
    ] = None,
    source_fps: Annotated[
        float | None, typer.Option(help="Play a file or the scene at this rate in Hz.", rich_help_panel=HOW)
    ] = None,
) -> None:
    """Show masks and depth on a camera, a stream, a file at its own rate, or the rendered `scene`.

    Click on things in the window; h shows the keys.

        streamer live 0
        streamer live rtsp://camera.local/stream -o watch.mp4 --no-show
        streamer live 0 --config robot --jsonl - | my-program
    """
    from streamer.engine import Engine
    from streamer.session.live import CameraRequest, LiveJob
    from streamer.session.live import live as run
    from streamer.sinks.targets import Targets

    settings = with_camera(read_config(config, overrides, no_depth, no_masks, show), intrinsics, fov)
    job = LiveJob(
        source,
        read_prompts(points, boxes, init_mask),
        Targets(output, masks, depth_maps, jsonl, stats, mcap),
        CameraRequest(width, height, fps, source_fps),
    )
    with Engine(settings) as engine:
        raise typer.Exit(run(engine, job))
