"""``streamer bench memory``: whether a run takes more memory the longer it lasts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from streamer.benchmarks.figures import machine, title_of
from streamer.config import Config
from streamer.engine import Engine
from streamer.evaluation.sequences import prompts_for
from streamer.synthetic import SceneSource
from streamer.terminal.console import Terminal
from streamer.terminal.telemetry import peak_memory_mib

_COLUMNS = ("frames", "seconds", "most memory [MiB]", "growth")


@dataclass(frozen=True, slots=True)
class MemoryBench:
    """How long the run is.

    Attributes:
        frames: Length of the rendered scene.
        settled: Frames after which memory should grow no more.
        size: (width, height) of the scene [px].
        objects: How many are in it; all that are seen on its first frame are followed.
    """

    frames: int = 20_000
    settled: int = 500
    size: tuple[int, int] = (320, 180)
    objects: int = 4


def bench_memory(config: Config, bench: MemoryBench) -> None:
    """Follow the objects of a long rendered scene, and print how much memory had been used at its milestones."""
    terminal = Terminal()
    scene: dict[str, Any] = {"seed": 0, "size": bench.size, "frame_count": bench.frames, "objects": bench.objects}
    prompts = prompts_for(SceneSource(**scene).truth(0).labels, "box")
    rows: list[tuple[str, ...]] = []
    milestones, settled_mib = _milestones(bench), 0.0
    started_s = time.monotonic()
    with Engine(config) as engine:
        for result in engine.run("scene", prompts, **scene):
            if result.index + 1 not in milestones:
                continue
            used_mib = peak_memory_mib() or 0.0
            settled_mib = settled_mib or used_mib
            growth = f"{100 * (used_mib / settled_mib - 1):.2f} %"
            rows.append((str(result.index + 1), f"{time.monotonic() - started_s:.0f}", f"{used_mib:.0f}", growth))
            terminal.say(f"{rows[-1][0]} frames: {rows[-1][2]} MiB, {growth}")
    terminal.table(title_of("scene", machine()), _COLUMNS, rows)


def _milestones(bench: MemoryBench) -> set[int]:
    """The settled run, and every doubling of it."""
    lengths, length = {bench.frames}, bench.settled
    while length < bench.frames:
        lengths.add(length)
        length *= 2
    return lengths
