"""A network camera that dies and comes back, again and again."""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest

from streamer.sources.camera import CameraSource
from streamer.sources.reader import Reader
from tests.mjpeg_server import MjpegServer

TIMES = 20


def resident_mib():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096 / 2**20


def wait_for_frame(reader, limit_s=20.0):
    """Its index and time [s]."""
    end_s = time.monotonic() + limit_s
    while (frame := reader.get(0.05)) is None:
        assert time.monotonic() < end_s, f"no frame within {limit_s} s, the source is {reader.state}"
    return frame.index, frame.time_s


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory in use from /proc")
def test_a_camera_that_dies_is_back_every_time_and_nothing_piles_up():
    with MjpegServer(size=(320, 240)) as server:

        def connect():
            return CameraSource(server.url)

        frames, threads, memory_mib = [], [], []
        with Reader(connect(), live=True, reopen=connect, first_pause_s=0.02) as reader:
            for times in range(1, TIMES + 1):
                frames.append(wait_for_frame(reader))
                server.stop()
                server.start()
                end_s = time.monotonic() + 20
                while reader.reopened < times:
                    reader.get(0.05)
                    assert time.monotonic() < end_s, f"not back after death {times}: {reader.state}"
                threads.append(threading.active_count())
                memory_mib.append(resident_mib())
            frames.append(wait_for_frame(reader))
    assert reader.reopened == TIMES
    assert (np.diff(frames, axis=0) > 0).all()
    assert max(threads[-5:]) <= max(threads[:5])
    assert max(memory_mib[-5:]) < 1.02 * max(memory_mib[:5])
