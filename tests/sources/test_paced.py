"""Recordings that are played like a camera, on a clock that the test turns."""

from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
import pytest

from streamer.errors import SourceError
from streamer.sources.arrays import ArraySource
from streamer.sources.paced import PacedSource


class Clock:
    """A clock that moves only when somebody waits."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.now_s += seconds


def images(count: int) -> ArraySource:
    return ArraySource([np.zeros((4, 6, 3), np.uint8)] * count, rate_hz=10)


def paced(source: ArraySource, clock: Clock, rate_hz: float | None = None) -> PacedSource:
    return PacedSource(source, rate_hz, clock=clock, wait=clock.wait)


def test_each_frame_comes_at_its_own_time() -> None:
    clock = Clock()
    source = paced(images(4), clock)
    frames = list(iter(source.read, None))
    assert [frame.captured_at_s for frame in frames] == pytest.approx([100, 100.1, 100.2, 100.3])
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert source.info.live
    assert all(frame.stamp_origin == "arrival" and frame.stamp_ns > 1e18 for frame in frames)


def test_another_rate_replaces_the_times_and_what_depends_on_them() -> None:
    clock = Clock()
    source = paced(images(3), clock, rate_hz=50)
    frames = list(iter(source.read, None))
    assert [frame.time_s for frame in frames] == pytest.approx([0, 0.02, 0.04])
    assert clock.now_s == pytest.approx(100.04)
    assert (source.info.rate_hz, source.info.time_base, source.info.path) == (Fraction(50), None, None)


def test_a_late_frame_does_not_shift_those_after_it() -> None:
    clock = Clock()
    source = paced(images(5), clock)
    arrivals = []
    for late_s in (0, 0.25, 0, 0, 0):
        clock.now_s += late_s
        frame = source.read()
        assert frame is not None
        arrivals.append(frame.captured_at_s)
    assert arrivals == pytest.approx([100, 100.25, 100.25, 100.3, 100.4])


def test_after_a_long_pause_playing_goes_on_from_there() -> None:
    clock = Clock()
    source = paced(images(4), clock)
    source.read()
    clock.now_s += 60
    arrivals = [frame.captured_at_s for frame in iter(source.read, None)]
    assert arrivals == pytest.approx([160, 160.1, 160.2])


def test_closing_ends_the_wait() -> None:
    source = PacedSource(images(2), rate_hz=0.001)
    source.read()
    ended = threading.Event()

    def read() -> None:
        assert source.read() is None
        ended.set()

    thread = threading.Thread(target=read)
    thread.start()
    source.close()
    thread.join(5)
    assert ended.is_set()


@pytest.mark.parametrize("rate_hz", [0, -1, 1e6, float("nan")])
def test_impossible_rates_are_refused(rate_hz: float) -> None:
    with pytest.raises(SourceError, match="no playing"):
        PacedSource(images(1), rate_hz)
    with pytest.raises(SourceError, match="no playing"):
        ArraySource([np.zeros((4, 6, 3), np.uint8)], rate_hz)


def test_the_first_frame_is_seen_before_its_time_and_read_all_the_same() -> None:
    clock = Clock()
    source = paced(images(2), clock)
    seen = source.peek()
    assert seen is not None
    assert source.peek() is seen
    clock.now_s += 60
    frames = list(iter(source.read, None))
    assert [frame.index for frame in frames] == [0, 1]
    assert [frame.captured_at_s for frame in frames] == pytest.approx([160, 160.1])
    assert frames[0].image_rgb is seen.image_rgb


def test_what_is_paused_goes_on_where_it_was() -> None:
    clock, source = Clock(), None

    def wait(seconds: float) -> None:
        clock.wait(seconds)
        if source.taken == 2 and not source.held:
            source.held = True
            source.pause()
            threading.Thread(target=resume).start()

    def resume() -> None:
        clock.now_s += 60
        source.resume()

    source = PacedSource(images(4), clock=clock, wait=wait)
    source.taken, source.held = 0, False
    arrivals = []
    while (frame := source.read()) is not None:
        source.taken += 1
        arrivals.append((frame.captured_at_s, frame.time_s))
    captured_at_s, time_s = zip(*arrivals, strict=True)
    assert captured_at_s == pytest.approx([100, 100.1, 160.2, 160.3])
    assert time_s == pytest.approx([0, 0.1, 0.2, 0.3])


def test_a_paused_source_can_be_closed() -> None:
    source = PacedSource(images(2))
    source.pause()
    reader = threading.Thread(target=source.read)
    reader.start()
    source.close()
    reader.join(5)
    assert not reader.is_alive()
