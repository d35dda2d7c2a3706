"""What is known about a frame as ROS 2 messages: plain dictionaries, field for field as the types define them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from streamer.data.camera_model import Provenance
from streamer.data.depth_unit import DepthUnit
from streamer.data.result import Result
from streamer.data.track import Track
from streamer.sinks.depth_maps import integers_of
from streamer.sinks.encoding import jpeg_of
from streamer.sinks.masks import labels_of
from streamer.sinks.parameters import RobotLogParameters
from streamer.sinks.ros2.annotations import annotations_of
from streamer.sinks.ros2.camera_info import camera_info_of
from streamer.sinks.ros2.compressed_depth import FORMAT_16UC1, FORMAT_32FC1, encode_integers, encode_meters
from streamer.sinks.ros2.point_cloud2 import point_cloud2_of
from streamer.sinks.ros2.transforms import transform_of
from streamer.sinks.stamps import Stamps

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        topic: Where it is said, as in ``/camera/detections``.
        type: What it is, as in ``vision_msgs/msg/Detection2DArray``.
        stamp_ns: When its frame was taken, since the Unix epoch [ns].
        fields: Makes the message itself: nested dictionaries, lists, numbers, strings and bytes. What nobody listens
            to need not be made.
    """

    topic: str
    type: str
    stamp_ns: int
    fields: Callable[[], Fields]


class Messages:
    """Turns results into messages. A label image says which pixel belongs to which track; `LabelInfo` names them.

    Args:
        parameters: Names of topics, and how finely images are coded.
        frame_id: What the camera's optical frame is called; None for a name made of the topics'.
    """

    def __init__(self, parameters: RobotLogParameters, frame_id: str | None = None) -> None:
        self._namespace = parameters.namespace
        self._frame_id = frame_id or f"{parameters.namespace.strip('/').replace('/', '_')}_optical_frame"
        self._quality, self._points = parameters.jpeg_quality, parameters.points
        self._stamps = Stamps()

    def of(self, result: Result) -> Iterator[Message]:
        """The messages about one frame, all with the stamp of its capture."""
        stamp_ns = self._stamps.of(result)
        header: Fields = {"stamp": time_of(stamp_ns), "frame_id": self._frame_id}
        for topic, kind, make in self._made_of(result, header):
            yield Message(f"{self._namespace}/{topic}", kind, stamp_ns, make)
        if (pose := result.world_from_camera) is not None:
            yield Message("/tf", "tf2_msgs/msg/TFMessage", stamp_ns, partial(transform_of, pose, header))

    def _made_of(self, result: Result, header: Fields) -> Iterator[tuple[str, str, Callable[[], Fields]]]:
        def image() -> Fields:
            return {"header": header, "format": "jpeg", "data": jpeg_of(result.frame.image_rgb, self._quality)}

        yield "image/compressed", "sensor_msgs/msg/CompressedImage", image
        if (camera := result.camera) is not None:
            yield "camera_info", "sensor_msgs/msg/CameraInfo", lambda: {"header": header, **camera_info_of(camera)}
        if result.depth_map is not None:
            topic = "depth" if result.depth_unit is DepthUnit.METERS else "inverse_depth"
            yield f"{topic}/compressedDepth", "sensor_msgs/msg/CompressedImage", partial(_depth, result, header)
        if self._points and knows_space(result):
            most = self._points
            yield "points", "sensor_msgs/msg/PointCloud2", lambda: {"header": header, **point_cloud2_of(result, most)}
        if "masks" in result.stages or result.tracks:
            yield "label_info", "vision_msgs/msg/LabelInfo", partial(_label_info, result, header)
            yield "labels", "sensor_msgs/msg/Image", partial(_label_image, result, header)
            yield "detections", "vision_msgs/msg/Detection2DArray", partial(_detections, result, header)
            drawn = partial(annotations_of, result.tracks, header["stamp"])
            yield "annotations", "foxglove_msgs/msg/ImageAnnotations", drawn


def time_of(stamp_ns: int) -> Fields:
    """A `builtin_interfaces/Time`."""
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    return {"sec": sec, "nanosec": nanosec}


def knows_space(result: Result) -> bool:
    """Whether a pixel is a place in space: depth has meters, and the camera is known rather than assumed."""
    camera, metric = result.camera, result.depth_map is not None and result.depth_unit is DepthUnit.METERS
    return metric and camera is not None and camera.provenance is not Provenance.ASSUMED


def name_of(track: Track) -> str:
    """What a track is called where a name is needed: its label and number, since two of them may be dogs."""
    return f"{track.label or 'object'} {track.id}"


def _depth(result: Result, header: Fields) -> Fields:
    if result.depth_m is not None:
        return {"header": header, "format": FORMAT_32FC1, "data": encode_meters(result.depth_m)}
    integers = integers_of(result)
    assert integers is not None
    return {"header": header, "format": FORMAT_16UC1, "data": encode_integers(integers)}


def _label_info(result: Result, header: Fields) -> Fields:
    classes = [{"class_id": track.id, "class_name": name_of(track)} for track in result.tracks]
    return {"header": header, "class_map": classes, "threshold": 0.0}


def _label_image(result: Result, header: Fields) -> Fields:
    labels = labels_of(result, np.dtype("<u2"))
    height, width = labels.shape
    shape = {"height": height, "width": width, "step": 2 * width}
    return {"header": header, **shape, "encoding": "mono16", "is_bigendian": 0, "data": labels.tobytes()}


def _detections(result: Result, header: Fields) -> Fields:
    in_space = knows_space(result)
    seen = [_detection(track, header, in_space) for track in result.tracks if track.box_xyxy is not None]
    return {"header": header, "detections": seen}


def _detection(track: Track, header: Fields, in_space: bool) -> Fields:
    """A `Detection2D`: who it is stands in its id, what it is in the hypothesis, where it is in the pose."""
    assert track.box_xyxy is not None
    x0, y0, x1, y1 = track.box_xyxy
    center = {"position": {"x": (x0 + x1) / 2, "y": (y0 + y1) / 2}, "theta": 0.0}
    hypothesis = {"class_id": track.label or "object", "score": float(track.score)}
    return {
        "header": header,
        "results": [{"hypothesis": hypothesis, "pose": _pose(track, in_space)}],
        "bbox": {"center": center, "size_x": x1 - x0, "size_y": y1 - y0},
        "id": str(track.id),
    }


def _pose(track: Track, in_space: bool) -> Fields:
    """The position in camera coordinates, NaN where it is not known; no orientation.

    The covariance is that of the depth's error along the ray; -1 stands first where nobody knows it, as in ROS's own
    sensor messages.
    """
    place = np.array(track.position_m if in_space and track.position_m is not None else [np.nan] * 3)
    covariance = np.zeros((6, 6))
    if track.depth is not None and track.depth.error is not None and np.isfinite(place).all():
        covariance[:3, :3] = np.outer(place, place) * track.depth.error**2
    else:
        covariance[0, 0] = -1
    x, y, z = place.tolist()
    orientation = {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0}
    pose = {"position": {"x": x, "y": y, "z": z}, "orientation": orientation}
    return {"pose": pose, "covariance": covariance.ravel().tolist()}
