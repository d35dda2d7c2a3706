"""What a person is told while something is missing."""

import numpy as np
import pytest

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.data.track import State, Track
from streamer.ui.awaited import awaited

IMAGE = np.zeros((4, 6, 3), np.uint8)
MASK = np.ones((4, 6), bool)


def result(*boxes, depth=True):
    tracks = tuple(Track(1 + place, MASK, box, 0.5, State.TRACKED) for place, box in enumerate(boxes))
    return Result(Frame(0, 0.0, IMAGE, 0.0), tracks, np.ones((4, 6), np.float32) if depth else None)


BOX = (0, 0, 6, 4)
BUSY, IDLE = {"masks": "busy", "depth": "idle"}, {"masks": "idle", "depth": "idle"}


@pytest.mark.parametrize(
    ("shown", "queues", "reason", "silent_s", "says"),
    [
        (result(), BUSY, "discover", 1, "looking for objects"),
        (result(), BUSY, "held", 1, "looking at this frame"),
        (result(None), BUSY, "prompt", 1, "looking at this frame"),
        (result(), IDLE, "discover", 1, "nothing is followed: click on something"),
        (result(None), IDLE, "prompt", 1, ""),
        (result(BOX), BUSY, "interval", 1, ""),
        (result(BOX, depth=False), {"masks": "idle", "depth": "waiting"}, "interval", 1, "estimating depth"),
        (result(BOX, depth=False), {"masks": "idle"}, "interval", 1, ""),
        (result(depth=False), {"depth": "busy"}, None, 1, "estimating depth"),
        (result(BOX), BUSY, "interval", 36.4, "models starve: 36 s since the last answer"),
        (result(BOX), IDLE, "interval", 36.4, ""),
    ],
)
def test_what_is_missing_is_said(shown, queues, reason, silent_s, says):
    assert awaited(shown, queues, {"masks": reason} if reason else {}, silent_s) == says
