"""``streamer annotate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

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
    Boxes,
    ConfigName,
    Cutout,
    DepthMaps,
    Everything,
    Follow,
    Foxglove,
    InitMask,
    Jsonl,
    Level,
    Masks,
    MasksInJsonl,
    Matte,
    Mcap,
    NoDepth,
    NoMasks,
    Output,
    Overrides,
    Points,
    Rerun,
    Show,
    Stats,
    VideoTrack,
    read_config,
    read_masks_in_jsonl,
    read_viewers,
    with_everything,
)
from streamer.cli.prompts import read_prompts, say_understood
from streamer.cli.signatures import with_options_of
from streamer.cli.text_option import Text, with_text

if TYPE_CHECKING:
    from streamer.batch.job import AnnotateJob
    from streamer.config import Config


def read_job(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="Videos, pictures, folders, patterns, addresses; - to pipe one."),
    ],
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
    cutout: Cutout = None,
    matte: Matte = None,
    config: ConfigName = "tiny",
    overrides: Overrides = None,
    no_depth: NoDepth = False,
    no_masks: NoMasks = False,
    show: Show = None,
    intrinsics: Intrinsics = None,
    fov: FieldOfView = None,
    known_distances: KnownDistances = None,
    camera_height: CameraHeight = None,
    camera_pitch: CameraPitch = None,
    poses: PosesFile = None,
    video_track: VideoTrack = None,
    follow: Follow = None,
) -> tuple[Config, AnnotateJob]:
    """The settings and the job that the options ask for.

    Raises:
        ConfigError: A preset, key or value does not exist or fit.
        PromptError: A prompt is said wrongly.
    """
    from streamer.batch.job import AnnotateJob
    from streamer.sinks.targets import FOLDER, Targets

    settings = with_everything(read_config(config, overrides, no_depth, no_masks, show, mask_level), everything)
    settings = with_camera(settings, intrinsics, fov, camera_height, camera_pitch, poses)
    settings = with_text(settings, text)
    lines = read_masks_in_jsonl(masks_in_jsonl)
    logs, files = (mcap, *read_viewers(rerun, foxglove)), (points_folder, depth_video, coco, yolo)
    targets = Targets(output, masks, depth_maps, jsonl, stats, *logs, *files, points_format.value, cutout, matte, lines)
    targets = targets or Targets(output=FOLDER)
    prompts, known = read_prompts(points, boxes, init_mask), read_known_distances(known_distances)
    return settings, AnnotateJob(sources, prompts, targets, bool(settings.show), video_track, known, follow)


@with_options_of(read_job)
def annotate(**options: Any) -> None:
    """Turn videos and pictures into annotated ones. Every frame is kept, with its time and the sound.

    Without a prompt, the objects are found on the first frame. Without -o, the result goes to recordings/.

        streamer annotate clip.mp4 --point 640,360 -o out.mp4
        streamer annotate photo.jpg --everything -o pictures/
    """
    from streamer.batch.pictures import PictureJob, pictures
    from streamer.batch.serial import annotate as run
    from streamer.engine import Engine
    from streamer.sources.open import kind_of

    settings, job = read_job(**options)
    say_understood(job.prompts, options["points"], options["boxes"], aside=job.targets.take_stdout)
    with Engine(settings) as engine:
        of_photos = options["everything"] and all(kind_of(source) == "image" for source in job.sources)
        raise typer.Exit(pictures(engine, PictureJob.of_everything(job)) if of_photos else run(engine, job))
