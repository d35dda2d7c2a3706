import json

import numpy as np

from streamer.benchmarks.objects import ObjectsBench, bench_objects, discs
from streamer.config import load


def test_what_objects_cost_is_measured_and_written(capsys, tmp_path):
    config = load("tiny", ["schedule.keyframe_interval=3"])
    bench_objects(config, ObjectsBench((1, 3), frames=7, size=(160, 96), json=tmp_path / "objects.json"))
    one, three = json.loads((tmp_path / "objects.json").read_text())["rows"]
    assert (one["objects"], three["objects"]) == (1, 3)
    assert one["keyframe_ms"] > 0
    assert one["frame_ms"] > 0
    assert three["draw_ms"] > 0
    assert three["followed"] > 0.9
    assert "1/1.0" in capsys.readouterr().out


def test_every_disc_has_a_place_of_its_own_on_every_frame():
    for _, labels in discs(12, 5, (320, 180)):
        areas = np.bincount(labels.ravel(), minlength=13)[1:]
        assert areas.min() > 0.9 * areas.max() > 0
