"""What becomes an event of the live panel, with a clock that the test turns."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from streamer.commands.chronicle import Chronicle
from streamer.frame import Frame
from streamer.result import Result, State, Track
from streamer.sinks.background import BackgroundSink
from streamer.sinks.fanout import Fanout
from streamer.stats import Meter

IMAGE = np.zeros((4, 6, 3), np.uint8)


class Console:
    def __init__(self):
        self.events, self.summaries = [], []

    def event(self, kind, text=""):
        self.events.append((kind, text))

    def update(self, summary):
        self.summaries.append(summary)


class Sleepy:
    name = "slow.mp4"

    def write(self, result):
        pass

    def close(self):
        pass


@pytest.fixture
def stage():
    clock = SimpleNamespace(now_s=100.0)
    console, sinks = Console(), Fanout([], print)
    producer = SimpleNamespace(drops=Counter(), frames_read=0, reopened=0, state="running", silent_s=0.0)
    info = SimpleNamespace(name="camera 0")
    run = SimpleNamespace(producer=producer, meter=Meter(), pipeline=SimpleNamespace(queues=dict), info=info)
    chronicle = Chronicle(console, SimpleNamespace(paused=False), sinks, lambda: clock.now_s)
    return SimpleNamespace(clock=clock, console=console, sinks=sinks, run=run, chronicle=chronicle)


def result(index=0, state=State.TRACKED, keyframe=None):
    mask = np.ones((4, 6), bool)
    return Result(Frame(index, index / 30, IMAGE, 0.0), (Track(3, mask, (0, 0, 6, 4), 0.9, state),), keyframe=keyframe)


def test_drops_are_told_at_most_once_a_second(stage):
    for _ in range(30):
        stage.run.producer.drops["newer frame"] += 1
        stage.chronicle(stage.run, None)
        stage.clock.now_s += 0.125
    assert stage.console.events == [("drop", "1 frame"), *[("drop", "8 frames")] * 3]


def test_a_recording_that_drops_says_so_and_is_in_the_panel(stage):
    sink = BackgroundSink(Sleepy())
    sink.dropped = 3
    stage.sinks.add(sink)
    stage.chronicle(stage.run, None)
    stage.chronicle(stage.run, None)
    sink.close()
    assert stage.console.events == [("drop", "3 frames of slow.mp4: too slow to write")]
    assert stage.console.summaries[0]["frames"]["dropped"] == {"slow.mp4 too slow": 3}


def test_objects_that_go_and_come_back_and_unusual_keyframes(stage):
    for state in (State.TRACKED, State.LOST, State.LOST, State.TRACKED):
        stage.chronicle(stage.run, result(state=state))
    for reason in ("interval", "points lost", None):
        stage.chronicle(stage.run, result(keyframe=reason))
    assert stage.console.events == [("lost", "object 3"), ("found", "object 3"), ("keyframe", "points lost")]


def test_a_camera_that_stalls_and_comes_back(stage):
    producer = stage.run.producer
    for state, reopened in (("running", 0), ("stalled", 0), ("stalled", 0), ("reopening", 0), ("running", 1)):
        producer.state, producer.reopened, producer.silent_s = state, reopened, 2.1
        stage.chronicle(stage.run, None)
    assert stage.console.events == [("stalled", "no frame for 2 s"), ("reconnect", "camera 0")]
    assert not stage.console.summaries[-1]["stalled"]


def test_the_panel_is_fed_four_times_a_second_and_knows_the_rate_of_capture(stage):
    for _ in range(100):
        stage.run.producer.frames_read += 1
        stage.chronicle(stage.run, None)
        stage.clock.now_s += 1 / 30
    assert 12 <= len(stage.console.summaries) <= 14
    assert stage.console.summaries[-1]["capture_rate_hz"] == pytest.approx(30, rel=0.05)
