"""A ROS 2 node: follows things on an image topic, and publishes masks, depth, detections and points beside it.

    python examples/ros2_node.py --ros-args -r image:=/camera/color/image_raw -p points:="640,360 200,80"

It needs rclpy, sensor_msgs and vision_msgs (source /opt/ros/jazzy/setup.bash) and streamer in the same Python. Without
`points` it finds what to follow by itself; `config` is a preset or a file. It publishes what the MCAP file holds
(docs/robot-logs.md), on `~/detections` and so on, with the stamp and the frame of the image that it belongs to. What
nobody subscribes to is not even encoded; where the camera is faster than the program, the newest image wins.
"""

from __future__ import annotations

import threading
from array import array
from importlib import import_module
from typing import Any

import numpy as np
import rclpy
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

import streamer
from streamer.sinks.parameters import RobotLogParameters
from streamer.sinks.ros2.messages import Messages

CHANNELS = {"rgb8": (0, 1, 2), "bgr8": (2, 1, 0), "rgba8": (0, 1, 2, 3), "bgra8": (2, 1, 0, 3), "mono8": (0,)}
"""Where red, green and blue stand in a pixel, by the encoding of the image."""


class StreamerNode(Node):
    """Pushes images into a live run, and publishes its results."""

    def __init__(self) -> None:
        super().__init__("streamer")
        self._config = self.declare_parameter("config", "robot").value
        self._points = self.declare_parameter("points", "").value.split()
        self._source: streamer.Pushed | None = None
        self._live: streamer.Live | None = None
        self._topics: dict[str, Any] = {}
        self.create_subscription(Image, "image", self.take, qos_profile_sensor_data)

    def take(self, image: Any) -> None:
        """Take the next image; returns at once."""
        try:
            image_rgb = rgb_of(image)
            self._source = self._source or self._begin(image)
            stamp = image.header.stamp
            self._source.push(image_rgb, stamp_ns=stamp.sec * 10**9 + stamp.nanosec)
        except streamer.StreamerError as error:
            self.get_logger().error(str(error))

    def _begin(self, image: Any) -> streamer.Pushed:
        prompts = [streamer.Prompt([[float(number) for number in point.split(",")]]) for point in self._points]
        source = streamer.Pushed(size=(image.width, image.height), name="image")
        self._live = streamer.live(source, config=self._config, prompts=prompts, discover=not prompts)
        messages = Messages(RobotLogParameters(namespace="/image"), image.header.frame_id)
        threading.Thread(target=self._publish, args=(self._live, messages), daemon=True).start()
        return source

    def _publish(self, live: streamer.Live, messages: Messages) -> None:
        try:
            for result in live:
                for message in messages.of(result):
                    topic = self._topic(message.topic.replace("/image/", "~/", 1), message.type)
                    if topic is not None and topic.get_subscription_count():
                        topic.publish(filled(type_of(message.type)(), message.fields()))
        except streamer.StreamerError as error:
            self.get_logger().fatal(str(error))

    def _topic(self, name: str, kind: str) -> Any:
        """Its publisher; None where the package of the message is not installed."""
        if name not in self._topics:
            try:
                self._topics[name] = self.create_publisher(type_of(kind), name, 10)
            except ImportError:
                self.get_logger().warning(f"{name} is left out: there is no {kind} here")
                self._topics[name] = None
        return self._topics[name]

    def destroy_node(self) -> None:
        if self._live is not None:
            self._live.close()
        super().destroy_node()


def rgb_of(image: Any) -> NDArray[np.uint8]:
    """The pixels of a `sensor_msgs/Image`, ``(H, W, 3)`` RGB."""
    if image.encoding not in CHANNELS:
        raise streamer.SourceError(f"An image is {image.encoding}: it must be {', '.join(CHANNELS)}.")
    order = CHANNELS[image.encoding]
    rows = np.frombuffer(image.data, np.uint8).reshape(image.height, image.step)[:, : image.width * len(order)]
    pixels = rows.reshape(image.height, image.width, len(order))
    return np.ascontiguousarray(pixels[..., order[:3] if len(order) > 1 else (0, 0, 0)])


def type_of(name: str) -> Any:
    """The class of a message ("vision_msgs/msg/Detection2D", or without "msg")."""
    package, _, kind = name.replace("/msg/", "/").partition("/")
    return getattr(import_module(f"{package}.msg"), kind)


def filled(message: Any, fields: dict[str, Any]) -> Any:
    """A message of ROS with these fields."""
    for name, value in fields.items():
        if isinstance(value, dict):
            filled(getattr(message, name), value)
        elif isinstance(value, bytes):
            setattr(message, name, array("B", value))  # rclpy looks at every byte of anything else
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            kind = type_of(message.get_fields_and_field_types()[name].removeprefix("sequence<").removesuffix(">"))
            setattr(message, name, [filled(kind(), each) for each in value])
        else:
            setattr(message, name, value)
    return message


def main() -> None:
    rclpy.init()
    node = StreamerNode()
    try:
        rclpy.spin(node)
    except KeyboardInterrupt:
        pass
    finally:
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
