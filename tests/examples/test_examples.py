"""Every example runs as its first line says, without a network, and ends in order."""

import csv
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.robot_logs import read_back

EXAMPLES = Path(__file__).parents[2] / "examples"
SAYS = {
    "01_click.py": r"0\.967 s  tracked    score 0\.\d\d  box \(\d+\.0, ",
    "02_live.py": r"^frame \d+, \d+\.\d\d s: \d objects are tracked$",
    "03_depth.py": r"^     4      30  \d\.\d\d ",
    "04_own_sink.py": r"^wrote recordings/speeds.csv$",
    "05_position.py": r"^\d{19}  cup  x [+-]\d+\.\d\d  y [+-]\d+\.\d\d  z \d+\.\d\d m  within \d+%$",
    "06_point_cloud.py": r"^object 1: \d{3,} points, nearest \d\.\d\d m$",
    "07_follow_cup.py": r"^0\.967 s  tracked    x \+0\.8\d  y [+-]0\.0\d  z (5\.[5-9]|6\.[0-4])\d m$",
    "08_pushed.py": r"^stamp \d{19}: \d+ objects, the first at \(\d",
}
LIVE = {"02_live.py", "05_position.py", "08_pushed.py"}
"""They have threads: each is a process of its own, which must end. The others run in this one, which has torch."""
ELSEWHERE = {"ros2_node.py"}  # run by test_ros2_node.py


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Runs an example in the test's own folder and gives what it prints; stderr must stay empty."""
    monkeypatch.chdir(tmp_path)

    def run(name: str) -> str:
        if name in LIVE:
            done = subprocess.run([sys.executable, EXAMPLES / name], capture_output=True, text=True, timeout=300)
            assert (done.returncode, done.stderr) == (0, "")
            return done.stdout
        monkeypatch.setattr(sys, "argv", [name])
        capfd.readouterr()
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        out, err = capfd.readouterr()
        assert err == ""
        return out

    return run


def test_all_examples_are_run():
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*SAYS, *ELSEWHERE}


@pytest.mark.parametrize("name", sorted(SAYS))
def test_it_runs(name, run, tmp_path):
    assert re.search(SAYS[name], run(name), re.MULTILINE)
    if name == "04_own_sink.py":
        with (tmp_path / "recordings" / "speeds.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len({row["time_s"] for row in rows}) == 30
        assert any(float(row["speed_px_per_s"]) > 0 for row in rows)
    if name == "07_follow_cup.py":
        log = read_back(tmp_path / "cup.mcap")
        cups = [message.detections[0].results[0] for _, message in log["/camera/detections"]]
        assert len(cups) == 30
        assert {cup.hypothesis.class_id for cup in cups} == {"cup"}
        assert cups[-1].pose.pose.position.z == pytest.approx(5.94, rel=0.08)  # the scene's own truth
        assert {"/camera/points", "/camera/depth/compressedDepth", "/camera/camera_info"} <= set(log)
