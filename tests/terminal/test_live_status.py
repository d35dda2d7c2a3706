"""What the live panel is told."""

import threading
from types import SimpleNamespace

import numpy as np

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.data.track import State, Track
from streamer.engine import Run
from streamer.session import View
from streamer.sinks.background import BackgroundSink
from streamer.sinks.fanout import Fanout
from streamer.terminal.live_status import Chronicle
from streamer.terminal.telemetry import Meter
from streamer.ui.overlay import Style

IMAGE = np.zeros((4, 6, 3), np.uint8)


def result_of(index, state, keyframe=None):
    track = Track(7, np.zeros((4, 6), bool), None, 0.5, state)
    return Result(Frame(index, index / 10, IMAGE, 0.0), (track,), keyframe=keyframe, mask_age=2, depth_age=3)


class Setting:
    def __init__(self):
        self.events, self.summaries, self.now_s = [], [], 0.0
        console = SimpleNamespace(event=lambda *words: self.events.append(words), update=self.summaries.append)
        self.reader = SimpleNamespace(
            drops={}, reopened=0, state="running", silent_s=0.0, frames_read=0, info=SimpleNamespace(name="door")
        )
        self.run = Run(self.reader, SimpleNamespace(queues=lambda: {"depth": "busy"}), Meter("a device"))
        self.sinks = Fanout([], print)
        self.chronicle = Chronicle(console, View(Style()), self.sinks, clock=lambda: self.now_s)

    def tell(self, result=None):
        self.chronicle(self.run, result)


def test_objects_that_come_and_go_and_keyframes_are_events():
    setting = Setting()
    for index, state in enumerate([State.LOST, State.TRACKED, State.UNCERTAIN, State.LOST, State.LOST, State.TRACKED]):
        setting.tell(result_of(index, state, "trouble" if index == 2 else "interval"))
    assert setting.events == [
        ("found", "object 7"),
        ("keyframe", "trouble"),
        ("lost", "object 7"),
        ("found", "object 7"),
    ]


def test_what_happens_to_the_source_is_told_once():
    setting = Setting()
    reader = setting.reader
    reader.drops = {"newer frame": 2, "too old": 1}
    setting.tell()
    setting.tell()
    reader.state, reader.silent_s = "stalled", 3.0
    setting.tell()
    setting.tell()
    reader.state, reader.reopened = "running", 1
    setting.tell()
    assert setting.events == [("drop", "3 frames"), ("stalled", "no frame for 3 s"), ("reconnect", "door")]


def test_frames_that_an_output_could_not_take_are_told_and_counted():
    setting, ready, release = Setting(), threading.Event(), threading.Event()

    def slow(result):
        ready.set()
        release.wait(5)

    sink = BackgroundSink(SimpleNamespace(name="out.mp4", write=slow, close=lambda: None), queue_size=1, drop=True)
    setting.sinks.add(sink)
    sink.write(result_of(0, State.TRACKED))
    assert ready.wait(5)
    for index in (1, 2, 3):
        sink.write(result_of(index, State.TRACKED))
    setting.tell()
    setting.tell()
    release.set()
    setting.sinks.close()
    assert setting.events == [("drop", "2 frames of out.mp4: too slow to write")]
    assert setting.summaries[0]["frames"]["dropped"] == {"out.mp4 too slow": 2}


def test_the_summary_comes_a_few_times_a_second_with_the_rate_of_capture():
    setting = Setting()
    for index in range(41):
        setting.now_s, setting.reader.frames_read = index / 10, 3 * index
        setting.tell(result_of(index, State.TRACKED))
    assert 12 <= len(setting.summaries) <= 17
    last = setting.summaries[-1]
    assert abs(last["capture_rate_hz"] - 30) < 2
    assert (last["mask_age"], last["depth_age"], last["queues"]) == (2, 3, {"depth": "busy"})
    assert (last["paused"], last["stalled"], last["frames"]["read"]) == (False, False, last["frames"]["read"])
