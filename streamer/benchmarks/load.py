"""``streamer bench load``: what is left of `annotate` and `live` on a machine that others use."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from streamer.benchmarks.clip import BenchClip, rendered_clip
from streamer.benchmarks.figures import machine, title_of, write_figures
from streamer.benchmarks.ways import Ways
from streamer.config import Config
from streamer.engine import Engine
from streamer.errors import ConfigError
from streamer.models.weights.cache import cache_folder
from streamer.terminal.console import Terminal
from streamer.terminal.stopping import INTERRUPTED, Stop

STAGES = ("masks", "depth")


@dataclass(frozen=True, slots=True)
class LoadBench:
    """What to run beside whom.

    Attributes:
        neighbors: How many other processes are busy in each row; the first row is what the others are compared with.
        frames: How many `annotate` does in each row.
        seconds: How long `live` plays in each row, from its first frame on [s].
        rate_hz, size: Rate and (width, height) [px] of the rendered scene.
        options: The config, for `live`, which runs as a command of its own.
        json: Where the figures go.
    """

    neighbors: Sequence[int] = (0, 1, 8)
    frames: int = 150
    seconds: float = 40.0
    rate_hz: int = 30
    size: tuple[int, int] = (1280, 720)
    options: Sequence[str] = ()
    json: Path | None = None


def bench_load(config: Config, bench: LoadBench) -> int:
    """Measure every row, print the tables, write the figures.

    Returns:
        Exit code: 0, or 130 when it was interrupted.
    """
    terminal = Terminal()
    length = max(bench.frames, round(bench.seconds * bench.rate_hz))
    clip = rendered_clip(cache_folder() / "bench", bench.size, bench.rate_hz, length, terminal.say)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, Stop() as stop, Engine(config) as engine:
        ways = Ways(engine.load(), clip, clip.prompts(), Path(folder), stop, bench.frames)
        for count in bench.neighbors:
            terminal.say(f"Beside {count} busy processes: annotate, then {bench.seconds:g} s of live.")
            with busy_processes(count):
                rows.append({"neighbors": count, "frame_s": ways.annotate().frame_s})
                rows[-1] |= live_figures(clip, bench)
            if stop.signalled:
                return INTERRUPTED
    here = machine()
    terminal.table(title_of(clip.path.name, here), _COLUMNS, [_cells(row, rows[0]) for row in rows])
    write_figures(bench.json, {"machine": here, "size": clip.size, "rate_hz": clip.rate_hz, "rows": rows})
    return 0


@contextmanager
def busy_processes(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many processes that each take whatever a core gives them, of the same priority as this one."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def live_figures(clip: BenchClip, bench: LoadBench) -> dict[str, Any]:
    """What `live` gives from its command on: a process of its own, whose JSON lines are read as they come.

    Raises:
        ConfigError: It gives nothing.
    """
    command = [sys.executable, "-m", "streamer", "live", str(clip.path), "--loop", "--no-show", "--jsonl", "-"]
    command += ["--masks-in-jsonl", "none", *bench.options]
    started_s = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            answers = Answers.of(process.stdout, lambda: time.monotonic() - started_s, bench.seconds)
        finally:
            process.kill()
    if not answers.frames_s:
        raise ConfigError(f"A live run gave no frame: see what `streamer {' '.join(command[3:])}` says.")
    return answers.figures()


@dataclass(slots=True)
class Answers:
    """When frames came out, and when what a model had found was first in one.

    Attributes:
        frames_s: Times of the frames, since the start of the command [s].
        found_s: By stage, times at which what is shown was found on a later frame than what was shown before [s].
    """

    frames_s: list[float] = field(default_factory=list)
    found_s: dict[str, list[float]] = field(default_factory=lambda: {stage: [] for stage in STAGES})

    @staticmethod
    def of(lines: Iterable[str], clock: Callable[[], float], seconds: float) -> Answers:
        """Those of JSON lines that are read as they are written, at the times of this clock [s], for so long [s]."""
        answers, ages_s = Answers(), dict.fromkeys(STAGES, float("inf"))
        for line in lines:
            frame = json.loads(line)
            if frame["type"] != "frame":
                continue
            answers.frames_s.append(clock())
            if answers.frames_s[-1] - answers.frames_s[0] > seconds:
                break
            for stage in STAGES:
                age_s = frame["stages"].get(stage, {}).get("age_s")
                if age_s is None:
                    continue
                if age_s < ages_s[stage]:
                    answers.found_s[stage].append(answers.frames_s[-1])
                ages_s[stage] = age_s
        return answers

    def figures(self) -> dict[str, Any]:
        """Ready for JSON: when each thing first came, and the longest time without anything new from then on [s]."""
        frames_s = self.frames_s or [0.0]
        figures: dict[str, Any] = {
            "live_hz": (len(frames_s) - 1) / max(frames_s[-1] - frames_s[0], 1e-9),
            "first_frame_s": self.frames_s[0] if self.frames_s else None,
        }
        for stage, times_s in self.found_s.items():
            gaps_s = [late - early for early, late in pairwise([*times_s, frames_s[-1]])]
            figures[stage] = {
                "first_s": times_s[0] if times_s else None,
                "count": len(times_s),
                "longest_gap_s": max(gaps_s, default=None),
            }
        return figures


_COLUMNS = (
    "busy",
    "annotate",
    "slower",
    "live",
    "first frame, masks, depth",
    "longest without masks, depth",
)


def _cells(row: dict[str, Any], alone: dict[str, Any]) -> list[str]:
    masks, depth = row["masks"], row["depth"]
    firsts = (row["first_frame_s"], masks["first_s"], depth["first_s"])
    return [
        str(row["neighbors"]),
        f"{1 / row['frame_s']:.1f} fps",
        f"{row['frame_s'] / alone['frame_s']:.2f}x",
        f"{row['live_hz']:.1f} fps",
        ", ".join(map(_seconds, firsts)),
        f"{_seconds(masks['longest_gap_s'])}, {_seconds(depth['longest_gap_s'])}",
    ]


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"
