"""Messages as the bytes that ROS 2 sends: CDR."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from streamer.sinks.ros2.definitions import definition_of
from streamer.sinks.ros2.messages import Message


def encode(message: Message) -> bytes:
    """The message as CDR, little-endian."""
    return _encoder_of(message.type)(message.fields())


@cache
def _encoder_of(kind: str) -> Callable[[Any], bytes]:
    # Not public there, where only its MCAP writer uses it; the package's minor version is pinned.
    from mcap_ros2._dynamic import serialize_dynamic

    return serialize_dynamic(kind, definition_of(kind))[kind]
