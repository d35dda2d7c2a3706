"""From what the command line says of the camera to the config."""

from pathlib import Path

import pytest

from streamer.cli.camera_options import with_camera
from streamer.config import Config
from streamer.errors import ConfigError


def test_what_is_said_replaces_what_the_config_says():
    config = with_camera(Config(), None, 70.0)
    assert config.camera.fov_deg == 70
    replaced = with_camera(config, Path("camera.yaml"), None)
    assert (replaced.camera.intrinsics, replaced.camera.fov_deg) == (Path("camera.yaml"), None)
    assert with_camera(config, None, None) is config


@pytest.mark.parametrize(("intrinsics", "fov", "says"), [(None, 0.0, "no field"), (Path("a"), 70.0, "leave one")])
def test_what_cannot_be_meant_is_explained(intrinsics, fov, says):
    with pytest.raises(ConfigError, match=says):
        with_camera(Config(), intrinsics, fov)
