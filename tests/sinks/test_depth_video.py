"""Depth comes back from the video as it went in, to the step of its 12 bits."""

import json
import os
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from streamer.data.depth_unit import DepthUnit
from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.data.source import SourceInfo
from streamer.errors import SinkError
from streamer.sinks.depth_video import DepthVideoSink, codes_of, meters_of

INFO = SourceInfo("dog", (64, 48), rate_hz=Fraction(30), time_base=Fraction(1, 30))
DEPTHS_M = [np.random.default_rng(seed).uniform(0.05, 9.5, (48, 64)).astype(np.float32) for seed in range(4)]


def result(index, depth_m, unit=DepthUnit.METERS):
    frame = Frame(index, index / 30, np.zeros((*depth_m.shape, 3), np.uint8), 0.0)
    return Result(frame, depth_map=1 / depth_m, depth_range=(0.1, 1.0), depth_unit=unit)


def read(path):
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        stream = container.streams.video[0]
        told = json.loads(container.metadata["DEPTH_QUANTIZATION"])
        return (stream.codec_context.name, stream.pix_fmt, told), frames


def test_it_comes_back_without_loss_at_its_own_times(tmp_path):
    sink = DepthVideoSink(tmp_path / "depth.mkv", INFO)
    for index, depth_m in enumerate(DEPTHS_M):
        sink.write(result(index if index < 2 else index + 3, depth_m))
    sink.close()
    (codec, pix_fmt, told), frames = read(tmp_path / "depth.mkv")
    assert (codec, pix_fmt) == ("hevc", "gray12le")
    assert told == {"depth_min": 0.01, "depth_max": 10.0, "shift": 3.5, "use_log": True, "unit": "m"}
    assert [float(frame.pts * frame.time_base) for frame in frames] == pytest.approx(
        [0, 1 / 30, 5 / 30, 6 / 30], abs=1e-3
    )
    for frame, depth_m in zip(frames, DEPTHS_M, strict=True):
        codes = frame.to_ndarray()
        np.testing.assert_array_equal(codes, codes_of(depth_m))
        assert np.abs(meters_of(codes) - depth_m).max() < 0.0025  # half a step at 10 m


def test_the_ends_of_the_range_are_its_ends():
    codes = codes_of(np.float32([0.001, 0.01, 10.0, 500.0]))
    assert codes.tolist() == [0, 0, 4095, 4095]
    np.testing.assert_allclose(meters_of(codes), [0.01, 0.01, 10, 10], rtol=1e-6)
    near, far = np.diff(meters_of(np.uint16([0, 1]))), np.diff(meters_of(np.uint16([4094, 4095])))
    assert near < far / 3


def test_relative_depth_is_left_out_and_told(tmp_path):
    sink = DepthVideoSink(tmp_path / "depth.mkv", INFO)
    sink.write(result(0, DEPTHS_M[0], DepthUnit.RELATIVE))
    sink.close()
    assert sink.warning.startswith("1 frames are not in --depth-video, because depth had no meters there")
    assert list(tmp_path.iterdir()) == []


def test_a_container_that_cannot_hold_it_is_refused(tmp_path):
    with pytest.raises(SinkError, match=r"end its name in \.mkv"):
        DepthVideoSink(tmp_path / "depth.mp4", INFO)


KILLED = """
import os, signal
from tests.sinks.test_depth_video import DEPTHS_M, INFO, DepthVideoSink, Path, result
sink = DepthVideoSink(Path("depth.mkv"), INFO)
for index in range(150):
    sink.write(result(index, DEPTHS_M[index % 4]))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing is killed like this here")
def test_a_killed_process_leaves_depth_that_opens(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=tmp_path, env=environment, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    (path,) = tmp_path.iterdir()
    assert path.name == "depth.partial.mkv"
    _, frames = read(path)
    assert len(frames) >= 60, "of five seconds the last two at most are lost"
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.to_ndarray(), codes_of(DEPTHS_M[index % 4]))
