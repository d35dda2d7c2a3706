"""How well the masks of one sequence agree with its truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streamer.evaluation.metrics import boundary_f, iou, sequence_statistics

Mask = NDArray[np.bool_]

_ABSENT_FRAMES = 5
_FOUND_IOU = 0.5
_SEEN_SHARE = 0.001
"""An object counts as back once it covers this share of the frame: a sliver at the border tells nobody what it is."""


@dataclass(frozen=True, slots=True)
class Score:
    """One sequence, or the mean of several. Shares are from 0 to 1, NaN where there was nothing to count.

    Attributes:
        name: Of the sequence.
        j, f, j_and_f: DAVIS region similarity, boundary accuracy, and the mean of both.
        decay: Of J, from the first quarter to the last.
        rate_hz: Frames per second, models included, reading and scoring not.
        keyframes: Share of the frames on which the encoder ran.
        refound: Share of re-entries after which the object was found again within two keyframe intervals.
        ghosts: Share of frames without the object on which it is shown all the same.
    """

    name: str
    j: float
    f: float
    j_and_f: float
    decay: float
    rate_hz: float
    keyframes: float
    refound: float = float("nan")
    ghosts: float = float("nan")


@dataclass(slots=True)
class ObjectScore:
    """One object through one sequence.

    Attributes:
        patience: Frames within which it shall be found after it has come back.
    """

    patience: int
    j: list[float] = field(default_factory=list)
    f: list[float] = field(default_factory=list)
    absent: int = 0
    ghosts: int = 0
    reentries: int = 0
    refound: int = 0
    _gone: int = 0
    _waiting: int = 0

    def add(self, mask: Mask, truth: Mask) -> None:
        """One frame more."""
        overlap = iou(mask, truth)
        self.j.append(overlap)
        self.f.append(boundary_f(mask, truth))
        if not truth.any():
            self.absent += 1
            self.ghosts += bool(mask.any())
            self._gone += 1
            self._waiting = 0
            return
        if self._gone >= _ABSENT_FRAMES:
            if np.count_nonzero(truth) < _SEEN_SHARE * truth.size:
                return
            self.reentries += 1
            self._waiting = self.patience
        self._gone = 0
        if self._waiting:
            found = overlap >= _FOUND_IOU
            self.refound += found
            self._waiting = 0 if found else self._waiting - 1


def score_sequence(name: str, objects: list[ObjectScore], elapsed_s: float, frames: int, keyframes: int) -> Score:
    """The mean over the objects of a sequence, as DAVIS takes it.

    Raises:
        ValueError: No frame was scored.
    """
    j = [sequence_statistics(item.j) for item in objects if item.j]
    f = [sequence_statistics(item.f) for item in objects if item.f]
    if not j:
        raise ValueError(f"No frame of {name} has a truth to be compared with.")
    mean_j, mean_f = (float(np.mean([statistics.mean for statistics in measure])) for measure in (j, f))
    return Score(
        name,
        mean_j,
        mean_f,
        (mean_j + mean_f) / 2,
        float(np.mean([statistics.decay for statistics in j])),
        frames / elapsed_s,
        keyframes / frames,
        _share(sum(item.refound for item in objects), sum(item.reentries for item in objects)),
        _share(sum(item.ghosts for item in objects), sum(item.absent for item in objects)),
    )


def mean_score(scores: Sequence[Score], name: str = "mean") -> Score:
    """The mean of several sequences; what one of them has nothing of is left out."""

    def mean(attribute: str) -> float:
        values = np.array([getattr(score, attribute) for score in scores])
        return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")

    measures = ("j", "f", "j_and_f", "decay", "rate_hz", "keyframes", "refound", "ghosts")
    return Score(name, *(mean(measure) for measure in measures))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
