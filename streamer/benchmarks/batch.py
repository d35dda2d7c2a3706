"""``streamer bench batch``: many short clips by one `batch`, and by a shell loop over `annotate`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from streamer.benchmarks.clip import rendered_clip
from streamer.benchmarks.figures import machine, title_of, write_figures
from streamer.errors import ConfigError
from streamer.models.weights.cache import cache_folder
from streamer.terminal.console import Terminal

_RATE_HZ = 30


@dataclass(frozen=True, slots=True)
class BatchBench:
    """What to annotate, and how many at a time.

    Attributes:
        clips: How many clips.
        frames: Of each.
        jobs: Workers of the batch.
        size: (width, height) of the rendered clips [px].
        options: The config, as the commands take it.
        json: Where the figures go.
    """

    clips: int = 6
    frames: int = 60
    jobs: int = 2
    size: tuple[int, int] = (1280, 720)
    options: Sequence[str] = ()
    json: Path | None = None


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One way of doing all of them.

    Attributes:
        name: What was run.
        seconds: From beginning to end [s].
        processor_s: Time of all cores, that of other programs left out [s].
    """

    name: str
    seconds: float
    processor_s: float


def bench_batch(bench: BatchBench) -> int:
    """Do the same clips by `batch` and by one `annotate` after the other, print the table, write the figures.

    Returns:
        Exit code: 0.

    Raises:
        ConfigError: A command failed.
    """
    terminal, here = Terminal(), machine()
    clip = rendered_clip(cache_folder() / "bench", bench.size, _RATE_HZ, bench.frames, terminal.say)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = [folder / "clips" / f"{number}.mp4" for number in range(bench.clips)]
        sources[0].parent.mkdir()
        for source in sources:
            shutil.copy(clip.path, source)
        terminal.say("One batch, then one annotate after the other.")
        batch = ["batch", str(sources[0].parent), "-o", str(folder / "batch"), "--jobs", str(bench.jobs)]
        loop = [["annotate", str(source), "-o", str(folder / f"loop-{source.name}")] for source in sources]
        rows = [
            _timed(f"batch --jobs {bench.jobs}", [[*batch, *bench.options]]),
            _timed("shell loop over annotate", [[*command, *bench.options] for command in loop]),
        ]
    first, second = rows
    title = title_of(f"{bench.clips} clips of {bench.frames} frames", here)
    cells = [[row.name, f"{row.seconds:.1f}", f"{row.processor_s:.1f}"] for row in rows]
    terminal.table(title, ("", "s", "processor s"), cells)
    terminal.say(
        f"The loop takes {second.seconds / first.seconds:.2f} times as long and "
        f"{second.processor_s / first.processor_s:.2f} times the processor time."
    )
    figures: dict[str, Any] = {"machine": here, "clips": bench.clips, "frames": bench.frames, "jobs": bench.jobs}
    write_figures(bench.json, figures | {"rows": [asdict(row) for row in rows]})
    return 0


def _timed(name: str, commands: Sequence[Sequence[str]]) -> BatchRow:
    began_at_s, used_s = time.monotonic(), _children_s()
    for command in commands:
        ended = subprocess.run(
            [sys.executable, "-m", "streamer", *command], capture_output=True, text=True, check=False
        )
        if ended.returncode:
            raise ConfigError(f"`streamer {' '.join(command)}` failed: {ended.stderr.strip()}")
    return BatchRow(name, time.monotonic() - began_at_s, _children_s() - used_s)


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system
