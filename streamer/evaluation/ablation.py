"""What each part of the tracker brings: the same sequences with one part left out, or put in, at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streamer.config import Config
from streamer.engine import Engine
from streamer.evaluation.methods import Ours
from streamer.evaluation.scoring import Score, mean_score
from streamer.evaluation.sequences import LabeledSequence
from streamer.tracking.parameters import TrackingParameters

Follow = Callable[[Ours, LabeledSequence], Score]

PARTS: dict[str, dict[str, object]] = {
    "everything": {},
    "only what was given is remembered": {"memory.recent": 0},
    "one recent answer is remembered": {"memory.recent": 1},
    "carried masks are not mended": {"refinement": False},
    "no keyframes on trouble": {"keyframe_triggers.enabled": False},
}
"""What is changed in the config's tracking section, by what the row is called."""


def ablate(engine: Engine, sequences: Sequence[LabeledSequence], follow: Follow) -> list[Score]:
    """The mean over the sequences with everything, and with each part left out."""
    rows = []
    for name, changes in PARTS.items():
        tracking = with_changes(engine.config, changes)
        scores = [follow(Ours(engine.pipeline(tracking=tracking)), sequence) for sequence in sequences]
        rows.append(mean_score(scores, name))
    return rows


def with_changes(config: Config, changes: dict[str, object]) -> TrackingParameters:
    """The config's tracking section with some entries replaced."""
    entries = config.tracking.model_dump()
    for key, value in changes.items():
        *sections, last = key.split(".")
        part = entries
        for section in sections:
            part = part[section]
        part[last] = value
    return TrackingParameters.model_validate(entries)
