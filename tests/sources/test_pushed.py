"""Frames that the caller's own code has."""

import threading
import time

import numpy as np
import pytest

from streamer.errors import SourceError
from streamer.sources.open import open_source
from streamer.sources.pushed import Pushed


def image(level=0, size=(6, 4)):
    return np.full((size[1], size[0], 3), level, np.uint8)


def test_the_newest_wins_and_its_index_tells_what_it_replaced():
    source = Pushed((6, 4), rate_hz=30)
    assert [source.push(image(level)) for level in (1, 2, 3)] == [0, 1, 2]
    frame = source.read()
    assert (frame.index, frame.image_rgb[0, 0, 0]) == (2, 3)
    assert (source.info.live, source.info.size, source.info.rate_hz) == (True, (6, 4), 30)


def test_a_stamp_comes_back_and_tells_how_old_the_frame_is():
    source = Pushed((6, 4))
    taken_ns = time.time_ns() - 500_000_000
    source.push(image(), stamp_ns=taken_ns)
    frame = source.read()
    assert (frame.stamp_ns, frame.stamp_origin) == (taken_ns, "pushed")
    assert time.monotonic() - frame.captured_at_s == pytest.approx(0.5, abs=0.4)
    source.push(image())
    frame = source.read()
    assert frame.stamp_origin == "arrival"
    assert time.time_ns() - frame.stamp_ns < 5e9


@pytest.mark.parametrize("clock_ns", [lambda: 0, lambda: 12_000_000_000, lambda: time.time_ns() + 10**12])
def test_a_stamp_of_another_clock_comes_back_but_is_not_taken_for_an_age(clock_ns):
    stamp_ns = clock_ns()
    source = Pushed((6, 4))
    source.push(image(), stamp_ns)
    frame = source.read()
    assert frame.stamp_ns == stamp_ns
    assert 0 <= time.monotonic() - frame.captured_at_s < 5


def test_whoever_pushed_may_reuse_the_array():
    source, mine = Pushed((6, 4)), image(1)
    source.push(mine)
    mine[:] = 9
    assert source.read().image_rgb.max() == 1


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (image(size=(4, 6)), r"\(6, 4, 3\) uint8"),
        (np.zeros((4, 6, 3), np.float32), r"\(4, 6, 3\) float32"),
        (np.zeros((4, 6), np.uint8), r"\(4, 6\) uint8"),
        ("a picture", "str"),
    ],
)
def test_what_is_no_image_of_that_size_is_refused_at_once(wrong, what):
    with pytest.raises(SourceError, match=rf"must be a \(4, 6, 3\) uint8 RGB array, but it is {what}"):
        Pushed((6, 4)).push(wrong)


def test_closing_ends_a_read_that_waits_and_refuses_what_comes_after():
    source, ended = Pushed((6, 4)), []
    reader = threading.Thread(target=lambda: ended.append(source.read()))
    reader.start()
    source.close()
    reader.join(5)
    assert ended == [None]
    with pytest.raises(SourceError, match="has been closed"):
        source.push(image())


def test_it_is_a_source_wherever_one_can_be_named():
    source = Pushed((6, 4))
    assert open_source(source, live=True) is source
    with pytest.raises(SourceError, match="takes no width"):
        open_source(source, live=True, width=3)
    with pytest.raises(SourceError, match=r"no frames of 0x4 pixels"):
        Pushed((0, 4))
