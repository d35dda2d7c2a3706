"""The capture thread, driven step by step by a source that does what the test says."""

from __future__ import annotations

import gc
import itertools
import queue
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from streamer.data.frame import Frame
from streamer.data.source import SourceInfo
from streamer.errors import SourceError
from streamer.sources.arrays import ArraySource
from streamer.sources.camera import CameraSource
from streamer.sources.reader import NEWER_FRAME, PAUSED, TOO_OLD, Reader
from tests.mjpeg_server import MjpegServer

IMAGE = np.zeros((4, 6, 3), np.uint8)
SOON_S = 5.0  # never waited for in full, unless the test fails


class Clock:
    def __init__(self) -> None:
        self.now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


class ScriptedSource:
    """Reads what the test puts: a frame, an error to raise, or None for the end. Blocks when there is nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, size: tuple[int, int] = (6, 4)) -> None:
        self.info = SourceInfo("fake", size, live=True)
        self.damage: str | None = None
        self.remark: str | None = None
        self.closed = 0
        self.deaf = False
        self._clock = clock
        self._script: queue.Queue[Frame | BaseException | None] = queue.Queue()
        self._numbers = itertools.count()

    def give(self, count: int = 1) -> None:
        for index in itertools.islice(self._numbers, count):
            self._script.put(Frame(index, index / 10, IMAGE, self._clock()))

    def end(self) -> None:
        self._script.put(None)

    def fail(self, error: BaseException | None = None) -> None:
        self._script.put(error or SourceError("The camera stopped answering: plug it in."))

    def read(self) -> Frame | None:
        step = self._script.get()
        if isinstance(step, BaseException):
            raise step
        return step

    def close(self) -> None:
        self.closed += 1
        if not self.deaf:
            self.end()


def until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < deadline_s, "it never happened"
        time.sleep(0.001)


OTHERS: set[threading.Thread] = set()
"""Threads of other tests, which are none of ours."""


def threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name.startswith("streamer") and one not in OTHERS]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    OTHERS.update(threading.enumerate())
    yield
    until(lambda: not threads())


def test_a_file_is_handed_over_whole_and_in_order_however_slow_the_consumer() -> None:
    source = ScriptedSource()
    source.give(50)
    source.end()
    with Reader(source, live=False, queue_size=3) as frames:
        until(lambda: frames.frames_read == 3)
        time.sleep(0.005)
        assert frames.frames_read == 3  # reading waits for the consumer
        assert [frame.index for frame in frames] == list(range(50))
        assert frames.state == "ended"
        assert frames.get(0) is None
    assert not frames.drops
    assert source.closed


def test_live_the_newest_frame_wins_and_the_others_are_counted() -> None:
    source = ScriptedSource()
    with Reader(source, live=True) as frames:
        source.give(5)
        until(lambda: frames.frames_read == 5)
        newest = frames.get(SOON_S)
        assert newest is not None
        assert newest.index == 4
        assert frames.get(0) is None
        source.give()
        following = frames.get(SOON_S)
        assert following is not None
        assert following.index == 5
    assert frames.drops == {NEWER_FRAME: 4}


def test_a_frame_that_lay_too_long_is_never_passed_off_as_the_present() -> None:
    clock = Clock()
    source = ScriptedSource(clock)
    with Reader(source, live=True, clock=clock) as frames:
        source.give()
        until(lambda: frames.frames_read == 1)
        clock.now_s += 2.5
        assert frames.get(0) is None
        assert frames.state == "stalled"
        source.give()
        fresh = frames.get(SOON_S)
        assert fresh is not None
        assert fresh.index == 1
        assert frames.state == "running"
    assert frames.drops == {TOO_OLD: 1}


def test_the_last_frame_of_a_recording_waits_for_a_slow_start() -> None:
    clock = Clock()
    source = ScriptedSource(clock)
    source.give()
    source.end()
    with Reader(source, live=True, clock=clock) as frames:
        until(lambda: source.closed == 1)
        clock.now_s += 30
        assert [frame.index for frame in frames] == [0]


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("error", [SourceError("gone"), ZeroDivisionError("a fault in the source")])
def test_an_error_reaches_the_consumer_after_the_frames_before_it(live: bool, error: Exception) -> None:
    source = ScriptedSource()
    source.give()
    source.fail(error)
    taken = []
    with Reader(source, live) as frames:
        with pytest.raises(type(error), match=str(error)):
            taken.extend(frame.index for frame in iter(lambda: frames.get(SOON_S), "never"))
        assert frames.state == "ended"
        assert frames.get(0) is None
    assert source.closed


def test_a_stall_is_seen_without_waiting_for_it_and_passes() -> None:
    clock = Clock()
    source = ScriptedSource(clock)
    with Reader(source, live=True, clock=clock, stall_after_s=2) as frames:
        source.give()
        assert frames.get(SOON_S) is not None
        clock.now_s += 1.9
        assert (frames.state, frames.get(0)) == ("running", None)
        clock.now_s += 0.2
        assert (frames.state, frames.get(0)) == ("stalled", None)
        assert frames.silent_s == pytest.approx(2.1)
        source.give()
        assert frames.get(SOON_S) is not None
        assert frames.state == "running"


def test_while_paused_a_camera_goes_on_and_its_frames_count_as_dropped() -> None:
    source = ScriptedSource()
    with Reader(source, live=True) as frames:
        frames.pause()
        source.give(4)
        until(lambda: frames.frames_read == 4)
        frames.resume()
        newest = frames.get(SOON_S)
    assert newest is not None
    assert newest.index == 3
    assert frames.drops == {PAUSED: 3}


def test_while_paused_a_recording_waits_and_is_not_taken_for_stalled() -> None:
    clock = Clock()

    class Held(ScriptedSource):
        held = False

        def pause(self) -> None:
            self.held = True

        def resume(self) -> None:
            self.held = False

    source = Held(clock)
    with Reader(source, live=True, clock=clock) as frames:
        frames.pause()
        assert source.held
        clock.now_s += 60
        assert frames.state == "running"
        frames.resume()
        assert not source.held
        assert frames.state == "running"
        clock.now_s += 2.1
        assert frames.state == "stalled"


def test_slow_rates_are_no_stalls() -> None:
    clock = Clock()
    source = ArraySource([IMAGE] * 2, rate_hz=0.25)
    frames = Reader(source, live=True, clock=clock)
    clock.now_s += 11
    assert frames.state == "running"
    clock.now_s += 2
    assert frames.state == "stalled"
    frames.stop()


def test_a_camera_that_fails_is_reopened_and_numbers_and_times_go_on() -> None:
    clock = Clock()
    first, second = ScriptedSource(clock), ScriptedSource(clock)
    attempts: list[float] = []

    def reopen() -> ScriptedSource:
        attempts.append(clock.now_s)
        if len(attempts) < 4:
            raise SourceError("not yet")
        return second

    with Reader(first, live=True, clock=clock, reopen=reopen, first_pause_s=0.001) as frames:
        first.give(3)
        until(lambda: frames.frames_read == 3)
        assert frames.get(SOON_S).index == 2
        first.fail()
        until(lambda: frames.reopened == 1)
        assert (frames.state, len(attempts), first.closed) == ("running", 4, 1)
        clock.now_s += 1.5
        second.give(1)
        resumed = frames.get(SOON_S)
        second.give(1)
        following = frames.get(SOON_S)
    assert (resumed.index, resumed.time_s) == (3, pytest.approx(0.2 + 1.5))
    assert (following.index, following.time_s) == (4, pytest.approx(1.8))
    assert second.closed


def test_while_it_reopens_the_consumer_is_free_and_told() -> None:
    source, gate = ScriptedSource(), threading.Event()

    def reopen() -> ScriptedSource:
        gate.wait(SOON_S)
        return ScriptedSource()

    with Reader(source, live=True, reopen=reopen) as frames:
        source.fail()
        until(lambda: frames.state == "reopening")
        assert frames.get(0.001) is None
        gate.set()
        until(lambda: frames.state == "running")


def test_a_read_that_never_returns_is_left_behind_and_its_late_frame_unwanted() -> None:
    clock = Clock()
    hung, fresh = ScriptedSource(clock), ScriptedSource(clock)
    hung.deaf = True
    with Reader(hung, live=True, clock=clock, reopen=lambda: fresh) as frames:
        hung.give()
        assert frames.get(SOON_S).index == 0
        clock.now_s += 2.1
        assert frames.state == "stalled"
        assert frames.get(0) is None
        until(lambda: frames.reopened == 1)
        assert hung.closed >= 1
        hung.give()
        until(lambda: len(threads()) == 1)
        fresh.give()
        assert frames.get(SOON_S).index == 1
        assert frames.frames_read == 2


def test_pauses_double_until_a_frame_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = Reader(ScriptedSource(), live=True, first_pause_s=0.25, longest_pause_s=2)
    pauses = []
    for failures in range(6):
        frames._failures = failures
        pauses.append(frames._pause_s())
    assert pauses == [0, 0.25, 0.5, 1, 2, 2]
    frames.stop()


def test_a_camera_that_opens_but_gives_nothing_is_not_hammered() -> None:
    opened = []

    def reopen() -> ScriptedSource:
        opened.append(ScriptedSource())
        opened[-1].fail()
        return opened[-1]

    source = ScriptedSource()
    with Reader(source, live=True, reopen=reopen, first_pause_s=0.004, longest_pause_s=10) as frames:
        source.fail()
        until(lambda: len(opened) == 3)
        assert frames._failures >= 3
        assert frames._pause_s() >= 0.016


def test_a_camera_that_comes_back_at_another_size_ends_the_run() -> None:
    source, other = ScriptedSource(), ScriptedSource(size=(8, 4))
    with Reader(source, live=True, reopen=lambda: other) as frames:
        source.fail()
        with pytest.raises(SourceError, match="came back at 8x4 instead of 6x4"):
            list(frames)
    assert other.closed


def test_a_file_is_never_reopened() -> None:
    source = ScriptedSource()
    with Reader(source, live=False, reopen=lambda: pytest.fail("it was reopened")) as frames:
        source.fail()
        with pytest.raises(SourceError, match="stopped answering"):
            list(frames)


def test_stopping_wakes_the_consumer_and_a_waiting_reader() -> None:
    source = ScriptedSource()
    source.give(10)
    frames = Reader(source, live=False, queue_size=1)
    frames.start()
    until(lambda: frames.frames_read == 1)
    frames.stop()
    assert (frames.state, frames.get(SOON_S)) == ("ended", None)
    waiting = Reader(ScriptedSource(), live=True)
    waiting.start()
    consumer = threading.Thread(target=lambda: list(waiting))
    consumer.start()
    waiting.stop()
    waiting.stop()
    consumer.join(SOON_S)
    assert not consumer.is_alive()


def test_stopping_while_it_reopens_closes_what_is_opened_after_all() -> None:
    source, late, gate = ScriptedSource(), ScriptedSource(), threading.Event()

    def reopen() -> ScriptedSource:
        gate.wait(SOON_S)
        return late

    frames = Reader(source, live=True, reopen=reopen)
    frames.start()
    source.fail()
    until(lambda: frames.state == "reopening")
    frames.stop(timeout_s=0.001)
    gate.set()
    until(lambda: late.closed == 1)


def test_damage_is_told_by_the_source() -> None:
    source = ScriptedSource()
    source.damage = "The file is cut off."
    frames = Reader(source, live=False)
    assert frames.damage == "The file is cut off."
    frames.stop()


@pytest.mark.parametrize("live", [False, True])
def test_twenty_starts_and_stops_leave_no_thread_and_no_memory(live: bool) -> None:
    def cycle() -> None:
        source = ArraySource((np.zeros((240, 320, 3), np.uint8) for _ in range(1000)), rate_hz=30)
        with Reader(source, live) as frames:
            for _ in range(5):
                frames.get(SOON_S)

    cycle()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(20):
        cycle()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert not threads()
    assert grown < 240 * 320 * 3  # not even one frame


def test_a_network_camera_that_dies_and_comes_back_goes_on() -> None:
    with MjpegServer() as server:

        def open_camera() -> CameraSource:
            return CameraSource(server.url, open_timeout_s=2, read_timeout_s=0.5)

        with Reader(open_camera(), live=True, reopen=open_camera, first_pause_s=0.005) as frames:
            shown = [frames.get(SOON_S)]
            settled = threading.active_count()
            for round_number in range(1, 21):
                server.stop()
                until(lambda: frames.get(0) is None and frames.state == "reopening")
                server.start()
                until(lambda number=round_number: frames.reopened == number)
                shown.append(frames.get(SOON_S))
            assert threading.active_count() <= settled + 1  # a server's handler may be on its way out
    indices, times_s = zip(*((frame.index, frame.time_s) for frame in shown), strict=True)
    assert list(indices) == sorted(set(indices))
    assert list(times_s) == sorted(set(times_s))
    taken_s = shown[-1].captured_at_s - shown[0].captured_at_s
    assert times_s[-1] - times_s[0] == pytest.approx(taken_s, abs=0.01)
