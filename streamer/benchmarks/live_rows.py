"""One row of `streamer bench live`: a clip played through the real live path, or through the obvious loop."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from streamer.benchmarks.clip import BenchClip
from streamer.benchmarks.obvious_loop import obvious_loop, segment_with
from streamer.benchmarks.player import Player
from streamer.engine import Engine
from streamer.session.playback import Playback, style_of
from streamer.session.session import Screen
from streamer.terminal.console import Terminal
from streamer.terminal.stopping import Stop
from streamer.ui.overlay import Overlay, Style


def measure_live(engine: Engine, clip: BenchClip, seconds: float, window: Screen | None, stop: Stop) -> dict[str, Any]:
    """Play the clip live with somebody who clicks now and then.

    Args:
        engine: Has the models.
        clip: What is played.
        seconds: For how long [s].
        window: Shows it; None only draws.
        stop: Tells when a signal asks for the end.

    Returns:
        The figures of the run, ready for JSON, with ``click_to_mask_ms`` and ``ious``: for every frame that was shown
        and whose truth is known, by its index, the IoU of every followed object in view.
    """
    player = Player(clip, seconds, window)
    with engine.open(clip.path, clip.prompts(), live=True) as run:
        playback = Playback(run, style_of(engine), stop, Terminal(), screen=player)
        playback.play()
        figures = _with_share(playback.summary())
    clicks = _spread(player.answers_ms) | {"unanswered": player.unanswered}
    return figures | {"click_to_mask_ms": clicks, "ious": player.ious()}


def file_ious(engine: Engine, clip: BenchClip, indices: Collection[int], stop: Stop) -> dict[int, list[float]]:
    """What file mode reaches on these frames of the clip, with the models of this engine."""
    watcher = Player(clip, float("inf"))
    with engine.open(clip.path, clip.prompts()) as run:
        for result in run:
            if result.index in indices:
                watcher.look(result)
            if stop.signalled or result.index >= max(indices):
                break
    return watcher.ious()


def measure_baseline(
    engine: Engine, clip: BenchClip, seconds: float, window: Screen | None, stop: Stop
) -> dict[str, Any]:
    """The obvious loop with the same models, as `measure_live` measures ours."""
    assert engine.segmenter is not None
    assert engine.depth_estimator is not None
    overlay, style, ends_s = Overlay(), Style(), time.monotonic() + seconds
    with engine.open(clip.path, live=True) as run:
        segment, estimate = segment_with(engine.segmenter), engine.depth_estimator.estimate
        for result in obvious_loop(run.reader, segment, estimate, clip.prompts()):
            drawing = overlay.draw(result, style)
            if window is not None:
                window.show(drawing, result)
            run.meter.add(result, time.monotonic())
            if stop.signalled or time.monotonic() >= ends_s:
                break
        return _with_share(run.summary())


def mean_iou(ious: dict[int, list[float]]) -> float | None:
    """The mean over all frames and objects; None where there are none."""
    values = [value for one in ious.values() for value in one]
    return round(float(np.mean(values)), 4) if values else None


def _with_share(summary: dict[str, Any]) -> dict[str, Any]:
    frames = summary["frames"]
    dropped = sum(frames["dropped"].values())
    return {"dropped_share": round(dropped / max(frames["read"], 1), 4), **summary}


def _spread(values_ms: Sequence[float]) -> dict[str, Any]:
    if not values_ms:
        return {"count": 0}
    middle, most = (round(float(np.percentile(values_ms, percent)), 1) for percent in (50, 95))
    return {"count": len(values_ms), "p50": middle, "p95": most, "max": round(max(values_ms), 1)}
