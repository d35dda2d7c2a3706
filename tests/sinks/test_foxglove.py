"""The server for Foxglove, spoken to by a real client of its protocol on loopback."""

import json
import socket
import struct

import numpy as np
import pytest
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from websockets.sync.client import connect

from streamer.data.depth_unit import DepthUnit
from streamer.errors import SinkError
from streamer.sinks.foxglove import FoxgloveSink
from streamer.sinks.parameters import RobotLogParameters
from tests.going_on import going_on
from tests.robot_logs import HEIGHT, START_NS, WIDTH, decoded_png, result

MESSAGE_DATA = 1
ANY_PORT = RobotLogParameters(foxglove_port=0)


@pytest.fixture
def sink():
    sink = FoxgloveSink(ANY_PORT)
    yield sink
    sink.close()


def client_of(sink):
    return connect(f"ws://127.0.0.1:{sink.port}", subprotocols=["foxglove.sdk.v1"], max_size=None)


def channels_of(client, count):
    """What the server advertises, by topic."""
    found = {}
    while len(found) < count:
        said = json.loads(client.recv(timeout=20))
        if said["op"] == "advertise":
            found |= {channel["topic"]: channel for channel in said["channels"]}
    return found


def subscribe(client, *channels):
    wanted = [{"id": number, "channelId": channel["id"]} for number, channel in enumerate(channels)]
    client.send(json.dumps({"op": "subscribe", "subscriptions": wanted}))


def message_of(client, channels):
    """The next message: its topic, stamp, and what it says by the schema that the server sent."""
    while not isinstance(data := client.recv(timeout=20), bytes) or data[0] != MESSAGE_DATA:
        pass
    number, stamp_ns = struct.unpack("<IQ", data[1:13])
    channel = channels[number]
    assert (channel["encoding"], channel["schemaEncoding"]) == ("cdr", "ros2msg")
    types = get_typestore(Stores.EMPTY)
    types.register(get_types_from_msg(channel["schema"], channel["schemaName"]))
    return channel["topic"], stamp_ns, types.deserialize_cdr(data[13:], channel["schemaName"])


def writing(sink):
    """Results arrive one after the other, as in a run; a subscription takes its time."""
    return going_on(lambda index: sink.write(result(index)), every_s=0.02)


def test_a_client_sees_the_topics_of_the_mcap_file_and_gets_what_it_subscribes_to(sink):
    sink.write(result(0))
    with client_of(sink) as client:
        channels = channels_of(client, 6)
        assert {topic.removeprefix("/camera/") for topic in channels} == {
            *("image/compressed", "inverse_depth/compressedDepth", "label_info", "labels", "detections", "annotations")
        }
        wanted = [channels["/camera/labels"], channels["/camera/inverse_depth/compressedDepth"]]
        subscribe(client, *wanted)
        received = {}
        with writing(sink):
            while len(received) < 2:
                topic, *rest = message_of(client, wanted)
                received[topic] = rest
    stamp_ns, labels = received["/camera/labels"]
    index = (stamp_ns - START_NS) // 40_000_000
    image = np.frombuffer(bytes(labels.data), "<u2").reshape(HEIGHT, WIDTH)
    assert np.array_equal(image, result(index).tracks[0].mask * 3)
    _, depth = received["/camera/inverse_depth/compressedDepth"]
    assert np.array_equal(decoded_png(depth), np.rint(result(0).inverse_depth * 1000))


def test_what_nobody_subscribes_to_is_not_encoded(sink, monkeypatch):
    monkeypatch.setattr("streamer.sinks.foxglove.encode", lambda message: pytest.fail("it was encoded"))
    for index in range(5):
        sink.write(result(index, unit=DepthUnit.METERS))


def test_two_servers_of_one_process_do_not_mix(sink):
    other = FoxgloveSink(RobotLogParameters(foxglove_port=0, namespace="/other"))
    try:
        sink.write(result())
        other.write(result())
        with client_of(sink) as one, client_of(other) as two:
            assert all(topic.startswith("/camera/") for topic in channels_of(one, 6))
            assert all(topic.startswith("/other/") for topic in channels_of(two, 6))
    finally:
        other.close()


def test_an_address_that_is_taken_is_said_with_a_way_out():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SinkError, match=rf"served at 127\.0\.0\.1:{port} .*--set robot_logs\.foxglove_port"):
            FoxgloveSink(RobotLogParameters(foxglove_port=port))


def test_it_may_be_closed_twice(sink):
    sink.close()
    sink.close()
