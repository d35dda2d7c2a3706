"""From the places where results are to go to the sinks that write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.data.result import Result
from streamer.data.source import IMAGE_SUFFIXES, SourceInfo
from streamer.sinks.background import BackgroundSink
from streamer.sinks.base import Sink, Writer
from streamer.sinks.newest import NewestSink
from streamer.sinks.parameters import RobotLogParameters, VideoParameters
from streamer.sinks.targets import Targets

Draw = Callable[[Result], NDArray[np.uint8]]
"""Makes the ``(H, W, 3)`` RGB picture of a result."""


def open_sinks(
    targets: Targets,
    info: SourceInfo,
    draw: Draw,
    video: VideoParameters,
    robot_logs: RobotLogParameters,
    drop: bool = False,
) -> list[Sink]:
    """Open what is to be written.

    Args:
        targets: Where, of this one source.
        info: The source; its timestamps, rate and audio are kept.
        draw: For pictures and videos.
        video: Quality and speed.
        robot_logs: Names and quality of what robots' tools are given.
        drop: Leave frames out rather than wait for a slow disk or encoder (live).
    """
    sinks: list[Sink] = []
    try:
        sinks.extend(_opened(targets, info, draw, video, robot_logs, drop))  # keeps those before the one that fails
    except BaseException:
        for sink in sinks:
            sink.close()
        raise
    return sinks


def _opened(
    targets: Targets,
    info: SourceInfo,
    draw: Draw,
    video: VideoParameters,
    robot_logs: RobotLogParameters,
    drop: bool,
) -> Iterator[Sink]:
    if targets.output is not None:
        yield _picture_or_video(targets.output, info, draw, video, drop)
    if targets.jsonl is not None:
        from streamer.sinks.jsonl import JsonlSink

        lines = JsonlSink(targets.jsonl, info, targets.masks_in_jsonl)
        yield NewestSink(lines) if drop and lines.is_pipe else BackgroundSink(lines, drop=drop)
    for writer in (*_pictures(targets, info), *_robot_logs(targets, robot_logs, drop)):
        yield BackgroundSink(writer, drop=drop)
    for writer in _data_sets(targets, info):
        yield BackgroundSink(writer, drop=drop, warning=partial(getattr, writer, "warning", None))


def _picture_or_video(path: Path, info: SourceInfo, draw: Draw, video: VideoParameters, drop: bool) -> Sink:
    from streamer.sinks.image import ImageSink

    if path.suffix.lower() in IMAGE_SUFFIXES:
        return BackgroundSink(ImageSink(path, draw))
    return video_sink(path, info, draw, video, drop)


def _pictures(targets: Targets, info: SourceInfo) -> Iterator[Writer]:
    """What is written of each frame for itself."""
    if targets.masks is not None:
        from streamer.sinks.masks import MaskSink

        yield MaskSink(targets.masks)
    if targets.depth_maps is not None:
        from streamer.sinks.depth_maps import DepthMapSink

        yield DepthMapSink(targets.depth_maps)
    if targets.results is not None:
        from streamer.sinks.results import ResultsSink

        yield ResultsSink(targets.results)
    if targets.cutout is not None:
        from streamer.sinks.cutout import CutoutSink

        yield CutoutSink(targets.cutout)
    if targets.matte is not None:
        from streamer.sinks.cutout import matte_sink

        yield matte_sink(targets.matte, info)


def _robot_logs(targets: Targets, parameters: RobotLogParameters, live: bool) -> Iterator[Writer]:
    if targets.mcap is not None:
        from streamer.sinks.mcap import McapSink

        yield McapSink(targets.mcap, parameters)
    if targets.rerun is not None:
        from streamer.sinks.rerun import RerunSink

        yield RerunSink(targets.rerun, parameters, endless=live)
    if "rerun" in targets.viewers:
        from streamer.sinks.rerun import RerunViewerSink

        yield RerunViewerSink(parameters)
    if "foxglove" in targets.viewers:
        from streamer.sinks.foxglove import FoxgloveSink

        yield FoxgloveSink(parameters)


def _data_sets(targets: Targets, info: SourceInfo) -> Iterator[Writer]:
    """What is written to be learnt from, or for other tools of the field."""
    if targets.points is not None:
        from streamer.sinks.points import PointSink

        yield PointSink(targets.points, targets.points_format)
    if targets.depth_video is not None:
        from streamer.sinks.depth_video import DepthVideoSink

        yield DepthVideoSink(targets.depth_video, info)
    if targets.coco is not None:
        from streamer.sinks.coco import CocoSink

        yield CocoSink(targets.coco, info)
    if targets.yolo is not None:
        from streamer.sinks.yolo import YoloSink

        yield YoloSink(targets.yolo)


def video_sink(
    path: Path,
    info: SourceInfo,
    draw: Draw,
    video: VideoParameters,
    drop: bool = False,
    start_s: float | None = 0.0,
) -> BackgroundSink:
    """A video of a source, HDR where that is kept, encoded in a thread of its own; ``start_s`` as in `VideoSink`."""
    from streamer.sinks.containers import hdr_container
    from streamer.sinks.lifting import lifted
    from streamer.sinks.video import VideoSink

    hdr = info.hdr
    writer = VideoSink(
        path,
        draw if hdr is None else lambda result: lifted(draw(result), result.frame, hdr),
        rate_hz=info.rate_hz,
        time_base=info.time_base,
        start_s=start_s,
        audio_from=None if drop else info.again or info.path or info.address,
        video_stream=info.video_stream,
        crf=video.crf,
        preset=video.preset,
        kind=None if hdr is None else hdr_container(path, hdr, video.crf, video.preset),
    )
    return BackgroundSink(writer, drop=drop, warning=lambda: writer.warning)
