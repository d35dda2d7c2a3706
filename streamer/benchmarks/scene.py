"""``streamer bench scene``: how fast the rendered scene is, the stand-in camera of the other benchmarks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.benchmarks.figures import machine, title_of, write_figures
from streamer.benchmarks.one_thread import one_thread
from streamer.synthetic import SceneSource
from streamer.terminal.console import Terminal

_FLOW_SIZE = (640, 360)
_COLUMNS = ("scene", "median [ms]", "95 % [ms]", "frames per second", "in flow fields")


@dataclass(frozen=True, slots=True)
class SceneBench:
    """What is rendered.

    Attributes:
        seeds: One scene each.
        frames: Length of each.
        size: (width, height) [px].
        json: Where the figures go.
    """

    seeds: Sequence[int] = range(6)
    frames: int = 150
    size: tuple[int, int] = (1280, 720)
    json: Path | None = None


def bench_scene(bench: SceneBench) -> None:
    """Render scenes on one thread, and print what a frame takes, also beside one field of DIS flow at 640x360.

    The field (ultrafast, computed once after every frame rendered) tells a slow renderer from a slow moment of the
    machine.
    """
    with one_thread():
        figures = {f"scene-{seed}": _figures(bench, seed) for seed in bench.seeds}
    here = machine()
    clip = f"{bench.frames} frames at {bench.size[0]}x{bench.size[1]}, one thread"
    rows = [[name, *(f"{value:.1f}" for value in row.values())] for name, row in figures.items()]
    Terminal().table(title_of(clip, here), _COLUMNS, rows)
    write_figures(bench.json, {"machine": here, "clip": clip, "scenes": figures})


def _figures(bench: SceneBench, seed: int) -> dict[str, float]:
    scene = SceneSource(seed, bench.size, frame_count=bench.frames + 1)
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    before = _gray(scene.render(0))
    frames_ms, flows_ms = [], []
    for index in range(1, bench.frames + 1):
        begun_s = time.perf_counter()
        image = scene.render(index)
        rendered_s = time.perf_counter()
        now = _gray(image)
        shrunk_s = time.perf_counter()
        flow.calc(now, before, None)
        flows_ms.append((time.perf_counter() - shrunk_s) * 1000)
        frames_ms.append((rendered_s - begun_s) * 1000)
        before = now
    middle, most = np.percentile(frames_ms, (50, 95))
    return {
        "median_ms": round(float(middle), 2),
        "p95_ms": round(float(most), 2),
        "rate_hz": round(1000 / float(np.mean(frames_ms)), 1),
        "flow_fields": round(float(middle / np.median(flows_ms)), 2),
    }


def _gray(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), _FLOW_SIZE, interpolation=cv2.INTER_AREA)
