"""What robots' tools are given by the real command, and what a killed one leaves to them."""

from __future__ import annotations

import time

import numpy as np
import pytest
from pycocotools import mask as coco

from tests.end_to_end.conftest import SIZE, TIMES_MS, frame_lines, names_in, start, wait_until
from tests.robot_logs import decoded_png, read_back
from tests.videos import make_video


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # pycocotools and NumPy 2
def test_a_video_becomes_ros_messages_that_say_what_the_json_lines_say(inside, clip, tmp_path):
    done = inside("annotate", clip.path, "--box", clip.box, "--mcap", "out.mcap", "--jsonl", "out.jsonl")
    assert (done.code, done.err) == (0, "")
    assert "wrote out.jsonl, out.mcap" in done.out
    log = read_back(tmp_path / "out.mcap")
    lines = frame_lines((tmp_path / "out.jsonl").read_text())
    stamps_ns = [stamp_ns for stamp_ns, _ in log["/camera/labels"]]
    assert np.subtract(stamps_ns, stamps_ns[0]) / 1e6 == pytest.approx(TIMES_MS, abs=0.01)
    for line, (_, labels), (_, detections) in zip(lines, log["/camera/labels"], log["/camera/detections"], strict=True):
        seen = [one for one in line["objects"] if one["box_xyxy"] is not None]
        assert [one.id for one in detections.detections] == [str(one["id"]) for one in seen]
        image = np.frombuffer(bytes(labels.data), "<u2").reshape(SIZE[::-1])
        for one in seen:
            assert np.array_equal(image == one["id"], coco.decode(one["mask"]).astype(bool))
    depths = log["/camera/inverse_depth/compressedDepth"]
    inside_mask = np.frombuffer(bytes(log["/camera/labels"][-1][1].data), "<u2").reshape(SIZE[::-1]) == 1
    median = np.median(decoded_png(depths[-1][1])[inside_mask]) / 1000
    assert median == pytest.approx(lines[-1]["objects"][0]["depth"]["now"], abs=2e-3)


def test_a_killed_run_leaves_logs_that_open(tmp_path):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (120, 160, 3), np.uint8) for _ in range(20)]
    make_video(tmp_path / "noise.mp4", 500, size=(160, 120), images=noise * 25)
    process = start(tmp_path, "live", "noise.mp4", "--no-show", "--no-masks", "--mcap", "out.mcap")

    def under_way():
        assert process.poll() is None, process.communicate()
        partial = tmp_path / "out.partial.mcap"
        return partial.exists() and partial.stat().st_size > 1_000_000

    wait_until(under_way, what="some chunks of the log")
    process.kill()
    process.communicate()
    assert names_in(tmp_path) == ["noise.mp4", "out.partial.mcap"]
    stamps_ns = [stamp_ns for stamp_ns, _ in read_back(tmp_path / "out.partial.mcap")["/camera/image/compressed"]]
    assert len(stamps_ns) > 2
    assert min(np.diff(stamps_ns)) > 0
    assert abs(time.time_ns() - stamps_ns[-1]) < 30e9
