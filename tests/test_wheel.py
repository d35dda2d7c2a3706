"""What a stranger gets: the wheel, built without a network and installed into an environment of its own."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import streamer

PROJECT = Path(__file__).parent.parent
EXAMPLES = sorted((PROJECT / "examples").glob("[0-9]*.py"))  # the node of ROS 2 needs what has no types


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built by the backend that `pyproject.toml` names."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=PROJECT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """The interpreter of a fresh environment with the wheel in it; its dependencies are borrowed from this one."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def test_everything_it_needs_is_inside(wheel):
    assert wheel.name == f"streamer-{streamer.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
    presets = {f"streamer/configs/{path.name}" for path in (PROJECT / "configs").glob("*.yaml")}
    assert len(presets) >= 4
    assert presets <= names
    tiny = PROJECT / "streamer" / "models" / "tiny"
    weights = {path.relative_to(PROJECT).as_posix() for path in tiny.rglob("*.safetensors")}
    assert len(weights) >= 6
    assert weights <= names
    page = {path.relative_to(PROJECT).as_posix() for path in (PROJECT / "streamer/ui/browser/page").iterdir()}
    assert len(page) >= 4
    assert page <= names
    assert {"streamer/py.typed", "streamer/models/tiny/MODEL_CARD.md"} <= names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert {name.split("/")[0] for name in names} == {"streamer", f"streamer-{streamer.__version__}.dist-info"}
    assert "License-Expression: Apache-2.0" in metadata
    assert "Project-URL" not in metadata


def test_it_says_its_version(python):
    program = python.with_name("streamer")
    assert run(program, "--version", cwd=python.parent) == f"streamer {streamer.__version__}\n"


def test_it_loads_its_own_models(python):
    code = "import streamer; e = streamer.load(); print(streamer.__file__, e.segmenter.name, e.depth_estimator.name)"
    place, *models = run(python, "-c", code, cwd=python.parent).split()
    assert Path(place).is_relative_to(python.parents[1])
    assert models == ["tiny", "tiny"]


def test_a_program_that_uses_it_passes_strict_types(python, tmp_path):
    """As a user checks it: no settings of this project, the package found where pip has put it."""
    for example in EXAMPLES:
        (tmp_path / f"user_{example.name}").write_text(example.read_text())
    (tmp_path / "wrong.py").write_text('import streamer\n\nstreamer.load("tiny").run("clip.mp4", live="yes")\n')
    mypy = (sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--python-executable", python)
    files = sorted(path.name for path in tmp_path.glob("*.py"))
    done = subprocess.run([*map(str, mypy), *files], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    (error, *_), summary = done.stdout.splitlines(), done.stdout.splitlines()[-1]
    assert error.startswith("wrong.py:"), done.stdout + done.stderr
    assert 'Argument "live" to "run" of "Engine" has incompatible type "str"' in error
    assert summary == f"Found 1 error in 1 file (checked {len(files)} source files)", done.stdout
