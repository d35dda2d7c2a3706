"""``streamer bench serve``: what the view in the browser costs the frame loop, and how old pictures are on the page."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console

from streamer.benchmarks.clip import BenchClip, rendered_clip
from streamer.benchmarks.figures import machine, title_of, write_figures
from streamer.config import Config
from streamer.data.result import Result
from streamer.engine import Engine
from streamer.models.weights.cache import cache_folder
from streamer.session.playback import Playback, style_of
from streamer.session.serving import Serving, served
from streamer.terminal.console import Terminal
from streamer.terminal.stopping import INTERRUPTED, Stop

if TYPE_CHECKING:
    from streamer.ui.browser.browser import Browser

ROWS = {"not served": None, "nobody watches": (0, 0), "one page": (1, 0), "ten pages, one stalled": (10, 1)}
"""How many pages are open, and how many of them are stalled; None serves nothing."""


@dataclass(frozen=True, slots=True)
class ServeBench:
    """What to play.

    Attributes:
        seconds: How much of it each row plays [s].
        rate_hz, size: Rate and (width, height) [px] of the rendered scene.
        json: Where the figures go.
    """

    seconds: float = 20.0
    rate_hz: int = 30
    size: tuple[int, int] = (1280, 720)
    json: Path | None = None


def bench_serve(config: Config, bench: ServeBench) -> int:
    """Measure every row, print the table, write the figures.

    Returns:
        Exit code: 0, or 130 when it was interrupted.
    """
    terminal = Terminal()
    count = round(bench.seconds * bench.rate_hz)
    clip = rendered_clip(cache_folder() / "bench", bench.size, bench.rate_hz, count, terminal.say)
    rows: list[dict[str, Any]] = []
    with Engine(config) as engine, Stop() as stop:
        for name, pages in ROWS.items():
            terminal.say(f"{name}: {bench.seconds:g} s at {clip.rate_hz:g} fps")
            rows.append({"name": name, **_measure(engine, clip, pages, bench.seconds, stop)})
            if stop.signalled:
                return INTERRUPTED
    here = machine()
    terminal.table(title_of(clip.path.name, here), _COLUMNS, [_cells(row) for row in rows])
    write_figures(bench.json, {"machine": here, "size": clip.size, "rate_hz": clip.rate_hz, "rows": rows})
    return 0


def _measure(
    engine: Engine, clip: BenchClip, pages: tuple[int, int] | None, seconds: float, stop: Stop
) -> dict[str, Any]:
    """The figures of one row: those of the run, the processor time of its process, and the delays of the pages."""
    quiet = Terminal(Console(quiet=True))
    with ExitStack() as stack:
        serving = None if pages is None else Serving("127.0.0.1:0")
        browser = stack.enter_context(served(engine, serving, quiet))
        if browser is not None and pages is not None:
            stack.enter_context(_open_pages(browser, *pages))
        run = stack.enter_context(engine.open(clip.path, clip.prompts(), live=True))
        if browser is not None:
            browser.begin(run.info)
        start_s, busy_s = time.monotonic(), time.process_time()

        def watch(playback: Playback, result: Result | None) -> None:
            playback.view.quit = time.monotonic() >= start_s + seconds

        Playback(run, style_of(engine), stop, quiet, audience=browser, live=True, report=watch).play()
        cores = (time.process_time() - busy_s) / (time.monotonic() - start_s)
        delays_s = [] if browser is None else list(browser.delays_s)
        return {**run.summary(), "cores": round(cores, 2), "delay_ms": _spread(delays_s)}


@contextmanager
def _open_pages(browser: Browser, pages: int, stalled: int) -> Iterator[None]:
    if pages == 0:
        yield
        return
    url = browser.url.replace("http", "ws", 1) + "view"
    process = subprocess.Popen([sys.executable, "-m", "streamer.benchmarks.pages", url, str(pages), str(stalled)])
    try:
        while browser.viewers < pages and process.poll() is None:
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()


def _spread(values_s: Sequence[float]) -> dict[str, float]:
    if not values_s:
        return {"count": 0}
    p50, p95 = (round(float(np.percentile(values_s, percent)) * 1000, 1) for percent in (50, 95))
    return {"count": len(values_s), "p50": p50, "p95": p95}


_COLUMNS = (
    "",
    "shown fps",
    "dropped",
    "capture to result p50 / p95",
    "serving, in the loop p50 / p95",
    "capture to page p50 / p95",
    "cores",
)


def _cells(row: dict[str, Any]) -> list[str]:
    frames, parts, delay = row["frames"], row["timings_ms"], row["delay_ms"]
    dropped = sum(frames["dropped"].values()) / max(frames["read"], 1)
    return [
        row["name"],
        f"{row['frame_rate_hz']:.1f}",
        f"{dropped:.1%}",
        _slashed(row["latency_ms"], 0),
        _slashed(parts["serve"], 2) if "serve" in parts else "-",
        _slashed(delay, 0) if delay["count"] else "-",
        f"{row['cores']:.2f}",
    ]


def _slashed(times: dict[str, float], digits: int) -> str:
    return f"{times['p50']:.{digits}f} / {times['p95']:.{digits}f} ms"
