"""The ROS 2 node with a stub in the place of rclpy: an image goes in, messages of the right types come out."""

import runpy
from array import array
from pathlib import Path

import numpy as np
import pytest

import streamer
from streamer.data.mask import innermost_of
from streamer.synthetic import SceneSource
from tests.end_to_end.conftest import wait_until
from tests.examples import ros2_stub

NODE = Path(__file__).parents[2] / "examples" / "ros2_node.py"
STAMP_NS = 1_700_000_000_000_000_005


@pytest.fixture
def example():
    with ros2_stub.ros2():
        yield runpy.run_path(str(NODE))


def image_of(rgb: np.ndarray, encoding: str = "rgb8", stamp_ns: int = STAMP_NS, padding: int = 0) -> ros2_stub.Message:
    image = ros2_stub.Message("sensor_msgs/msg/Image")
    rows = np.pad(rgb.reshape(len(rgb), -1), ((0, 0), (0, padding)))
    image.encoding, image.height, image.width, image.step = encoding, *rgb.shape[:2], rows.shape[1]
    image.data = array("B", rows.tobytes())
    image.header.frame_id = "left_optical"
    image.header.stamp.sec, image.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    return image


def test_what_it_publishes_belongs_to_the_image(example, monkeypatch, tmp_path):
    (tmp_path / "masks.yaml").write_text("depth: null\nschedule:\n  model_nice: 0\n")
    streamer.load(tmp_path / "masks.yaml").close()  # torch is imported here rather than behind the frames
    scene = SceneSource(size=(320, 240), seed=0)
    image_rgb, labels = scene.read().image_rgb, scene.truth(0).labels
    x, y = map(int, innermost_of(labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1))
    parameters = {"points": f"{x},{y}", "config": str(tmp_path / "masks.yaml")}
    monkeypatch.setattr(ros2_stub.Node, "parameters", parameters)
    monkeypatch.setattr(ros2_stub.Node, "not_subscribed", {"~/image/compressed"})
    node = example["StreamerNode"]()
    topic, take = node.subscribed
    assert topic == "image"

    def found() -> object:
        take(image_of(image_rgb))
        labels = node.publishers_by_topic.get("~/labels")
        return labels and labels.sent and np.frombuffer(labels.sent[-1].data, "<u2").any()

    wait_until(found, what="a mask")
    node.destroy_node()
    sent = {topic: publisher.sent for topic, publisher in node.publishers_by_topic.items()}
    assert np.frombuffer(sent["~/labels"][-1].data, "<u2").reshape(240, 320)[y, x] == 1
    assert sent["~/detections"][-1].detections[0].id == "1"
    for messages in (sent["~/labels"], sent["~/detections"], sent["~/label_info"]):
        header = messages[-1].header
        assert (header.frame_id, header.stamp.sec, header.stamp.nanosec) == ("left_optical", 1_700_000_000, 5)
    assert sent["~/image/compressed"] == []  # nobody subscribes to it
    assert [word for word in node.said if "annotations" in word] == [
        "~/annotations is left out: there is no foxglove_msgs/msg/ImageAnnotations here"
    ]
    assert node.said[-1] == "destroyed"


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "rgba8", "bgra8", "mono8"])
def test_every_encoding_becomes_rgb(example, encoding):
    rgb = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    order = example["CHANNELS"][encoding]
    if encoding == "mono8":
        rgb[:] = rgb[..., :1]
        pixels = rgb[..., :1]
    else:
        pixels = np.dstack([rgb, np.full((2, 3), 255, np.uint8)])[..., np.argsort(order)]
    assert np.array_equal(example["rgb_of"](image_of(np.ascontiguousarray(pixels), encoding, padding=5)), rgb)


def test_an_image_that_it_cannot_read_is_said(example):
    node = example["StreamerNode"]()
    node.take(image_of(np.zeros((4, 4, 1), np.uint8), "bayer_rggb8"))
    assert node.said == ["An image is bayer_rggb8: it must be rgb8, bgr8, rgba8, bgra8, mono8."]
