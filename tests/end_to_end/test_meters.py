"""From two known distances on the command line to positions, points in space, and data sets that others read."""

from __future__ import annotations

import av
import numpy as np
import pytest
import trimesh
import yaml
from PIL import Image
from pycocotools.coco import COCO

from streamer.synthetic import SceneSource
from tests.end_to_end.conftest import SIZE, TIMES_MS, frame_lines, names_in

PLACES = [(160, 220), (290, 200), (60, 190), (160, 140)]  # on the meadow, near and far


@pytest.fixture(scope="module")
def scene():
    return SceneSource(size=SIZE, seed=0)


@pytest.fixture
def distances(scene):
    """What a tape measures on the first frame."""
    depth_m = 1 / scene.truth(0).inverse_depth
    lengths = np.linalg.norm(scene.info.camera.rays(PLACES), axis=1)
    return [f"{x},{y}={depth_m[y, x] * length:.2f}" for (x, y), length in zip(PLACES, lengths, strict=True)]


def test_everything_in_meters(inside, tmp_path, clip, scene, distances):
    Image.fromarray(clip.labels).save(tmp_path / "labels.png")
    np.savetxt(tmp_path / "path.txt", [[time_ms / 1000, 0, 0, 0, 0, 0, 0, 1] for time_ms in TIMES_MS])
    known = [word for distance in distances for word in ("--known-distance", distance)]
    files = ["--points", "points", "--depth-video", "depth.mkv", "--coco", "coco.json", "--yolo", "yolo"]
    camera = ["--fov", f"{scene.info.camera.fov_deg}", "--poses", "path.txt"]
    ended = inside("annotate", clip.path, "--init-mask", "labels.png", "--jsonl", "out.jsonl", *known, *files, *camera)
    assert ended.code == 0, ended.err
    lines = frame_lines((tmp_path / "out.jsonl").read_text())
    assert '"provenance":"fov"' in (tmp_path / "out.jsonl").read_text().splitlines()[0]
    assert all(line["depth_unit"] == "m" and 0 < line["depth_error"] < 0.3 for line in lines)
    nearest = max(lines[0]["objects"], key=lambda thing: thing["depth"]["now"] * -1)
    assert 2 < nearest["position_m"][2] < 7
    assert lines[0]["world_from_camera"] == np.eye(4).tolist()
    clouds = names_in(tmp_path / "points")
    assert "00000-object-1-world.ply" in clouds
    assert "object-1-world.ply" in clouds
    assert len(trimesh.load(tmp_path / "points" / "object-1-world.ply").vertices) > 50
    with av.open(str(tmp_path / "depth.mkv")) as container:
        assert len(list(container.decode(video=0))) == len(TIMES_MS)
    assert len(COCO(tmp_path / "coco.json").getImgIds()) == len(TIMES_MS)
    assert yaml.safe_load((tmp_path / "yolo" / "data.yaml").read_text())["names"] == {0: "object"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--points", "points"], "no meters to write to --points"),
        (["--no-masks", "--depth-video", "depth.mkv"], "no meters to write to --depth-video"),
        (["--known-distance", "5,5=2"], "two things or more"),
        (["--known-distance", "5,5=2", "--known-distance", "999,5=3"], "outside the frame"),
        (["--camera-height", "1.5"], "--camera-pitch"),
        (["--no-depth", "--points", "points"], "no depth to write to --points"),
        (["--intrinsics", "nowhere.yaml"], "nowhere.yaml cannot be read"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(inside, clip, arguments, says):
    ended = inside("annotate", clip.path, *arguments)
    assert ended.code == 2
    assert says in ended.err
    assert len(ended.err.strip().splitlines()) == 1
