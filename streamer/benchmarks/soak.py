"""``streamer bench soak``: whether a live run can be left alone with a camera that dies again and again."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from streamer.benchmarks.figures import machine, title_of, write_figures
from streamer.config import Config
from streamer.data.result import Result
from streamer.engine import Engine
from streamer.errors import StreamerError
from streamer.session.playback import Playback, style_of
from streamer.sinks.targets import Targets
from streamer.terminal.console import Terminal
from streamer.terminal.stopping import INTERRUPTED, Stop

_BACK_WITHIN_S = 10.0
"""From the last frame before a death to the next one after it; for a second of this nobody answers."""


@dataclass(frozen=True, slots=True)
class SoakBench:
    """How long, and what is too much.

    Attributes:
        minutes: How long the run lasts [min].
        life_s: After which its camera dies, again and again [s].
        size, rate_hz: Of the camera: (width, height) [px], and frames per second.
        growth: Of the resident memory, from the second quarter of the run to the last, beyond which it grows (a share).
        json: Where the figures go.
    """

    minutes: float = 30.0
    life_s: float = 60.0
    size: tuple[int, int] = (640, 360)
    rate_hz: float = 15.0
    growth: float = 0.03
    json: Path | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process holds in the middle of one of the camera's lives.

    Attributes:
        at_s: Since the run began [s].
        life: Which one; the first is 0.
        resident_mib: Memory [MiB].
        threads: Of Python.
        files: Open files and sockets.
        gap_s: Longest time without a frame since the sample before [s].
    """

    at_s: float
    life: int
    resident_mib: float
    threads: int
    files: int
    gap_s: float


def bench_soak(config: Config, bench: SoakBench) -> int:
    """Run, print a row for each life of the camera, and say what is wrong.

    Returns:
        Exit code: 0, 1 where something grew, was lost or stood still, or 130 when it was interrupted.

    Raises:
        StreamerError: There is nothing to read such figures from (Linux only).
    """
    if sys.platform != "linux":
        raise StreamerError("What a process holds is read from /proc, which only Linux has: run this there.")
    terminal = Terminal()
    with tempfile.TemporaryDirectory() as folder, dying_camera(bench) as url, Stop() as stop, Engine(config) as engine:
        terminal.say(f"{bench.minutes:g} minutes beside a camera that dies every {bench.life_s:g} s: {url}")
        samples = _run(engine, url, bench, Targets(jsonl=Path(folder) / "lines.jsonl"), stop, terminal)
        if stop.signalled:
            return INTERRUPTED
    here, faults = machine(), faults_of(samples, bench)
    terminal.table(title_of("soak", here), _COLUMNS, [_cells(sample) for sample in samples])
    write_figures(bench.json, {"machine": here, "samples": [asdict(one) for one in samples], "faults": faults})
    for fault in faults:
        terminal.warn(fault)
    if not faults:
        terminal.say("Nothing grew, no thread was lost, and every time the camera came back the run went on.")
    return int(bool(faults))


@contextmanager
def dying_camera(bench: SoakBench) -> Iterator[str]:
    """The address of such a camera, in a process of its own."""
    told = [*map(str, bench.size), str(bench.rate_hz), str(bench.life_s)]
    command = [sys.executable, "-m", "streamer.benchmarks.dying_stream", *told]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/camera.mjpg"
        finally:
            process.kill()


def _run(engine: Engine, url: str, bench: SoakBench, targets: Targets, stop: Stop, terminal: Terminal) -> list[Sample]:
    quiet = Terminal(Console(quiet=True), Console(quiet=True))
    samples: list[Sample] = []
    with engine.open(url, live=True) as run:
        start_s = frame_s = time.monotonic()
        gap_s, sampled = 0.0, -1

        def watch(playback: Playback, result: Result | None) -> None:
            nonlocal frame_s, gap_s, sampled
            now_s, life = time.monotonic(), playback.reader.reopened
            gap_s = max(gap_s, now_s - frame_s)
            if result is not None:
                frame_s = now_s
            if result is not None and life > sampled:
                samples.append(_sample(now_s - start_s, life, gap_s))
                terminal.say(", ".join(_cells(samples[-1])))
                sampled, gap_s = life, 0.0
            playback.view.quit = now_s - start_s >= 60 * bench.minutes

        Playback(run, style_of(engine), stop, quiet, targets=targets, live=True, report=watch).play()
        samples.append(_sample(time.monotonic() - start_s, run.reader.reopened, gap_s))
    return samples


def _sample(at_s: float, life: int, gap_s: float) -> Sample:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    files = len(os.listdir("/proc/self/fd"))
    return Sample(at_s, life, pages * os.sysconf("SC_PAGE_SIZE") / 2**20, threading.active_count(), files, gap_s)


def faults_of(samples: Sequence[Sample], bench: SoakBench) -> list[str]:
    """What is wrong with a run, in sentences; the first quarter of it may still grow."""
    end_s = samples[-1].at_s
    quarters = [[one for one in samples if place <= 4 * one.at_s / end_s < place + 1] for place in (1, 2, 3)]
    early, late = quarters[0], [*quarters[2], samples[-1]]
    least = int(60 * bench.minutes / (bench.life_s + _BACK_WITHIN_S))
    faults = []
    if samples[-1].life < least:
        faults.append(
            f"The camera was found again {samples[-1].life} times, but should have been at least {least} times."
        )
    if (gap_s := max(one.gap_s for one in samples[1:])) > _BACK_WITHIN_S:
        faults.append(f"There was no frame for {gap_s:.1f} s; {_BACK_WITHIN_S:g} s are expected at most.")
    if not early:
        return [*faults, "The run was too short to tell whether anything grows: take more minutes, or shorter lives."]
    before_mib, after_mib = (float(np.median([one.resident_mib for one in part])) for part in (early, late))
    if after_mib > (1 + bench.growth) * before_mib:
        faults.append(f"Memory grew from {before_mib:.0f} to {after_mib:.0f} MiB.")
    for what in ("threads", "files"):
        before, after = (max(getattr(one, what) for one in part) for part in (early, late))
        if after > before:
            faults.append(f"There were {before} {what}, and then {after}.")
    return faults


_COLUMNS = ("minutes", "life", "memory", "threads", "files", "longest without a frame")


def _cells(sample: Sample) -> list[Any]:
    return [
        f"{sample.at_s / 60:.1f}",
        str(sample.life + 1),
        f"{sample.resident_mib:.1f} MiB",
        str(sample.threads),
        str(sample.files),
        f"{sample.gap_s:.1f} s",
    ]
