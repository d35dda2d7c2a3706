"""The few calls of rclpy that the example node makes, and messages as strict as ROS 2's own, made by rosbags' types."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from streamer.sinks.ros2.definitions import definition_of

PACKAGES = ("sensor_msgs", "vision_msgs", "std_msgs", "geometry_msgs", "builtin_interfaces")
TYPES = get_typestore(Stores.ROS2_JAZZY)
for kind in ("LabelInfo", "Detection2DArray"):
    TYPES.register(get_types_from_msg(definition_of(f"vision_msgs/msg/{kind}"), f"vision_msgs/msg/{kind}"))
ZEROS = {"string": "", "bool": False, "float32": 0.0, "float64": 0.0}


class Message:
    """What rosidl makes of a definition: every field is there, and takes values of its own type only."""

    def __init__(self, name: str) -> None:
        self.__dict__["_fields"] = dict(TYPES.fielddefs[name][1])
        for field, (node, argument) in self._fields.items():
            self.__dict__[field] = default_of(node, argument)

    def __setattr__(self, field: str, value: Any) -> None:
        node, argument = self._fields[field]
        if node is Nodetype.BASE:
            wanted = type(ZEROS.get(argument[0], 0))
            assert type(value) is wanted, f"{field} must be {wanted}, but it is {value!r}"
        elif argument[0][1] == ("uint8", 0):
            assert isinstance(value, array), f"{field} would be looked at byte by byte"
            assert value.typecode == "B"
        elif node is Nodetype.ARRAY:
            assert len(value) == argument[1]
        self.__dict__[field] = value

    def get_fields_and_field_types(self) -> dict[str, str]:
        return {name: written(*field) for name, field in self._fields.items()}


def default_of(node: Nodetype, argument: Any) -> Any:
    if node is Nodetype.NAME:
        return Message(argument)
    if node is Nodetype.BASE:
        return ZEROS.get(argument[0], 0)
    return [0.0] * argument[1] if node is Nodetype.ARRAY else []


def written(node: Nodetype, argument: Any) -> str:
    """A type as rosidl writes it."""
    if node is Nodetype.NAME:
        return argument.replace("/msg/", "/")
    if node is Nodetype.BASE:
        return argument[0]
    inner = written(*argument[0])
    return f"sequence<{inner}>" if node is Nodetype.SEQUENCE else f"{inner}[{argument[1]}]"


class Publisher:
    def __init__(self, kind: Any, subscribed: bool) -> None:
        self.kind, self.subscribed = kind, subscribed
        self.sent: list[Any] = []

    def get_subscription_count(self) -> int:
        return int(self.subscribed)

    def publish(self, message: Any) -> None:
        self.sent.append(message)


class Node:
    """As rclpy's: it knows its parameters, and keeps what is published, by topic."""

    parameters: ClassVar[dict[str, Any]] = {}
    not_subscribed: ClassVar[set[str]] = set()

    def __init__(self, name: str) -> None:
        self.said: list[str] = []
        self.publishers_by_topic: dict[str, Publisher] = {}

    def declare_parameter(self, name: str, value: Any) -> Any:
        return SimpleNamespace(value=self.parameters.get(name, value))

    def create_subscription(self, kind: Any, topic: str, callback: Any, qos: Any) -> None:
        self.subscribed = topic, callback

    def create_publisher(self, kind: Any, topic: str, depth: int) -> Publisher:
        publisher = Publisher(kind, topic not in self.not_subscribed)
        self.publishers_by_topic[topic] = publisher
        return publisher

    def get_logger(self) -> Any:
        return SimpleNamespace(**dict.fromkeys(("error", "warning", "fatal"), self.said.append))

    def destroy_node(self) -> None:
        self.said.append("destroyed")


@contextmanager
def ros2() -> Iterator[None]:
    """Makes the packages importable inside the block."""
    modules = {
        "rclpy": ModuleType("rclpy"),
        "rclpy.node": SimpleNamespace(Node=Node),
        "rclpy.qos": SimpleNamespace(qos_profile_sensor_data="sensor data"),
        **{package: ModuleType(package) for package in PACKAGES},
    }
    for package in PACKAGES:
        names = [name for name in TYPES.fielddefs if name.startswith(f"{package}/msg/")]
        modules[f"{package}.msg"] = SimpleNamespace(**{name.split("/")[-1]: partial(Message, name) for name in names})
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
