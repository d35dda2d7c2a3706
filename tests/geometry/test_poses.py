"""Where the camera was, from the files in which trajectories are written."""

import numpy as np
import pytest

from streamer.data.frame import Frame
from streamer.errors import ConfigError
from streamer.geometry.poses import read_poses

IMAGE = np.zeros((4, 4, 3), np.uint8)


def frame(index=0, time_s=0.0, **more):
    return Frame(index, time_s, IMAGE, 0.0, **more)


def turn_about_y(degrees):
    half = np.radians(degrees) / 2
    return f"0 {np.sin(half)} 0 {np.cos(half)}"


@pytest.fixture
def trajectory(tmp_path):
    path = tmp_path / "trajectory.txt"
    path.write_text(
        f"# timestamp tx ty tz qx qy qz qw\n0.0 0 0 0 {turn_about_y(0)}\n"
        f"0.4 1 0 2 {turn_about_y(90)}\n2.0 5 5 5 {turn_about_y(0)}\n"
    )
    return path


def test_between_two_poses_it_lies_in_between(trajectory):
    pose = read_poses(trajectory).at(frame(time_s=0.2))
    np.testing.assert_allclose(pose[:3, 3], (0.5, 0, 1))
    np.testing.assert_allclose(pose[:3, :3] @ (0, 0, 1), (np.sin(np.pi / 4), 0, np.cos(np.pi / 4)), atol=1e-9)
    np.testing.assert_allclose(pose[3], (0, 0, 0, 1))


def test_where_the_trajectory_is_silent_nothing_is_made_up(trajectory):
    poses = read_poses(trajectory)
    assert poses.at(frame(time_s=1.2)) is None  # 1.6 s between two poses
    assert poses.at(frame(time_s=2.5)) is None
    assert poses.at(frame(time_s=2.0)) is not None


def test_the_short_way_round_whatever_the_sign_of_the_quaternion(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("0 0 0 0 0 0 0 1\n0.2 0 0 0 0 -0.1 0 -0.995\n")
    pose = read_poses(path).at(frame(time_s=0.1))
    assert np.degrees(np.arccos((np.trace(pose[:3, :3]) - 1) / 2)) == pytest.approx(5.74, abs=0.01)


def test_wall_clock_times_meet_the_wall_clock_the_name_or_the_start(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("1305031102.1 7 0 0 0 0 0 1\n1305031102.3 9 0 0 0 0 0 1\n")
    poses = read_poses(path)
    assert poses.at(frame(stamp_ns=1305031102_200_000_000))[0, 3] == pytest.approx(8)
    assert poses.at(frame(stem="1305031102.300000"))[0, 3] == pytest.approx(9)
    assert poses.at(frame(time_s=0.1))[0, 3] == pytest.approx(8)


def test_a_folder_of_matrices_goes_by_name_or_by_number(tmp_path):
    for number in (200, 201):
        pose = np.eye(4)
        pose[0, 3] = number
        np.savetxt(tmp_path / f"frame-000{number}.pose.txt", pose)
    poses = read_poses(tmp_path)
    assert poses.at(frame(stem="frame-000201.color"))[0, 3] == 201
    assert poses.at(frame(stem="frame-000200"))[0, 3] == 200
    assert poses.at(frame(index=1))[0, 3] == 201
    assert poses.at(frame(index=2)) is None
    assert poses.at(frame(stem="other")) is None


def test_a_lost_frame_has_no_pose(tmp_path):
    np.savetxt(tmp_path / "a.pose.txt", np.full((4, 4), -np.inf))
    assert read_poses(tmp_path).at(frame()) is None


@pytest.mark.parametrize("text", ["1 2 3\n", "", "a b c\n", "0 0 0 0 0 0 0 0\n", "0 nan 0 0 0 0 0 1\n"])
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_what_is_no_trajectory_is_refused(tmp_path, text):
    (tmp_path / "t.txt").write_text(text)
    with pytest.raises(ConfigError, match="holds no poses"):
        read_poses(tmp_path / "t.txt")


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="check the path"):
        read_poses(tmp_path / "none.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no \*\.pose\.txt"):
        read_poses(tmp_path / "empty")
    (tmp_path / "a.pose.txt").write_text("1 2 3")
    with pytest.raises(ConfigError, match="no 4x4 matrix"):
        read_poses(tmp_path).at(frame(stem="a"))
