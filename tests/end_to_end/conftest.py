"""What the end-to-end tests share: the real command, in a process of its own or in this one, and a clip to give it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.videos import make_video

SIZE = 320, 240
TIMES_MS = [0, 40, 80, 200, 240, 273, 330, 400, 433, 500, 541, 600, 640, 700]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Clip:
    """A rendered video of variable rate with sound, and the truth about it."""

    path: Path
    images: list
    labels: np.ndarray
    box: str


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Clip:
    from streamer.data.mask import box_of
    from streamer.synthetic import SceneSource

    path = tmp_path_factory.mktemp("source") / "clip.mp4"
    scene = SceneSource(size=SIZE, frame_count=len(TIMES_MS), seed=0)
    images = [scene.read().image_rgb for _ in TIMES_MS]
    labels = scene.truth(0).labels
    largest = np.argmax(np.bincount(labels.ravel())[1:]) + 1
    make_video(path, len(TIMES_MS), size=SIZE, times_ms=TIMES_MS, audio=True, images=images)
    return Clip(path, images, labels, ",".join(f"{corner:g}" for corner in box_of(labels == largest)))


@pytest.fixture
def command(tmp_path) -> Callable[..., Ended]:
    """Runs ``python -m streamer`` to its end, in the test's own folder."""

    def run(*arguments: object, **environment: str) -> Ended:
        process = start(tmp_path, *arguments, **environment)
        out, err = process.communicate(timeout=300)
        return Ended(process.returncode, out, err)

    return run


@pytest.fixture
def inside(tmp_path, monkeypatch, capfd) -> Callable[..., Ended]:
    """Runs the command in this process, which has torch already: quicker, and the same in every other way."""
    from streamer.__main__ import main

    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["streamer", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return Ended(code if isinstance(code, int) else 0, *capfd.readouterr())

    return run


def start(folder: Path, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    """The command, running."""
    paths = [str(Path(__file__).parents[2]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return subprocess.Popen(
        [sys.executable, "-m", "streamer", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, paths))} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # no terminal, whoever runs the tests
    )


def wait_until(holds: Callable[[], object], limit_s: float = 120, what: str = "it") -> None:
    end_s = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end_s, f"{what} did not happen within {limit_s} s"
        time.sleep(0.02)


def frame_lines(text: str) -> list[dict[str, Any]]:
    """The JSON lines about frames; the line before them must be the header."""
    header, *lines = [json.loads(line) for line in text.splitlines() if line.endswith("}")] or [{"type": "header"}]
    assert header["type"] == "header"
    assert {line["type"] for line in lines} <= {"frame"}
    return lines


def frames_of(path: Path) -> tuple[list[float], list[np.ndarray]]:
    """Times [s] and pictures of a video."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [float(frame.pts * frame.time_base) for frame in frames], [
        frame.to_ndarray(format="rgb24") for frame in frames
    ]


def audio_packets_of(path: Path) -> list[tuple[float, bytes]]:
    """Times [s] and contents of the sound of a video."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        return [(float(packet.pts * packet.time_base), bytes(packet)) for packet in packets]


def names_in(folder: Path) -> list[str]:
    """Everything that lies below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
