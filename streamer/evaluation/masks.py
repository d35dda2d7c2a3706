"""``streamer eval``: how well objects are followed, against the truth of others."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from rich.table import Table

from streamer.config import Config
from streamer.engine import Engine
from streamer.errors import ConfigError, SinkError
from streamer.evaluation.ablation import ablate
from streamer.evaluation.methods import EveryFrame, FlowOnly, Late, Method, Ours, unrefined
from streamer.evaluation.scoring import ObjectScore, Score, mean_score, score_sequence
from streamer.evaluation.sequences import LabeledSequence, prompts_for, sequences_of
from streamer.motion.motion import Motion
from streamer.scheduling.late_workers import LateWorkers
from streamer.stages.masks import MasksStage
from streamer.terminal.console import Terminal

ABLATION = "ablation"
METHODS = ("ours", "flow", "every-frame", ABLATION)
INITS = ("mask", "box", "click")
_NEW_SHARE = 0.003
"""An object that is not there on the first frame is pointed out once it covers this share of a frame."""


@dataclass(frozen=True, slots=True)
class EvalJob:
    """What to measure.

    Attributes:
        root: A folder in DAVIS layout, ``scene``, or ``twins``.
        sequences: Some of its sequences; empty for all of them.
        init: What is said about every object when it first shows: mask, box or click.
        method: ours, flow, every-frame, or ablation: ours with each of its parts left out.
        late: By how many frames SAM's answers are late, as they are live; only for ours.
        json: Where to write the figures as well.
    """

    root: str
    sequences: Sequence[str] = ()
    init: str = "mask"
    method: str = "ours"
    late: int = 0
    json: Path | None = None


def evaluate(config: Config, job: EvalJob) -> int:
    """Measure, print a table, and write the figures where asked.

    Returns:
        Exit code 0.

    Raises:
        ConfigError: There is no such method, or nothing of that kind can be said.
        SourceError: There is no such folder or sequence.
        SinkError: The figures cannot be written.
    """
    _check(job)
    if config.segmenter is None:
        raise ConfigError("Masks are left out, so there is nothing to measure: let them in.")
    sequences, terminal = sequences_of(job.root, job.sequences), Terminal()
    with Engine(config.model_copy(update={"depth": None})) as engine:
        if job.method == ABLATION:
            patience = 2 * config.schedule.keyframe_interval
            rows = ablate(engine, sequences, lambda method, sequence: follow(method, sequence, job.init, patience))
            print(as_markdown(rows))
        else:
            scores = [score_method(engine, sequence, job, terminal.say) for sequence in sequences]
            rows = [*scores, mean_score(scores)]
            late = f", answers {job.late} frames late" if job.late else ""
            terminal.console.print(table_of(rows, f"{job.method}, --init {job.init}{late}"))
    if job.json is not None:
        write_scores(job, rows)
    return 0


def _check(job: EvalJob) -> None:
    for option, value, known in (("--init", job.init, INITS), ("--method", job.method, METHODS)):
        if value not in known:
            raise ConfigError(f"There is no {option} {value}: choose one of {', '.join(known)}.")
    if job.late and job.method != "ours":
        raise ConfigError(f"There is no --late for --method {job.method}: choose one of the two.")


def score_method(
    engine: Engine, sequence: LabeledSequence, job: EvalJob, say: Callable[[str], None] | None = None
) -> Score:
    """One method on one sequence."""
    score = follow(
        method_of(engine, job.method, job.late), sequence, job.init, 2 * engine.config.schedule.keyframe_interval
    )
    if say is not None:
        say(f"{sequence.name}: J&F {score.j_and_f:.3f}")
    return score


def method_of(engine: Engine, name: str, late: int = 0) -> Method:
    """A fresh start of one of the METHODS."""
    if late:
        workers = LateWorkers({MasksStage.name: late})
        return Late(engine.pipeline(workers=workers), workers)
    if name == "ours":
        return Ours(engine.pipeline())
    assert engine.segmenter is not None
    if name == "every-frame":
        return EveryFrame(engine.segmenter)
    return FlowOnly(engine.segmenter, unrefined(engine.segmenter), Motion(engine.config.flow))


def follow(method: Method, sequence: LabeledSequence, init: str, patience: int) -> Score:
    """Run a method through a sequence. The frame on which an object is pointed out does not count, nor the last one."""
    objects: dict[int, ObjectScore] = {}
    elapsed_s = 0.0
    for frame in sequence.frames():
        labels = sequence.labels(frame.index)
        prompts = []
        if labels is not None:
            least = 1 if frame.index == 0 else _NEW_SHARE * labels.size
            prompts = [
                prompt
                for prompt in prompts_for(labels, init)
                if prompt.object_id not in objects and np.count_nonzero(labels == prompt.object_id) >= least
            ]
        start = time.perf_counter()
        masks = method.process(frame, prompts)
        elapsed_s += time.perf_counter() - start
        if labels is not None and frame.index < sequence.frame_count - 1:
            nothing = np.zeros(labels.shape, bool)
            for object_id, score in objects.items():
                score.add(masks.get(object_id, nothing), labels, method.scores.get(object_id))
        new = [prompt.object_id for prompt in prompts if prompt.object_id is not None]
        objects |= {object_id: ObjectScore(object_id, patience) for object_id in new}
    return score_sequence(sequence.name, list(objects.values()), elapsed_s, sequence.frame_count, method.keyframes)


def table_of(scores: Sequence[Score], title: str) -> Table:
    """One row per score."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, collapse_padding=True)
    table.add_column("sequence", no_wrap=True)
    for name in ("J&F", "J", "F", "fps", "keyframes", "found", "ghosts", "identity", "ECE"):
        table.add_column(name, justify="right")
    for score in scores:
        cells = [f"{value:.3f}" for value in (score.j_and_f, score.j, score.f)]
        shares = [_percent(value) for value in (score.keyframes, score.refound, score.ghosts, score.identity)]
        error = score.calibration_error
        shares.append("" if error != error else f"{error:.3f}")
        table.add_row(
            score.name, *cells, f"{score.rate_hz:.1f}", *shares, style="bold" if score.name == "mean" else None
        )
    return table


def as_markdown(scores: Sequence[Score]) -> str:
    """The same rows for a page, each with its distance to the first."""
    lines = ["| | J&F | | J | F | keyframes |", "| --- | --- | --- | --- | --- | --- |"]
    for score in scores:
        distance = "" if score is scores[0] else f"{score.j_and_f - scores[0].j_and_f:+.3f}"
        cells = [score.name, f"{score.j_and_f:.3f}", distance, f"{score.j:.3f}", f"{score.f:.3f}"]
        lines.append(f"| {' | '.join([*cells, _percent(score.keyframes)])} |")
    return "\n".join(lines)


def write_scores(job: EvalJob, scores: Sequence[Score]) -> None:
    """The figures as JSON: null where there was nothing to count."""
    assert job.json is not None
    rows = [_as_row(score) for score in scores]
    try:
        job.json.write_text(
            json.dumps({"method": job.method, "init": job.init, "late": job.late, "scores": rows}, indent=2) + "\n"
        )
    except OSError as error:
        raise SinkError(f"{job.json} cannot be written ({error.strerror}): choose another place for --json.") from None


def _as_row(score: Score) -> dict[str, object]:
    row = asdict(replace(score, said=(), true=())) | {"calibration_error": score.calibration_error}
    return {key: None if value != value else value for key, value in row.items() if key not in ("said", "true")}


def _percent(share: float) -> str:
    return "" if share != share else f"{100 * share:.1f}%"
