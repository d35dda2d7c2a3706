"""A network camera that dies and comes back, again and again."""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest

from streamer.sources.camera import CameraSource
from streamer.sources.reader import Producer
from tests.mjpeg_server import MjpegServer

TIMES = 20


def resident_mib():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096 / 2**20


def wait_for_frame(producer, limit_s=20.0):
    """Its index and time [s]."""
    end_s = time.monotonic() + limit_s
    while (frame := producer.get(0.05)) is None:
        assert time.monotonic() < end_s, f"no frame within {limit_s} s, the source is {producer.state}"
    return frame.index, frame.time_s


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory in use from /proc")
def test_a_camera_that_dies_is_back_every_time_and_nothing_piles_up():
    with MjpegServer(size=(320, 240)) as server:

        def connect():
            return CameraSource(server.url)

        frames, threads, memory_mib = [], [], []
        with Producer(connect(), live=True, reopen=connect, first_pause_s=0.02) as producer:
            for times in range(1, TIMES + 1):
                frames.append(wait_for_frame(producer))
                server.stop()
                server.start()
                end_s = time.monotonic() + 20
                while producer.reopened < times:
                    producer.get(0.05)
                    assert time.monotonic() < end_s, f"not back after death {times}: {producer.state}"
                threads.append(threading.active_count())
                memory_mib.append(resident_mib())
            frames.append(wait_for_frame(producer))
    assert producer.reopened == TIMES
    assert (np.diff(frames, axis=0) > 0).all()
    assert max(threads[-5:]) <= max(threads[:5])
    assert max(memory_mib[-5:]) < 1.02 * max(memory_mib[:5])
