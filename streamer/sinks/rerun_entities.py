"""What of a result is logged to Rerun, and under which names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from streamer.data.camera_model import Provenance
from streamer.data.colors import color_of
from streamer.data.depth_unit import DepthUnit
from streamer.data.prompt import FOREGROUND
from streamer.data.result import Result
from streamer.data.track import Track
from streamer.sinks.depth_maps import STEPS, integers_of
from streamer.sinks.encoding import jpeg_of, png_of
from streamer.sinks.masks import labels_of
from streamer.sinks.parameters import RobotLogParameters
from streamer.sinks.ros2.messages import knows_space, name_of
from streamer.sinks.stamps import Stamps

if TYPE_CHECKING:
    from rerun import AsComponents, RecordingStream
    from rerun.blueprint import Blueprint

_CLEAR = 0, 0, 0, 0
_CLICK_PX = 4.0
_POSITION_M = 0.03
_GREEN, _RED = (74, 222, 128), (255, 82, 82)


class Entities:
    """Logs results, with a blueprint that shows them at once.

    ``camera`` is the image, what is drawn over it, and depth where it has meters; ``inverse_depth`` is relative depth,
    which lies outside of the camera because nothing may be placed in space by it.

    Args:
        parameters: How images are coded.
    """

    def __init__(self, parameters: RobotLogParameters) -> None:
        self._quality = parameters.jpeg_quality
        self._stamps = Stamps()
        self._names: dict[int, str] | None = None
        self._in_space = False

    def blueprint(self) -> Blueprint:
        """The camera with its masks on the left; depth, a view in space where there are meters, and figures beside."""
        from rerun import blueprint

        camera = blueprint.Spatial2DView(name="camera", origin="/camera", contents=["$origin/**", "- $origin/depth"])
        flat = blueprint.Spatial2DView(name="relative inverse depth", origin="/inverse_depth")
        space = [
            blueprint.Spatial2DView(name="depth", origin="/camera", contents=["$origin/depth"]),
            blueprint.Spatial3DView(name="space", origin="/", contents=["/camera/**", "- /camera/masks", "/positions"]),
        ]
        figures = blueprint.Tabs(
            blueprint.TimeSeriesView(name="latency [ms]", origin="/latency_ms"),
            blueprint.TimeSeriesView(name="age [s]", origin="/age_s"),
            blueprint.TimeSeriesView(name="score", origin="/score"),
        )
        beside = blueprint.Vertical(*(space if self._in_space else [flat]), figures)
        time = blueprint.TimePanel(timeline="capture", state="collapsed")
        return blueprint.Blueprint(blueprint.Horizontal(camera, beside, column_shares=[3, 2]), time)

    def log(self, recording: RecordingStream, result: Result) -> None:
        """Log what is known about one frame, at its number and the stamp of its capture.

        Raises:
            SinkError: An object's id does not fit into a mask image.
        """
        from rerun import Scalars

        recording.set_time("frame", sequence=result.index)
        recording.set_time("capture", timestamp=np.datetime64(self._stamps.of(result), "ns"))
        if not self._in_space and knows_space(result):
            self._in_space = True
            recording.send_blueprint(self.blueprint())
        for path, entity in self._camera(result):
            recording.log(path, entity)
        self._log_tracks(recording, result)
        for path, value in _figures(result):
            recording.log(path, Scalars(value))

    def _camera(self, result: Result) -> Iterator[tuple[str, AsComponents]]:
        import rerun

        if result.world_from_camera is not None:
            pose = result.world_from_camera
            yield "camera", rerun.Transform3D(translation=pose[:3, 3], mat3x3=pose[:3, :3])
        if (camera := result.camera) is not None and camera.provenance is not Provenance.ASSUMED:
            yield "camera", rerun.Pinhole(image_from_camera=camera.matrix, resolution=camera.size)
        yield (
            "camera/image",
            rerun.EncodedImage(contents=jpeg_of(result.frame.image_rgb, self._quality), media_type="image/jpeg"),
        )
        if (integers := integers_of(result)) is not None:
            metric = result.depth_unit is DepthUnit.METERS
            yield (
                "camera/depth" if metric else "inverse_depth",
                rerun.EncodedDepthImage(
                    png_of(integers),
                    media_type="image/png",
                    meter=float(STEPS),
                    colormap="turbo" if metric else "viridis",
                ),
            )

    def _log_tracks(self, recording: RecordingStream, result: Result) -> None:
        import rerun

        if "masks" not in result.stages and not result.tracks:
            return
        names = {track.id: name_of(track) for track in result.tracks}
        if names != self._names:
            self._names = names
            classes = [(object_id, name, color_of(object_id)) for object_id, name in names.items()]
            recording.log("/", rerun.AnnotationContext([(0, "", _CLEAR), *classes]))
        width = np.uint8 if max(names, default=0) <= np.iinfo(np.uint8).max else np.uint16
        recording.log("camera/masks", rerun.SegmentationImage(labels_of(result, np.dtype(width)), opacity=0.45))
        seen = [track for track in result.tracks if track.box_xyxy is not None]
        recording.log(
            "camera/boxes",
            rerun.Boxes2D(
                array=np.array([track.box_xyxy for track in seen], np.float32).reshape(-1, 4),
                array_format=rerun.Box2DFormat.XYXY,
                class_ids=[track.id for track in seen],
                labels=[f"{names[track.id]} {track.score:.2f}" for track in seen],
            ),
        )
        recording.log("camera/clicks", _clicks(result.tracks))
        if knows_space(result):
            recording.log("positions", _positions(result, names))


def _clicks(tracks: tuple[Track, ...]) -> AsComponents:
    from rerun import Points2D

    labels = np.concatenate([np.empty(0, np.int32), *(track.point_labels for track in tracks)])
    coords = np.concatenate([np.empty((0, 2), np.float32), *(track.point_coords for track in tracks)])
    return Points2D(coords, colors=[_GREEN if label == FOREGROUND else _RED for label in labels], radii=-_CLICK_PX)


def _positions(result: Result, names: dict[int, str]) -> AsComponents:
    """Where the objects are: in the world where the camera's pose is known, else seen from the camera [m]."""
    from rerun import Points3D

    placed = [(track.id, track.position_m) for track in result.tracks if track.position_m is not None]
    pose = np.eye(4) if result.world_from_camera is None else result.world_from_camera
    places = np.array([place for _, place in placed], float).reshape(-1, 3) @ pose[:3, :3].T + pose[:3, 3]
    ids = [object_id for object_id, _ in placed]
    return Points3D(places, class_ids=ids, labels=[names[object_id] for object_id in ids], radii=_POSITION_M)


def _figures(result: Result) -> Iterator[tuple[str, float]]:
    yield "latency_ms", result.latency_ms
    for name, status in result.stages.items():
        if status.age_s is not None:
            yield f"age_s/{name}", status.age_s
    for track in result.tracks:
        yield f"score/{track.id}", track.score
