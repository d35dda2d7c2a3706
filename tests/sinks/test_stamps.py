import time

import numpy as np
import pytest

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.sinks.stamps import Stamps


def result(time_s, stamp_ns=None):
    return Result(Frame(0, time_s, np.zeros((1, 1, 3), np.uint8), 0.0, stamp_ns=stamp_ns))


def test_capture_is_told_as_it_is():
    assert Stamps().of(result(3.0, stamp_ns=123)) == 123


def test_a_recording_has_its_own_times_from_the_present_on():
    stamps = Stamps()
    first, later = stamps.of(result(0.0)), stamps.of(result(2.5))
    assert first / 1e9 == pytest.approx(time.time(), abs=60)
    assert later - first == 2_500_000_000
