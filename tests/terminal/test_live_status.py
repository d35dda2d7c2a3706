"""What the live panel is told."""

import threading
from types import SimpleNamespace

import numpy as np

from streamer.data.frame import Frame
from streamer.data.reason import Reason
from streamer.data.result import Result, StageStatus
from streamer.data.track import State, Track
from streamer.sinks.background import BackgroundSink
from streamer.terminal.live_status import LiveStatus
from streamer.terminal.report import live_rows, summary_rows
from streamer.terminal.telemetry import Meter

IMAGE = np.zeros((4, 6, 3), np.uint8)


def result_of(index, state, reason=None):
    stages = {"masks": StageStatus(reason, 2), "depth": StageStatus(age=3)}
    track = Track(7, np.zeros((4, 6), bool), None, 0.5, state)
    return Result(Frame(index, index / 10, IMAGE, 0.0), (track,), stages=stages)


class Setting:
    def __init__(self):
        self.events, self.summaries, self.now_s = [], [], 0.0
        console = SimpleNamespace(event=lambda *words: self.events.append(words), update=self.summaries.append)
        self.reader = SimpleNamespace(
            drops={}, reopened=0, state="running", silent_s=0.0, frames_read=0, info=SimpleNamespace(name="door")
        )
        self.meter, self.sinks, self.paused = Meter("a device"), [], False
        self.status = LiveStatus(console, clock=lambda: self.now_s)

    def queues(self):
        return {"depth": "busy"}

    def summary(self):
        return self.meter.summary(self.reader.frames_read, self.reader.drops, self.sinks)

    def tell(self, result=None):
        self.status(self, result)


def test_objects_that_come_and_go_and_keyframes_are_events():
    setting = Setting()
    for index, state in enumerate([State.LOST, State.TRACKED, State.UNCERTAIN, State.LOST, State.LOST, State.TRACKED]):
        setting.tell(result_of(index, state, Reason.AREA_JUMP if index == 2 else Reason.INTERVAL))
    assert setting.events == [
        ("found", "object 7"),
        ("run", "masks: area jump"),
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
    setting.sinks.append(sink)
    sink.write(result_of(0, State.TRACKED))
    assert ready.wait(5)
    for index in (1, 2, 3):
        sink.write(result_of(index, State.TRACKED))
    setting.tell()
    setting.tell()
    release.set()
    sink.close()
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
    assert (last["ages"], last["queues"]) == ({"masks": 2, "depth": 3}, {"depth": "busy"})
    assert (last["paused"], last["stalled"], last["frames"]["read"]) == (False, False, last["frames"]["read"])


def test_a_stage_that_nobody_has_heard_of_is_told_like_the_others():
    setting, frame = Setting(), Frame(0, 0.0, IMAGE, 0.0)
    stages = {"brightness": StageStatus(Reason.FIRST, 4)}
    result = Result(frame, stages=stages, values={"brightness": {"mean": 0.25}})
    setting.meter.add(result, 0.1)
    setting.tell(result)
    assert setting.events == [("run", "brightness: first")]
    (summary,) = setting.summaries
    rows = dict(live_rows(summary))
    assert rows["age"] == "brightness 4 frames mean 0.25"
    assert rows["last run"] == "brightness first (frame 0)"
    assert dict(summary_rows(summary))["brightness"] == "1 run (first 1)"


def test_models_that_starve_are_told_with_what_to_do_and_not_on_every_frame():
    setting = Setting()
    for index, age_s in enumerate([0.2, 6.0, 7.0]):
        stages = {"masks": StageStatus(None, index, age_s), "depth": StageStatus(None, 1, 0.1)}
        setting.tell(Result(Frame(index, index / 10, IMAGE, 0.0), stages=stages))
    ((kind, text),) = setting.events
    assert kind == "starving"
    assert text.startswith("masks is 6 s old: close other programs, lower schedule.model_nice")
    setting.now_s = 31
    setting.tell(Result(Frame(9, 0.9, IMAGE, 0.0), stages=stages))
    assert len(setting.events) == 2
