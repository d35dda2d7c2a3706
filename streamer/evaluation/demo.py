"""``streamer demo``: the main job on a rendered scene, compared with the scene's own truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from streamer.data.result import Result
from streamer.engine import Engine
from streamer.evaluation.metrics import depth_errors, iou
from streamer.evaluation.sequences import prompts_for
from streamer.session.playback import Playback, advise, opened, style_of
from streamer.sinks.targets import FOLDER, Targets
from streamer.synthetic import SceneSource
from streamer.terminal.progress import AnnotateConsole
from streamer.terminal.stopping import INTERRUPTED, Stop

_MIN_VISIBLE = 0.5
"""Share of an object that must be in view for its mask to count: what cannot be seen cannot be followed."""


class TruthMeter:
    """A sink that compares every result with the scene's own truth, and writes nothing.

    Attributes:
        ious: One value per object and frame.
        abs_rel, delta: One value per frame.
    """

    name = "truth"
    written = dropped = 0
    warning = None

    def __init__(self, scene: SceneSource) -> None:
        self._scene = scene
        self.ious: list[float] = []
        self.abs_rel: list[float] = []
        self.delta: list[float] = []

    def write(self, result: Result) -> None:
        """Compare one frame."""
        truth = self._scene.truth(result.index)
        for track in result.tracks:
            if truth.visible.get(track.id, 0.0) >= _MIN_VISIBLE:
                self.ious.append(iou(track.mask, truth.labels == track.id))
        if result.inverse_depth is not None:
            errors = depth_errors(result.inverse_depth, truth.inverse_depth)
            self.abs_rel.append(errors.abs_rel)
            self.delta.append(errors.delta1)

    def close(self) -> None:
        """Nothing to close."""


def demo(engine: Engine, output: Path | None, frames: int, seed: int) -> int:
    """Render, follow, estimate, write, and print how well it went.

    Args:
        engine: Has the models.
        output: A video, or a folder for ``demo.mp4``; None for the usual one.
        frames: Length of the scene.
        seed: Which scene.

    Returns:
        Exit code: 0, or 130 when it was interrupted.
    """
    path, config = output or FOLDER, engine.config
    targets = Targets(path / "demo.mp4" if Targets(path).is_folder else path)
    targets.check(several=False, masks=config.segmenter is not None, depth=config.depth is not None)
    console = AnnotateConsole()
    scene = SceneSource(seed=seed, frame_count=frames)
    truth, prompts = TruthMeter(scene), prompts_for(scene.truth(0).labels, "box")
    options: dict[str, Any] = {"prompts": prompts, "seed": seed, "frame_count": frames}
    with Stop() as stop, opened(engine, "scene", console, **options) as run:
        playback = Playback(
            run,
            style_of(engine),
            stop,
            console,
            targets=targets,
            video=config.video,
            sinks=[truth],
            report=lambda playback, _: console.update(playback.frames_shown),
        )
        with console.playing(run.info.name, run.info.frame_count):
            playback.play()
        playback.finish()
    _print_accuracy(truth, len(prompts), console)
    advise(engine, console)
    return INTERRUPTED if stop.signalled else 0


def _print_accuracy(truth: TruthMeter, objects: int, console: AnnotateConsole) -> None:
    if truth.ious:
        console.say(f"masks against the scene's truth: mean IoU {np.mean(truth.ious):.3f} of {objects} objects")
    if truth.abs_rel:
        console.say(
            f"depth against the scene's truth: AbsRel {np.mean(truth.abs_rel):.3f}, "
            f"within 25 % on {100 * np.mean(truth.delta):.1f} % of the pixels (one scale and shift per frame)"
        )
