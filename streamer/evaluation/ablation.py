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
    "no refining by color and edges": {"refine": False},
    "the carried mask in the prompt as well": {"use_mask": True},
    "no box in the prompt": {"use_box": False},
    "one point instead of eight": {"positives": 0},
    "no negative points": {"negatives": 0},
    "one pass": {"passes": 1},
    "agreement does not count": {"agreement": 0.0},
    "stability does not count": {"stability": 0.0},
    "motion does not count": {"motion": 0.0},
    "every answer is accepted": {"accept": 0.0},
    "an answer has to be clearly better": {"accept": 0.85, "reject": 0.1},
    "no re-detection": {"redetect": False, "glimpse": False},
    "nothing guessed by colors": {"glimpse": False},
    "one confirmation": {"confirmations": 1},
    "no keyframes on trouble": {"trouble": False},
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
    return TrackingParameters.model_validate(config.tracking.model_dump() | changes)
