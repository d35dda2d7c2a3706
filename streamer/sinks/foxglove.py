"""Results live in Foxglove: a WebSocket server with the same topics and messages as the MCAP file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamer.data.result import Result
from streamer.errors import SinkError
from streamer.sinks.optional import require
from streamer.sinks.outputs import reason_of
from streamer.sinks.parameters import RobotLogParameters
from streamer.sinks.ros2.cdr import encode
from streamer.sinks.ros2.definitions import definition_of
from streamer.sinks.ros2.messages import Message, Messages

if TYPE_CHECKING:
    from foxglove import Channel

_BACKLOG = 64
"""Messages that wait for one client, some eight frames; the server drops the oldest for one that is slower."""


class FoxgloveSink:
    """Serves messages to whoever has subscribed to them; what nobody wants to see is not even encoded.

    Raises:
        SinkError: The library is missing, or the address is taken.
    """

    name = "foxglove"

    def __init__(self, parameters: RobotLogParameters) -> None:
        require("--foxglove")
        import foxglove

        host, port = parameters.foxglove_host, parameters.foxglove_port
        self._messages = Messages(parameters)
        self._context = foxglove.Context()
        self._channels: dict[str, Channel] = {}
        try:
            self._server = foxglove.start_server(
                name="streamer", host=host, port=port, context=self._context, message_backlog_size=_BACKLOG
            )
        except (RuntimeError, OSError) as error:
            raise SinkError(
                f"Foxglove cannot be served at {host}:{port} ({reason_of(error)}): choose another port, "
                "as in --set robot_logs.foxglove_port=8766."
            ) from None

    @property
    def port(self) -> int:
        """Where it listens; chosen by the system where the parameters say 0."""
        return self._server.port

    def write(self, result: Result) -> None:
        """Send what is known about one frame."""
        for message in self._messages.of(result):
            channel = self._channel(message)
            if channel.has_sinks():
                channel.log(encode(message), log_time=message.stamp_ns)

    def close(self) -> None:
        """End the server. May be called twice."""
        self._server.stop()

    def _channel(self, message: Message) -> Channel:
        if message.topic not in self._channels:
            import foxglove

            definition = definition_of(message.type).encode()
            schema = foxglove.Schema(name=message.type, encoding="ros2msg", data=definition)
            self._channels[message.topic] = foxglove.Channel(
                message.topic, schema=schema, message_encoding="cdr", context=self._context
            )
        return self._channels[message.topic]
