"""The options that whatever annotates a source has, recorded or live, and what is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
from streamer.cli.prompts import read_prompts
from streamer.cli.text_option import Text, with_text

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.data.known_depths import KnownDepths
    from streamer.data.prompt import Prompt
    from streamer.sinks.targets import Targets


class Wanted(NamedTuple):
    """What the options ask for: what is set, what to write, what to follow, and how far things are."""

    settings: Config
    targets: Targets
    prompts: list[Prompt]
    known_depths: KnownDepths | None


def read_wanted(
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
    intrinsics: Intrinsics = None,
    fov: FieldOfView = None,
    known_distances: KnownDistances = None,
    camera_height: CameraHeight = None,
    camera_pitch: CameraPitch = None,
    poses: PosesFile = None,
) -> Wanted:
    """What these options ask for.

    Raises:
        ConfigError: A preset, key or value does not exist or fit.
        PromptError: A prompt or a known distance is said wrongly.
    """
    from streamer.sinks.targets import Targets

    settings = with_everything(read_config(config, overrides, no_depth, no_masks, show, mask_level), everything)
    settings = with_camera(settings, intrinsics, fov, camera_height, camera_pitch, poses)
    settings = with_text(settings, text)
    lines = read_masks_in_jsonl(masks_in_jsonl)
    logs, files = (mcap, *read_viewers(rerun, foxglove)), (points_folder, depth_video, coco, yolo)
    targets = Targets(output, masks, depth_maps, jsonl, stats, *logs, *files, points_format.value, masks_in_jsonl=lines)
    prompts, known = read_prompts(points, boxes, init_mask), read_known_distances(known_distances)
    return Wanted(settings, targets, prompts, known)
