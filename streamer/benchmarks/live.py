"""``streamer bench live``: how well a live run keeps up on this machine, measured through the real live path."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from streamer.benchmarks.clip import Clip, clip_of, rendered_clip
from streamer.benchmarks.obvious_loop import obvious_loop, segment_with
from streamer.benchmarks.player import Player
from streamer.benchmarks.report import machine, title_of, write_figures
from streamer.benchmarks.weights import with_weights
from streamer.cli.playing import style_of, summary_of
from streamer.config import load
from streamer.engine import Engine, Run
from streamer.errors import ConfigError
from streamer.models.protocols import Embedding, Segmenter
from streamer.models.weights.cache import cache_folder
from streamer.session import Session, View
from streamer.sinks.fanout import Fanout
from streamer.terminal.console import Terminal
from streamer.terminal.stopping import INTERRUPTED, Stop
from streamer.ui.overlay import Overlay, Style
from streamer.ui.window.window import Window, display_available

ROWS = ("tiny", "late", "sam-b", "baseline", "baseline sam-b")


@dataclass(frozen=True, slots=True)
class LiveBench:
    """What to play and what to compare.

    Attributes:
        source: A video file; None for the rendered scene, which has a truth.
        seconds: How much of it each row plays [s].
        rate_hz: Rate of the rendered scene.
        size: (width, height) of the rendered scene [px].
        rows: Some of `ROWS`.
        show: Whether a window is shown.
        encoder_delay_s: By how much the encoder is held up in the row "late" [s].
        accuracy: Whether masks are compared with those of file mode, which plays the clip once more.
        json: Where the figures go.
    """

    source: Path | None = None
    seconds: float = 60.0
    rate_hz: int = 30
    size: tuple[int, int] = (1280, 720)
    rows: Sequence[str] = ROWS
    show: bool = True
    encoder_delay_s: float = 1.5
    accuracy: bool = True
    json: Path | None = None


def bench_live(bench: LiveBench) -> int:
    """Measure every row, print the table, write the figures.

    Returns:
        Exit code: 0, or 130 when it was interrupted.

    Raises:
        ConfigError: There is no such row.
    """
    unknown = [row for row in bench.rows if row not in ROWS]
    if unknown:
        raise ConfigError(f"There is no row {unknown[0]!r}: choose from {', '.join(ROWS)}.")
    terminal = Terminal()
    clip = _clip(bench, terminal)
    show = bench.show and display_available() is None
    rows: list[dict[str, Any]] = []
    with Stop() as stop:
        engines: dict[str, Callable[[], Engine]] = {
            "tiny": lambda: Engine(load("tiny")),
            "late": lambda: _late(Engine(load("tiny")), bench.encoder_delay_s),
            "sam-b": lambda: Engine(with_weights(load("sam-b"), terminal.say)),
            "baseline": lambda: Engine(load("tiny")),
            "baseline sam-b": lambda: Engine(with_weights(load("sam-b"), terminal.say)),
        }
        for name in bench.rows:
            if stop.signalled:
                return INTERRUPTED
            terminal.say(f"{name}: {bench.seconds:g} s at {clip.rate_hz:g} fps")
            with engines[name]() as engine:
                measure = _measure_baseline if name.startswith("baseline") else _measure
                rows.append({"name": name, **measure(engine, clip, bench, show, stop)})
    here = machine()
    figures = {"machine": here, "clip": _described(clip, bench), "shown": show, "rows": rows}
    terminal.table(title_of(clip.path.name, here), _COLUMNS, [_cells(row) for row in rows])
    write_figures(bench.json, figures)
    return 0


def _clip(bench: LiveBench, terminal: Terminal) -> Clip:
    if bench.source is None:
        count = round(bench.seconds * bench.rate_hz)
        return rendered_clip(cache_folder() / "bench", bench.size, bench.rate_hz, count, terminal.say)
    return clip_of(bench.source)


def _described(clip: Clip, bench: LiveBench) -> dict[str, Any]:
    return {"name": clip.path.name, "size": clip.size, "rate_hz": clip.rate_hz, "seconds": bench.seconds}


class _LateSegmenter:
    """A segmenter whose encoder takes longer, and does not use the processor meanwhile."""

    def __init__(self, segmenter: Segmenter, delay_s: float) -> None:
        self._segmenter, self._delay_s = segmenter, delay_s

    def __getattr__(self, name: str) -> Any:
        return getattr(self._segmenter, name)

    def encode(self, image_rgb: Any) -> Embedding:
        embedding = self._segmenter.encode(image_rgb)
        time.sleep(self._delay_s)
        return embedding


def _late(engine: Engine, delay_s: float) -> Engine:
    assert engine.segmenter is not None
    engine.segmenter = _LateSegmenter(engine.segmenter, delay_s)
    return engine


# One row -------------------------------------------------------------------------------------------------------


def _measure(engine: Engine, clip: Clip, bench: LiveBench, show: bool, stop: Stop) -> dict[str, Any]:
    window = Window("streamer bench", clip.size) if show else None
    player, sinks, view = Player(clip, bench.seconds, window), Fanout([], print), View(style_of(engine.config))
    try:
        with engine.open(clip.path, clip.prompts(), live=True) as run:
            session = Session(run, sinks, view, Overlay(), stop, lambda *_: None, lambda _: None, window=player)
            session.play()
            figures = _figures(run, sinks)
    finally:
        if window is not None:
            window.close()
    figures["click_to_mask_ms"] = _spread(player.answers_ms) | {"unanswered": player.unanswered}
    live_ious = player.ious() if bench.accuracy else {}
    if live_ious and not stop.signalled:
        figures["iou"] = {"live": _mean(live_ious), "file": _mean(_in_file_mode(engine, clip, live_ious, stop))}
    return figures


def _in_file_mode(engine: Engine, clip: Clip, indices: dict[int, Any], stop: Stop) -> dict[int, list[float]]:
    """What file mode gives on the same frames, with the same models."""
    if isinstance(engine.segmenter, _LateSegmenter):
        engine.segmenter = engine.segmenter._segmenter
    watcher = Player(clip, float("inf"))
    with engine.open(clip.path, clip.prompts()) as run:
        for result in run:
            if result.index in indices:
                watcher.look(result)
            if stop.signalled or result.index >= max(indices):
                break
    return watcher.ious()


def _measure_baseline(engine: Engine, clip: Clip, bench: LiveBench, show: bool, stop: Stop) -> dict[str, Any]:
    assert engine.segmenter is not None
    assert engine.depth_estimator is not None
    window = Window("streamer bench", clip.size) if show else None
    overlay, style, ends_s = Overlay(), Style(), time.monotonic() + bench.seconds
    try:
        with engine.open(clip.path, live=True) as run:
            segment, estimate = segment_with(engine.segmenter), engine.depth_estimator.estimate
            for result in obvious_loop(run.reader, segment, estimate, clip.prompts()):
                drawing = overlay.draw(result, style)
                if window is not None:
                    window.show(drawing, result)
                run.meter.add(result, time.monotonic())
                if stop.signalled or time.monotonic() >= ends_s:
                    break
            return _figures(run, Fanout([], print))
    finally:
        if window is not None:
            window.close()


def _figures(run: Run, sinks: Fanout) -> dict[str, Any]:
    summary = summary_of(run, sinks)
    frames = summary["frames"]
    dropped = sum(frames["dropped"].values())
    return {"dropped_share": round(dropped / max(frames["read"], 1), 4), **summary}


def _spread(values_ms: Sequence[float]) -> dict[str, Any]:
    if not values_ms:
        return {"count": 0}
    middle, most = (round(float(np.percentile(values_ms, percent)), 1) for percent in (50, 95))
    return {"count": len(values_ms), "p50": middle, "p95": most, "max": round(max(values_ms), 1)}


def _mean(ious: dict[int, list[float]]) -> float | None:
    values = [value for one in ious.values() for value in one]
    return round(float(np.mean(values)), 4) if values else None


# The table -----------------------------------------------------------------------------------------------------

_COLUMNS = ("", "shown fps", "dropped", "capture to shown p50 / p95", "click to mask p50 / max", "IoU live / file")


def _cells(row: dict[str, Any]) -> list[str]:
    latency, clicks, ious = row["latency_ms"], row.get("click_to_mask_ms", {}), row.get("iou", {})
    answered = f"{clicks['p50']:.0f} / {clicks['max']:.0f} ms" if clicks.get("count") else "-"
    compared = f"{ious['live']:.3f} / {ious['file']:.3f}" if ious.get("live") is not None else "-"
    return [
        row["name"],
        f"{row['frame_rate_hz']:.1f}",
        f"{row['dropped_share']:.1%}",
        f"{latency['p50']:.0f} / {latency['p95']:.0f} ms",
        answered,
        compared,
    ]
