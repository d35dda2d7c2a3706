"""From what the command line says of the camera to the config."""

from pathlib import Path

import pytest

from streamer.cli.camera_options import read_known_distances, with_camera
from streamer.config import Config
from streamer.errors import ConfigError, PromptError


def test_what_is_said_replaces_what_the_config_says():
    config = with_camera(Config(), None, 70.0)
    assert config.camera.fov_deg == 70
    replaced = with_camera(config, Path("camera.yaml"), None)
    assert (replaced.camera.intrinsics, replaced.camera.fov_deg) == (Path("camera.yaml"), None)
    assert with_camera(config, None, None) is config


def test_height_pitch_and_poses():
    config = with_camera(Config(), height_m=1.2, pitch_deg=0.0, poses=Path("t.txt"))
    assert (config.camera.height_m, config.camera.pitch_deg, config.camera.poses) == (1.2, 0, Path("t.txt"))
    assert with_camera(config, pitch_deg=5.0).camera.height_m == 1.2


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"height_m": 1.2}, "together only"),
        ({"pitch_deg": 1.2}, "together only"),
        ({"height_m": -1, "pitch_deg": 0}, "no height"),
        ({"height_m": 1, "pitch_deg": 100}, "no pitch"),
    ],
)
def test_what_says_too_little_is_explained(said, says):
    with pytest.raises(ConfigError, match=says):
        with_camera(Config(), **said)


def test_known_distances_are_along_the_ray():
    known = read_known_distances(["320,240=1.5", "10.5,20=3"])
    assert known.along_ray
    assert known.point_coords.tolist() == [[320, 240], [10.5, 20]]
    assert known.meters.tolist() == [1.5, 3]
    assert read_known_distances(None) is None


@pytest.mark.parametrize(
    ("texts", "says"),
    [(["1,2=3"], "two things or more"), (["1,2", "1,2=3"], "X,Y=METERS"), (["1,2=0", "1,2=3"], "above 0")],
)
def test_distances_that_cannot_be_meant_are_explained(texts, says):
    with pytest.raises(PromptError, match=says):
        read_known_distances(texts)


@pytest.mark.parametrize(("intrinsics", "fov", "says"), [(None, 0.0, "no field"), (Path("a"), 70.0, "leave one")])
def test_what_cannot_be_meant_is_explained(intrinsics, fov, says):
    with pytest.raises(ConfigError, match=says):
        with_camera(Config(), intrinsics, fov)
