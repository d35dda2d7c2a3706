"""``streamer live``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.camera_options import (
    CameraHeight,
    CameraPitch,
    FieldOfView,
    Intrinsics,
    KnownDistances,
    PosesFile,
    read_known_distances,
    with_camera,
)
from streamer.cli.data_set_options import CloudFormat, Coco, DepthVideo, PointClouds, PointsFormat, Yolo
from streamer.cli.options import (
    HOW,
    WHAT,
    Boxes,
    ConfigName,
    DepthMaps,
    Everything,
    Foxglove,
    InitMask,
    Jsonl,
    Level,
    Masks,
    MasksInJsonl,
    Mcap,
    NoDepth,
    NoMasks,
    Output,
    Overrides,
    Points,
    Rerun,
    Show,
    Stats,
    read_config,
    read_masks_in_jsonl,
    read_viewers,
    with_everything,
)
from streamer.cli.prompts import read_prompts, say_understood
from streamer.cli.serve_option import Serve, Token
from streamer.cli.text_option import Text, with_text


def live(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SOURCE]...", help="Camera number (0), device, URL, file, or `scene`; or pictures."),
    ] = None,
    text: Text = None,
    points: Points = None,
    boxes: Boxes = None,
    init_mask: InitMask = None,
    mask_level: Level = None,
    everything: Everything = False,
    output: Output = None,
    masks: Masks = None,
    depth_maps: DepthMaps = None,
    jsonl: Jsonl = None,
    masks_in_jsonl: MasksInJsonl = "rle",
    stats: Stats = None,
    mcap: Mcap = None,
    rerun: Rerun = None,
    foxglove: Foxglove = False,
    points_folder: PointClouds = None,
    points_format: PointsFormat = CloudFormat.PLY,
    depth_video: DepthVideo = None,
    coco: Coco = None,
    yolo: Yolo = None,
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    no_depth: NoDepth = False,
    no_masks: NoMasks = False,
    show: Show = None,
    serve: Serve = None,
    token: Token = None,
    intrinsics: Intrinsics = None,
    fov: FieldOfView = None,
    known_distances: KnownDistances = None,
    camera_height: CameraHeight = None,
    camera_pitch: CameraPitch = None,
    poses: PosesFile = None,
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
    loop: Annotated[
        bool, typer.Option("--loop", metavar="", help="Play a recording again and again.", rich_help_panel=HOW)
    ] = False,
    prompts_file: Annotated[
        Path | None,
        typer.Option(
            "--prompts", metavar="FILE.yaml", help="What to follow; read again on SIGHUP.", rich_help_panel=WHAT
        ),
    ] = None,
    wait_for_source: Annotated[
        bool,
        typer.Option("--wait-for-source", metavar="", help="Wait for a camera that is not there.", rich_help_panel=HOW),
    ] = False,
    json_log: Annotated[
        bool, typer.Option("--json-log", metavar="", help="Messages as JSON, on stderr.", rich_help_panel=HOW)
    ] = False,
) -> None:
    """Show masks and depth on a camera, a stream, a file at its own rate, pictures, or the rendered `scene`.

    Click on things in the window; h shows the keys. A picture, and the last frame of a recording, stay on the screen
    until you quit; comma and period turn to the picture before and after.

        streamer live 0
        streamer live photo.jpg another.jpg
        streamer live rtsp://camera.local/stream -o watch.mp4 --no-show
        streamer live 0 --config robot --jsonl - | my-program
        streamer live 0 --serve                  # in a browser, also of a machine without a screen
    """
    from streamer.data.prompts_file import read_prompts_file
    from streamer.engine import Engine
    from streamer.session.live import CameraRequest, LiveJob
    from streamer.session.live import live as run
    from streamer.session.service import Service
    from streamer.session.serving import Serving
    from streamer.sinks.targets import Targets

    settings = with_everything(read_config(config, overrides, no_depth, no_masks, show, mask_level), everything)
    settings = with_camera(settings, intrinsics, fov, camera_height, camera_pitch, poses)
    settings = with_text(settings, text)
    lines = read_masks_in_jsonl(masks_in_jsonl)
    logs, files = (mcap, *read_viewers(rerun, foxglove)), (points_folder, depth_video, coco, yolo)
    targets = Targets(output, masks, depth_maps, jsonl, stats, *logs, *files, points_format.value, masks_in_jsonl=lines)
    prompts = read_prompts(points, boxes, init_mask)
    say_understood(prompts, points, boxes, aside=targets.take_stdout)
    camera, serving = CameraRequest(width, height, fps, source_fps), None if serve is None else Serving(serve, token)
    if prompts_file is not None:
        prompts += read_prompts_file(prompts_file)
    known, service = read_known_distances(known_distances), Service(wait_for_source, prompts_file, json_log)
    job = LiveJob(sources or ["0"], prompts, targets, camera, loop, serving, known, service)
    with Engine(settings) as engine:
        raise typer.Exit(run(engine, job))
