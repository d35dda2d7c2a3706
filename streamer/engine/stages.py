"""The stages that a config asks for: every slow kind of model, and what compares their answers."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from streamer.config import Config
from streamer.depth.ground import Ground
from streamer.engine.models import Models
from streamer.geometry.known_camera import KnownCamera
from streamer.models.protocols import RememberingSegmenter
from streamer.stages.depth import DepthStage
from streamer.stages.detections import DetectionsStage
from streamer.stages.masks import ClicksStage, MasksStage
from streamer.stages.protocol import Stage
from streamer.tracking.parameters import TrackingParameters
from streamer.tracking.protocol import Tracker
from streamer.tracking.registry import build_tracker


class Built(NamedTuple):
    """What a pipeline is made of.

    Attributes:
        stages: All of them, in the order in which they answer.
        masks: The one that a person can speak to; None where masks are left out.
        depth: None where depth is left out.
    """

    stages: list[Stage]
    masks: MasksStage | None
    depth: DepthStage | None


def build_stages(
    config: Config, models: Models, tracking: TrackingParameters, camera: KnownCamera, deferred: bool, live: bool
) -> Built:
    """Every slow kind of model that the config lets in.

    Args:
        config: Says which.
        models: Of that config.
        tracking: Instead of the config's own.
        camera: What is known of the camera.
        deferred: Whether frames are taken before the models are there.
        live: Whether a person may say something at any time.
    """
    tracker = _tracker(config, models, tracking, deferred)
    depth = _depth(config, models, camera, deferred)
    if tracker is None:
        return Built([] if depth is None else [depth], None, depth)
    masks = MasksStage(
        tracker, config.schedule, tracking.max_objects, depth, tracking.max_age_s, keeps_looking=tracking.everything
    )
    stages: list[Stage] = [masks, ClicksStage(tracker)]
    if depth is not None:
        stages.append(depth)
    if live or config.text is not None:
        stages.append(_detections(config, models, masks))
    return Built(stages, masks, depth)


def _depth(config: Config, models: Models, camera: KnownCamera, deferred: bool) -> DepthStage | None:
    estimator = models.deferred_depth_estimator if deferred else models.depth_estimator
    if estimator is None:
        return None
    unit = (lambda: estimator.unit) if deferred else estimator.unit
    ground = Ground.of(config.camera)
    return DepthStage(lambda image: estimator.estimate(image), config.schedule, unit, camera, ground)


def _tracker(config: Config, models: Models, tracking: TrackingParameters, deferred: bool) -> Tracker[Any] | None:
    segmenter = models.deferred_segmenter if deferred else models.segmenter
    if segmenter is None:
        return None
    if tracking.everything:
        from streamer.models.everything import EverythingSegmenter

        segmenter = cast(RememberingSegmenter, EverythingSegmenter(segmenter, config.automatic))
    return build_tracker(segmenter, tracking, models.deferred_refiner if deferred else models.refiner)


def _detections(config: Config, models: Models, masks: MasksStage) -> DetectionsStage:
    """After the stage of the masks, since it compares what it finds with what is followed on the same frame."""
    detections = DetectionsStage(lambda: models.detector, masks, config.schedule, models.phrases_of)
    if config.text is not None:
        detections.look_for(config.text)
    return detections
