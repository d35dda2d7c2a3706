"""``streamer bench objects``: what one more object costs, in the frame loop, on a keyframe and in the drawing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.benchmarks.figures import machine, title_of, write_figures
from streamer.benchmarks.one_thread import one_thread
from streamer.config import Config
from streamer.data.frame import Frame
from streamer.data.prompt import Prompt
from streamer.engine import Engine
from streamer.session.playback import style_of
from streamer.terminal.console import Terminal
from streamer.ui.overlay import Overlay

_COLUMNS = ("objects", "frame [ms]", "per object", "keyframe [ms]", "drawing [ms]", "in all [ms]", "rate", "followed")
_SETTLING = 2
"""Keyframes that are not counted: the memory fills, and what is made once is made."""


@dataclass(frozen=True, slots=True)
class ObjectsBench:
    """What is followed.

    Attributes:
        counts: So many objects, in runs of their own.
        frames: Length of each run.
        size: (width, height) of the frames [px].
        json: Where the figures go.
    """

    counts: Sequence[int] = (1, 4, 16, 40, 64)
    frames: int = 60
    size: tuple[int, int] = (1280, 720)
    json: Path | None = None


@dataclass(frozen=True, slots=True)
class ObjectsRow:
    """Processor time of one run.

    Attributes:
        objects: How many were followed.
        frame_ms: Median of a frame without a keyframe, and without drawing [ms].
        keyframe_ms: By how much the median frame with a keyframe takes longer [ms].
        draw_ms: Median of drawing [ms].
        mean_ms: Mean of all of it over all frames [ms].
        followed: Mean share of the objects that are not lost.
    """

    objects: int
    frame_ms: float
    keyframe_ms: float
    draw_ms: float
    mean_ms: float
    followed: float


def bench_objects(config: Config, bench: ObjectsBench) -> None:
    """Follow discs that move about, so many at a time, on one thread, without depth; print what they cost."""
    from streamer.models.runtime import devices

    config, terminal = config.model_copy(update={"depth": None}), Terminal()
    threads = devices.thread_count()
    devices.set_threads(1)
    try:
        with one_thread(), Engine(config) as engine:
            rows = [_row(engine.load(), count, bench) for count in bench.counts]
    finally:
        devices.set_threads(threads)
    here = machine()
    title = title_of(f"discs at {bench.size[0]}x{bench.size[1]}, processor time of one thread", here)
    terminal.table(title, _COLUMNS, [_cells(row, rows[0]) for row in rows])
    write_figures(bench.json, {"machine": here, "rows": [asdict(row) for row in rows]})


def discs(count: int, frames: int, size: tuple[int, int]) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Frames with so many speckled discs, each in a cell of its own; with ``(H, W)`` labels from 1 [px]."""
    width, height = size
    columns = int(np.ceil((count * width / height) ** 0.5))
    cell_px = min(width // columns, height // -(-count // columns))
    rng = np.random.default_rng(count)
    ground = cv2.resize(rng.integers(60, 130, (height // 8, width // 8, 3), np.uint8), size)
    colors = rng.integers(0, 256, (count, 3), np.uint8)
    speckles = rng.integers(0, 40, (height, width, 3), np.uint8)
    for index in range(frames):
        image, labels = ground.copy(), np.zeros((height, width), np.uint8)
        for at in range(count):
            angle = 0.15 * index + at
            middle = (np.array([at % columns, at // columns]) + 0.5) * cell_px
            x, y = np.rint(middle + 0.15 * cell_px * np.array([np.cos(angle), np.sin(angle)])).astype(int).tolist()
            cv2.circle(image, (x, y), round(0.3 * cell_px), colors[at].tolist(), -1)
            cv2.circle(labels, (x, y), round(0.3 * cell_px), at + 1, -1)
        yield cv2.add(image, speckles, mask=None), labels


def _row(engine: Engine, count: int, bench: ObjectsBench) -> ObjectsRow:
    overlay, style, pipeline = Overlay(), style_of(engine, watched=False), engine.pipeline()
    plain: list[float] = []
    keyframes: list[float] = []
    drawn: list[float] = []
    followed: list[float] = []
    for index, (image, labels) in enumerate(discs(count, bench.frames, bench.size)):
        if index == 0:
            for number in range(1, count + 1):
                pipeline.prompt(Prompt(mask=labels == number, object_id=number))
        begun_s = time.thread_time()
        result = pipeline.process(Frame(index, index / 30, image, time.monotonic()))
        processed_s = time.thread_time()
        overlay.draw(result, style)
        drawn.append((time.thread_time() - processed_s) * 1000)
        (plain if result.reason_of("masks") is None else keyframes).append((processed_s - begun_s) * 1000)
        followed.append(sum(track.box_xyxy is not None for track in result.tracks) / count)
    pipeline.close()
    frame_ms = float(np.median(plain))
    return ObjectsRow(
        count,
        frame_ms,
        float(np.median(keyframes[_SETTLING:] or keyframes)) - frame_ms,
        float(np.median(drawn)),
        float(np.mean(plain + keyframes) + np.mean(drawn)),
        float(np.mean(followed)),
    )


def _cells(row: ObjectsRow, first: ObjectsRow) -> list[str]:
    more = row.objects - first.objects
    per_object = f"{(row.frame_ms + row.draw_ms - first.frame_ms - first.draw_ms) / more:.2f} ms" if more else ""
    spent = (f"{value:.1f}" for value in (row.keyframe_ms, row.draw_ms, row.mean_ms))
    rate = f"1/{row.mean_ms / first.mean_ms:.1f}"
    return [str(row.objects), f"{row.frame_ms:.1f}", per_object, *spent, rate, f"{100 * row.followed:.0f} %"]
