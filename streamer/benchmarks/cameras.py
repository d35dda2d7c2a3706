"""``streamer bench cameras``: what each of several cameras gets that share one set of models in one process."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from streamer.benchmarks.clip import BenchClip, rendered_clip
from streamer.benchmarks.figures import machine, title_of, write_figures
from streamer.config import Config
from streamer.engine import Engine, Live
from streamer.errors import StaleFrameError
from streamer.models.weights.cache import cache_folder
from streamer.terminal.console import Terminal
from streamer.terminal.telemetry import peak_memory_mib

_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class CamerasBench:
    """How many cameras to open.

    Attributes:
        cameras: So many at once in each row, in growing order, since memory is told by its peak.
        seconds: How long each row plays [s].
        rate_hz, size: Of each camera: frames per second, and (width, height) [px].
        json: Where the figures go.
    """

    cameras: Sequence[int] = (1, 2, 4)
    seconds: float = 20.0
    rate_hz: int = 15
    size: tuple[int, int] = (640, 360)
    json: Path | None = None


def bench_cameras(config: Config, bench: CamerasBench) -> None:
    """Measure every row, print the table, write the figures."""
    terminal = Terminal()
    count = round(bench.seconds * bench.rate_hz)
    clip = rendered_clip(cache_folder() / "bench", bench.size, bench.rate_hz, count, terminal.say)
    rows: list[dict[str, Any]] = []
    with Engine(config) as engine:
        engine.load()
        for number in sorted(bench.cameras):
            terminal.say(f"{number} cameras: {bench.seconds:g} s at {clip.rate_hz:g} fps")
            cameras = _measure(engine, clip, number, bench.seconds)
            rows.append({"cameras": cameras, "peak_memory_mib": peak_memory_mib()})
    here = machine()
    terminal.table(title_of(clip.path.name, here), _COLUMNS, [_cells(row) for row in rows])
    write_figures(bench.json, {"machine": here, "size": clip.size, "rate_hz": clip.rate_hz, "rows": rows})


def _measure(engine: Engine, clip: BenchClip, number: int, seconds: float) -> list[dict[str, Any]]:
    """For each camera its rate [Hz], how often each model was asked, and how old its masks were now and then [s]."""
    with ExitStack() as stack:
        cameras = [stack.enter_context(engine.live(clip.path, prompts=clip.prompts())) for _ in range(number)]
        ages_s: list[list[float]] = [[] for _ in cameras]
        ends_s = time.monotonic() + seconds
        while time.monotonic() < ends_s:
            time.sleep(_LOOK_EVERY_S)
            for camera, ages in zip(cameras, ages_s, strict=True):
                ages.extend(_mask_age_s(camera))
        return [_figures(camera, ages) for camera, ages in zip(cameras, ages_s, strict=True)]


def _mask_age_s(camera: Live) -> Iterator[float]:
    """Of the newest result, if it has masks [s]."""
    try:
        age_s = camera.latest().age_s_of("masks")
    except StaleFrameError:
        return
    if age_s is not None:
        yield age_s


def _figures(camera: Live, ages_s: Sequence[float]) -> dict[str, Any]:
    summary = camera.summary()
    p50, p95, most = np.percentile(ages_s, (50, 95, 100)).round(2).tolist() if ages_s else (None, None, None)
    return {
        "frame_rate_hz": summary["frame_rate_hz"],
        "runs": {name: stage["runs"] for name, stage in summary["stages"].items()},
        "mask_age_s": {"p50": p50, "p95": p95, "max": most},
    }


_COLUMNS = ("cameras", "fps of each", "keyframes of each", "masks old p95, of each", "most memory")


def _cells(row: dict[str, Any]) -> list[str]:
    cameras = row["cameras"]
    ages_s = [camera["mask_age_s"]["p95"] for camera in cameras]
    return [
        str(len(cameras)),
        ", ".join(f"{camera['frame_rate_hz']:.1f}" for camera in cameras),
        ", ".join(str(camera["runs"].get("masks", 0)) for camera in cameras),
        ", ".join("never" if age_s is None else f"{age_s:.1f} s" for age_s in ages_s),
        f"{row['peak_memory_mib'] or 0:.0f} MiB",
    ]
