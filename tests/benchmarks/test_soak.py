"""What a long run beside a dying camera is judged by, and the camera itself; the run takes minutes, and no test."""

from __future__ import annotations

import threading
from queue import Queue

import numpy as np
import pytest

from streamer.benchmarks.dying_stream import pictures, serve
from streamer.benchmarks.soak import Sample, SoakBench, _sample, faults_of
from streamer.sources.camera import CameraSource
from streamer.sources.reader import Reader

BENCH = SoakBench(minutes=10, life_s=20)


def samples_of(memory_mib=lambda at: 400, threads=lambda at: 6, files=lambda at: 10, gap_s=lambda at: 2.0, lives=30):
    return [
        Sample(at * 600 / lives, at, memory_mib(at / lives), threads(at / lives), files(at / lives), gap_s(at / lives))
        for at in range(lives + 1)
    ]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({}, None),
        ({"memory_mib": lambda at: 300 + 100 * min(4 * at, 1)}, None),  # the first quarter is its beginning
        ({"memory_mib": lambda at: 400 + 40 * at}, "Memory grew from 415 to 435 MiB"),
        ({"threads": lambda at: 6 + int(10 * at)}, "There were 10 threads, and then 16"),
        ({"files": lambda at: 10 + (at == 1)}, "There were 10 files, and then 11"),
        ({"gap_s": lambda at: 20.0 if at > 0.9 else 1.0}, "no frame for 20.0 s"),
        ({"lives": 12}, "found again 12 times"),
    ],
)
def test_whatever_grows_is_lost_or_stands_still_is_told(fault, says):
    faults = faults_of(samples_of(**fault), BENCH)
    assert (faults == []) if says is None else (says in faults[0]), faults


def test_a_run_that_is_too_short_says_so():
    assert "too short" in faults_of(samples_of(lives=1), SoakBench(minutes=0.1, life_s=60))[-1]


def test_what_the_process_holds_is_read():
    sample = _sample(1.0, 0, 0.5)
    assert sample.resident_mib > 30
    assert sample.threads == threading.active_count()
    assert sample.files > 2


def test_the_camera_dies_and_comes_back_at_the_same_address():
    ports: Queue[int] = Queue()
    jpegs = pictures((64, 48))[:20]
    threading.Thread(target=serve, args=(jpegs, 50, 1.0, ports.put, 2), daemon=True).start()
    url = f"http://127.0.0.1:{ports.get(timeout=10)}/camera.mjpg"
    with Reader(CameraSource(url), live=True, reopen=lambda: CameraSource(url), first_pause_s=0.05) as reader:
        shapes = set()
        while reader.reopened < 1:
            if (frame := reader.get(0.1)) is not None:
                shapes.add(np.shape(frame.image_rgb))
    assert shapes == {(48, 64, 3)}
