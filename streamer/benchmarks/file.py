"""``streamer bench file``: how long `annotate` takes, beside the obvious loop and beside reading and writing alone."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from streamer.benchmarks.clip import BenchClip, clip_of, rendered_clip
from streamer.benchmarks.figures import machine, title_of, write_figures
from streamer.benchmarks.ways import ALONE, LOOP, OURS, FileRow, Ways
from streamer.benchmarks.weights import with_weights
from streamer.config import Config
from streamer.data.prompt import Prompt
from streamer.engine import Engine
from streamer.models.weights.cache import cache_folder
from streamer.sources.open import kind_of
from streamer.terminal.console import Terminal
from streamer.terminal.stopping import INTERRUPTED, Stop

SCENE_RATE_HZ, SCENE_FRAMES = 30, 300


@dataclass(frozen=True, slots=True)
class FileBench:
    """What to annotate, and for how long.

    Attributes:
        source: A video file, or ``scene`` for the rendered scene, whose truth says what to follow.
        prompts: What to follow in a file; without any, objects are found.
        frames: Only the first ones; None for all.
        loop_s: After which the obvious loop ends, with the frame that it is at [s].
        repeats: The best of so many runs counts, except for the obvious loop, which runs once.
        size: (width, height) of the rendered scene [px].
        json: Where the figures go.
    """

    source: str
    prompts: Sequence[Prompt] = ()
    frames: int | None = None
    loop_s: float = 60.0
    repeats: int = 1
    size: tuple[int, int] = (1280, 720)
    json: Path | None = None


def bench_file(config: Config, bench: FileBench) -> int:
    """Measure every row, print the table, write the figures.

    Returns:
        Exit code: 0, or 130 when it was interrupted.

    Raises:
        SourceError: The clip cannot be read.
        PromptError: A prompt does not lie on it.
        ModelError: A model cannot be loaded.
    """
    terminal = Terminal()
    clip, here = _clip(bench, terminal), machine()
    config = with_weights(config, terminal.say)
    with tempfile.TemporaryDirectory() as folder, Stop() as stop, Engine(config) as engine:
        prompts = clip.prompts() or bench.prompts
        ways = Ways(engine.load(), clip, prompts, Path(folder), stop, bench.frames, bench.loop_s)
        rounds = []
        for _ in range(bench.repeats):
            rounds += [ways.decode_and_encode(), ways.annotate()]
            if stop.signalled:
                return INTERRUPTED
        terminal.say(f"{LOOP}: the models as their READMEs use them, for up to {bench.loop_s:g} s")
        rows = [min((row for row in rounds if row.name == name), key=lambda row: row.frame_s) for name in (ALONE, OURS)]
        rows.append(ways.obvious_loop())
        if stop.signalled:
            return INTERRUPTED
    _print(terminal, title_of(clip.path.name, here), rows)
    write_figures(bench.json, {"machine": here, **_figures(config, clip, rows), "annotate": ways.summary})
    return 0


def _clip(bench: FileBench, terminal: Terminal) -> BenchClip:
    if kind_of(bench.source) != "scene":
        return clip_of(Path(bench.source))
    count = bench.frames or SCENE_FRAMES
    return rendered_clip(cache_folder() / "bench", bench.size, SCENE_RATE_HZ, count, terminal.say)


def _print(terminal: Terminal, title: str, rows: Sequence[FileRow]) -> None:
    alone, _, loop = rows
    columns = ("", "frames", "s", "fps", f"s for {alone.frames}", "time ratio", "processor", "speed-up")
    terminal.table(title, columns, [_cells(row, rows) for row in rows])
    terminal.say(f"Time ratio: against {ALONE}. Processor: time of all cores per frame. Speed-up: over the {LOOP}.")
    if loop.frames < alone.frames:
        terminal.say(
            f"The {LOOP} did only {loop.frames} of {alone.frames} frames, at {loop.frame_s:.3g} s each: "
            f"its {loop.frame_s * alone.frames:.0f} s for all of them are extrapolated."
        )


def _cells(row: FileRow, rows: Sequence[FileRow]) -> list[str]:
    alone, _, loop = rows
    return [
        row.name,
        str(row.frames),
        f"{row.seconds:.2f}",
        f"{1 / row.frame_s:.3g}",
        f"{'' if row.frames == alone.frames else '~'}{row.frame_s * alone.frames:.4g}",
        f"{row.frame_s / alone.frame_s:.2f}x",
        f"{row.processor_ms:.0f} ms",
        f"{loop.frame_s / row.frame_s:.2f}x",
    ]


def _figures(config: Config, clip: BenchClip, rows: Sequence[FileRow]) -> dict[str, Any]:
    alone, ours, loop = rows
    return {
        "clip": {"name": clip.path.name, "size": clip.size, "rate_hz": clip.rate_hz},
        "config": config.model_dump(mode="json"),
        "rows": [
            {
                **asdict(row),
                "frame_s": row.frame_s,
                "processor_ms": row.processor_ms,
                "extrapolated": row.frames < alone.frames,
            }
            for row in rows
        ],
        "annotate_over_decode_and_encode": ours.frame_s / alone.frame_s,
        "obvious_loop_over_annotate": loop.frame_s / ours.frame_s,
    }
