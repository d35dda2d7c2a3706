"""The view in the browser: a real Chromium clicks on what the real command shows, on a machine without a screen."""

from __future__ import annotations

import json
import re
import urllib.request
from fractions import Fraction

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco

from streamer.synthetic.source import SceneSource
from tests.chromium import Page, chromium
from tests.delaying_proxy import DelayingProxy
from tests.end_to_end.conftest import start

RATE_HZ = 12
QUICK = ("--source-fps", RATE_HZ, "--no-depth", "--set", "tracking.max_objects=0")
WHERE_IT_IS = "(({ left, top, width }) => [left, top, width])(document.querySelector('canvas').getBoundingClientRect())"
NOTE_WHAT_IS_SENT = """
    window.sent = [];
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (text) { sent.push(JSON.parse(text)); return send.call(this, text); };
"""


@pytest.fixture
def serve(tmp_path):
    """Starts the command; returns the port once it says where it is."""
    chromium()  # skips before anything slow
    started = []

    def run(*arguments):
        process = start(
            tmp_path, "live", "scene", "--serve", "127.0.0.1:0", *arguments, DISPLAY="", PYTHONUNBUFFERED="1"
        )
        started.append(process)
        said = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
        assert found, said + process.stderr.read()
        return int(found.group(1))

    yield run
    for process in started:
        process.kill()
        process.communicate()


def place_to_click(scene, port):
    """(x, y) [px] that lies well inside one object of what is shown now and in the next second."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/snapshot.jpg", timeout=60) as answer:
        index = int(answer.headers["X-Frame-Id"])
    labels = [scene.truth(later).labels for later in range(index, index + RATE_HZ, 3)]
    stays = (np.stack(labels) == labels[0]).all(axis=0) & (labels[0] > 0)
    depth = cv2.distanceTransform(stays.astype(np.uint8), cv2.DIST_L2, 3)
    y, x = np.unravel_index(np.argmax(depth), depth.shape)
    return float(x), float(y)


def first_mask(port):
    """Index of the first frame with a mask of object 1, and that mask."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/results", timeout=60) as lines:
        for line in map(json.loads, lines):
            for one in line.get("objects", ()):
                mask = coco.decode(one["mask"]).astype(bool)
                if mask.any():
                    assert one["id"] == 1
                    return line["index"], mask
    raise AssertionError("the results ended")


def test_a_click_in_a_browser_far_away_makes_a_mask_of_what_was_under_it(serve, tmp_path):
    scene, port = SceneSource(rate_hz=Fraction(RATE_HZ), frame_count=None), serve(*QUICK)
    with DelayingProxy(port, delay_s=0.05) as way, Page(tmp_path / "browser") as page:
        page.open(f"http://127.0.0.1:{way.port}/")
        page.wait_for("document.querySelector('#state')?.dataset.state === 'live'", limit_s=150)
        page.evaluate(NOTE_WHAT_IS_SENT)
        left, top, width = page.evaluate(WHERE_IT_IS)
        scale = width / scene.info.size[0]
        x, y = place_to_click(scene, port)
        page.mouse(left + (x + 0.5) * scale, top + (y + 0.5) * scale)
        click = page.wait_for("sent.find((message) => message.type === 'click')")
        page.wait_for("document.querySelectorAll('#objects li').length === 1")
    assert click["label"] == 1
    assert abs(click["x"] - x) <= 1 / scale
    assert abs(click["y"] - y) <= 1 / scale
    clicked = scene.truth(click["frame_id"]).labels[round(click["y"]), round(click["x"])]
    assert clicked > 0
    index, mask = first_mask(port)
    truth = scene.truth(index).labels == clicked
    assert (mask & truth).sum() / mask.sum() > 0.8, "the mask lies on something else"
