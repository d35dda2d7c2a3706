"""``streamer bench loop``: what a frame costs beside the models, by stage."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streamer.benchmarks.figures import machine, title_of, write_figures
from streamer.benchmarks.one_thread import one_thread
from streamer.config import Config
from streamer.data.result import Result
from streamer.engine import Engine
from streamer.evaluation.sequences import prompts_for
from streamer.session.playback import style_of
from streamer.synthetic import SceneSource
from streamer.terminal.console import Terminal
from streamer.ui.overlay import Overlay

_STAGES = ("flow", "track", "carry", "ask and adopt", "frame loop", "draw")
_COLUMNS = ("", "median [ms]", "95 % [ms]", "mean [ms]")


@dataclass(frozen=True, slots=True)
class LoopBench:
    """What is followed.

    Attributes:
        frames: Length of the rendered scene.
        size: (width, height) of the scene [px].
        objects: How many are in it; all that are seen on its first frame are followed.
        json: Where the figures go.
    """

    frames: int = 300
    size: tuple[int, int] = (854, 480)
    objects: int = 4
    json: Path | None = None


def bench_loop(config: Config, bench: LoopBench) -> None:
    """Follow the objects of a rendered scene on one thread, and print how long each stage of the loop took."""
    scene = SceneSource(0, bench.size, frame_count=bench.frames, objects=bench.objects)
    with one_thread():
        spent = _spent_ms(config, scene)
    here = machine()
    clip = f"{scene.info.name} at {bench.size[0]}x{bench.size[1]}, {bench.objects} objects, one thread"
    figures = {stage: _spread(spent[stage]) for stage in _STAGES}
    rows = [[stage, *(f"{value:.1f}" for value in figures[stage].values())] for stage in _STAGES]
    Terminal().table(title_of(clip, here), _COLUMNS, rows)
    write_figures(bench.json, {"machine": here, "clip": clip, "spent_ms": figures})


def _spent_ms(config: Config, scene: SceneSource) -> dict[str, list[float]]:
    """The time of every frame by stage [ms]."""
    overlay = Overlay()
    spent: dict[str, list[float]] = defaultdict(list)
    with Engine(config) as engine:
        pipeline, style = engine.pipeline(), style_of(engine, watched=False)
        for prompt in prompts_for(scene.truth(0).labels, "box"):
            pipeline.prompt(prompt)
        while (frame := scene.read()) is not None:
            begun_s = time.perf_counter()
            result = pipeline.process(frame)
            processed_s = time.perf_counter()
            overlay.draw(result, style)
            drawn_s = time.perf_counter()
            stages = _stages(result, (processed_s - begun_s) * 1000)
            for stage, spent_ms in {**stages, "draw": (drawn_s - processed_s) * 1000}.items():
                spent[stage].append(spent_ms)
    return spent


def _stages(result: Result, whole_ms: float) -> dict[str, float]:
    """The time of one frame without that of the models, in all and by stage [ms]."""
    timings = result.timings_ms
    # Of a stage's call its parts are told as well, which must not count twice.
    loop_ms = whole_ms - sum(result.model_timings_ms.get(stage, 0.0) for stage in result.stages)
    parts = {name: timings[name] for name in ("flow", "track", "carry")}
    return {**parts, "ask and adopt": loop_ms - sum(parts.values()), "frame loop": loop_ms}


def _spread(values_ms: Sequence[float]) -> dict[str, float]:
    middle, most = np.percentile(values_ms, (50, 95))
    return {
        "median": round(float(middle), 2),
        "p95": round(float(most), 2),
        "mean": round(float(np.mean(values_ms)), 2),
    }
