"""What is known best of the camera is believed, and what is only assumed says so."""

import pytest

from streamer.data.camera_model import CameraModel, Provenance
from streamer.errors import ConfigError
from streamer.geometry.known_camera import KnownCamera
from streamer.geometry.parameters import CameraParameters

OWN = CameraModel(640, 480, 500, 500, 320, 240)


@pytest.fixture
def intrinsics(tmp_path):
    path = tmp_path / "cameras.txt"
    path.write_text("1 PINHOLE 1280 960 1170 1170 640.5 480.5")
    return path


def test_the_file_counts_more_than_the_angle_than_the_source_than_the_model_than_nothing(intrinsics):
    read = KnownCamera(CameraParameters(intrinsics=intrinsics), OWN).at((640, 480))
    assert (read.fx, read.cx, read.provenance) == (585, pytest.approx(319.75), Provenance.GIVEN)
    angle = KnownCamera(CameraParameters(fov_deg=90), OWN).at((640, 480))
    assert (angle.fx, angle.provenance) == (pytest.approx(320), Provenance.FOV)
    assert KnownCamera(own=OWN, estimated_fov_deg=lambda: 70.0).at((640, 480)) == OWN
    assert KnownCamera(estimated_fov_deg=lambda: 70.0).at((640, 480)).provenance is Provenance.ESTIMATED
    assert KnownCamera().at((640, 480)) == CameraModel.assumed((640, 480))


def test_the_intrinsics_of_another_shape_are_refused(intrinsics):
    with pytest.raises(ConfigError, match="1280x960, but these are 1280x720"):
        KnownCamera(CameraParameters(intrinsics=intrinsics)).at((1280, 720))


def test_a_side_rounded_to_even_is_no_other_shape(intrinsics):
    assert KnownCamera(CameraParameters(intrinsics=intrinsics)).at((426, 320)).width == 426
