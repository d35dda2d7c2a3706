"""``streamer bench live``: how well a live run keeps up on this machine, measured through the real live path."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamer.benchmarks.clip import BenchClip, clip_of, rendered_clip
from streamer.benchmarks.figures import machine, title_of, write_figures
from streamer.benchmarks.late_segmenter import LateSegmenter
from streamer.benchmarks.live_rows import file_ious, mean_iou, measure_baseline, measure_live
from streamer.benchmarks.weights import with_weights
from streamer.config import Config, load
from streamer.engine import Engine
from streamer.errors import ConfigError
from streamer.models.catalog import CATALOG, DEPTH
from streamer.models.names import near
from streamer.models.weights.cache import cache_folder
from streamer.session.session import Screen
from streamer.terminal.console import Terminal
from streamer.terminal.stopping import INTERRUPTED, Stop
from streamer.ui.window.display import display_available

ROWS = ("tiny", "late", "sam-b", "baseline", "baseline sam-b")


@dataclass(frozen=True, slots=True)
class LiveBench:
    """What to play and what to compare.

    Attributes:
        source: A video file; None for the rendered scene, which has a truth.
        seconds: How much of it each row plays [s].
        rate_hz: Rate of the rendered scene.
        size: (width, height) of the rendered scene [px].
        rows: Some of `ROWS`, or names of models.
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
    unknown = [row for row in bench.rows if row not in ROWS and row not in CATALOG]
    if unknown:
        close = ", ".join(near(unknown[0], CATALOG)) or "a name of `streamer models list`"
        raise ConfigError(f"There is no row {unknown[0]!r}: choose from {', '.join(ROWS)}, or {close}.")
    terminal = Terminal()
    clip = _clip(bench, terminal)
    show = bench.show and display_available() is None
    rows: list[dict[str, Any]] = []
    with Stop() as stop:
        for name in bench.rows:
            if stop.signalled:
                return INTERRUPTED
            terminal.say(f"{name}: {bench.seconds:g} s at {clip.rate_hz:g} fps")
            rows.append({"name": name, **_measure(name, clip, bench, show, stop, terminal)})
    here = machine()
    figures = {"machine": here, "clip": _described(clip, bench), "shown": show, "rows": rows}
    terminal.table(title_of(clip.path.name, here), _COLUMNS, [_cells(row) for row in rows])
    write_figures(bench.json, figures)
    return 0


def _clip(bench: LiveBench, terminal: Terminal) -> BenchClip:
    if bench.source is None:
        count = round(bench.seconds * bench.rate_hz)
        return rendered_clip(cache_folder() / "bench", bench.size, bench.rate_hz, count, terminal.say)
    return clip_of(bench.source)


def _described(clip: BenchClip, bench: LiveBench) -> dict[str, Any]:
    return {"name": clip.path.name, "size": clip.size, "rate_hz": clip.rate_hz, "seconds": bench.seconds}


def _measure(
    name: str, clip: BenchClip, bench: LiveBench, show: bool, stop: Stop, terminal: Terminal
) -> dict[str, Any]:
    """The figures of one row."""
    config = with_weights(_config_of(name), terminal.say)
    with Engine(config) as engine, ExitStack() as stack:
        window = _window(clip) if show else None
        if window is not None:
            stack.callback(window.close)
        if name.startswith("baseline"):
            return measure_baseline(engine, clip, bench.seconds, window, stop)
        played = _late(engine, bench.encoder_delay_s) if name == "late" else engine
        figures = measure_live(played, clip, bench.seconds, window, stop)
        live = figures.pop("ious")
        if bench.accuracy and live and not stop.signalled:
            figures["iou"] = {"live": mean_iou(live), "file": mean_iou(file_ious(engine, clip, live, stop))}
    return figures


def _config_of(row: str) -> Config:
    """The preset of a row; of a model's name the default with that model in the place of its kind."""
    card = CATALOG.get(row)
    if card is None:
        return load("sam-b" if row.endswith("sam-b") else "tiny")
    if card.kind == DEPTH:
        return load("tiny", f"depth.model={row}")
    return load("tiny", [f"segmenter.model={row}", f"tracking.method={card.tracks or 'memory'}"])


def _window(clip: BenchClip) -> Screen:
    from streamer.ui.window.window import Window

    return Window("streamer bench", clip.size)


def _late(engine: Engine, delay_s: float) -> Engine:
    """The same models with a slower encoder."""
    assert engine.segmenter is not None
    return Engine(engine.config, LateSegmenter(engine.segmenter, delay_s), engine.depth_estimator)


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
