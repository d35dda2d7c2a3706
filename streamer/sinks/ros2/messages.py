"""What is known about a frame as ROS 2 messages: plain dictionaries, field for field as the types define them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from streamer.data.result import Result
from streamer.data.track import Track
from streamer.sinks.depth_maps import integers_of
from streamer.sinks.masks import labels_of
from streamer.sinks.parameters import RobotLogParameters
from streamer.sinks.ros2.annotations import annotations_of
from streamer.sinks.ros2.camera_info import camera_info_of
from streamer.sinks.ros2.compressed_depth import FORMAT_16UC1, FORMAT_32FC1, encode_integers, encode_meters
from streamer.sinks.stamps import Stamps

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        topic: Where it is said, as in ``/camera/detections``.
        type: What it is, as in ``vision_msgs/msg/Detection2DArray``.
        stamp_ns: When its frame was taken, since the Unix epoch [ns].
        fields: The message itself: nested dictionaries, lists, numbers, strings and bytes.
    """

    topic: str
    type: str
    stamp_ns: int
    fields: Fields


class Messages:
    """Turns results into messages. A label image says which pixel belongs to which track; `LabelInfo` names them.

    Args:
        parameters: Names of topics, and how finely images are coded.
    """

    def __init__(self, parameters: RobotLogParameters) -> None:
        self._namespace = parameters.namespace.rstrip("/")
        self._frame_id = f"{self._namespace.strip('/').replace('/', '_')}_optical_frame"
        self._quality = [cv2.IMWRITE_JPEG_QUALITY, parameters.jpeg_quality]
        self._stamps = Stamps()
        self._names: dict[int, str] | None = None

    def of(self, result: Result) -> Iterator[Message]:
        """The messages about one frame, all with the stamp of its capture.

        Raises:
            SinkError: An object's id does not fit into a label image.
        """
        stamp_ns = self._stamps.of(result)
        stamp = time_of(stamp_ns)
        header: Fields = {"stamp": stamp, "frame_id": self._frame_id}

        def message(topic: str, kind: str, fields: Fields) -> Message:
            return Message(f"{self._namespace}/{topic}", kind, stamp_ns, {"header": header, **fields})

        yield message("image/compressed", "sensor_msgs/msg/CompressedImage", self._image(result))
        if result.camera is not None:
            yield message("camera_info", "sensor_msgs/msg/CameraInfo", camera_info_of(result.camera))
        if (depth := _depth(result)) is not None:
            topic = "depth" if result.depth_m is not None else "inverse_depth"
            yield message(f"{topic}/compressedDepth", "sensor_msgs/msg/CompressedImage", depth)
        if "masks" not in result.stages and not result.tracks:
            return
        names = {track.id: name_of(track) for track in result.tracks}
        if names != self._names:
            self._names = names
            classes = [{"class_id": object_id, "class_name": name} for object_id, name in names.items()]
            yield message("label_info", "vision_msgs/msg/LabelInfo", {"class_map": classes, "threshold": 0.0})
        yield message("labels", "sensor_msgs/msg/Image", _label_image(result))
        detections = [_detection(track, header) for track in result.tracks if track.box_xyxy is not None]
        yield message("detections", "vision_msgs/msg/Detection2DArray", {"detections": detections})
        drawn = annotations_of(result.tracks, stamp)
        yield Message(f"{self._namespace}/annotations", "foxglove_msgs/msg/ImageAnnotations", stamp_ns, drawn)

    def _image(self, result: Result) -> Fields:
        image_bgr = cv2.cvtColor(result.frame.image_rgb, cv2.COLOR_RGB2BGR)
        return {"format": "jpeg", "data": cv2.imencode(".jpg", image_bgr, self._quality)[1].tobytes()}


def time_of(stamp_ns: int) -> Fields:
    """A `builtin_interfaces/Time`."""
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    return {"sec": sec, "nanosec": nanosec}


def name_of(track: Track) -> str:
    """What a track is called where a name is needed: its label and number, since two of them may be dogs."""
    return f"{track.label or 'object'} {track.id}"


def _depth(result: Result) -> Fields | None:
    if result.depth_m is not None:
        return {"format": FORMAT_32FC1, "data": encode_meters(result.depth_m)}
    integers = integers_of(result)
    return None if integers is None else {"format": FORMAT_16UC1, "data": encode_integers(integers)}


def _label_image(result: Result) -> Fields:
    labels = labels_of(result, np.dtype("<u2"))
    height, width = labels.shape
    shape = {"height": height, "width": width, "step": 2 * width}
    return {**shape, "encoding": "mono16", "is_bigendian": 0, "data": labels.tobytes()}


def _detection(track: Track, header: Fields) -> Fields:
    """A `Detection2D`: who it is stands in its id, what it is in the hypothesis."""
    assert track.box_xyxy is not None
    x0, y0, x1, y1 = track.box_xyxy
    center = {"position": {"x": (x0 + x1) / 2, "y": (y0 + y1) / 2}, "theta": 0.0}
    hypothesis = {"class_id": track.label or "object", "score": float(track.score)}
    return {
        "header": header,
        "results": [{"hypothesis": hypothesis, "pose": _pose()}],
        "bbox": {"center": center, "size_x": x1 - x0, "size_y": y1 - y0},
        "id": str(track.id),
    }


def _pose() -> Fields:
    orientation = {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0}
    pose = {"position": {"x": 0.0, "y": 0.0, "z": 0.0}, "orientation": orientation}
    return {"pose": pose, "covariance": [-1.0, *[0.0] * 35]}
