"""OpenCV on one thread."""

import cv2
import pytest

from streamer.benchmarks.one_thread import one_thread


def fail_on_one_thread():
    with one_thread():
        assert cv2.getNumThreads() == 1
        raise RuntimeError


def test_it_has_one_thread_and_then_as_many_as_before_whatever_happens():
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        with pytest.raises(RuntimeError):
            fail_on_one_thread()
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)
