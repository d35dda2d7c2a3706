"""How well the masks of one sequence agree with its truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streamer.evaluation.metrics import boundary_f, calibration_error, iou, sequence_statistics

Mask = NDArray[np.bool_]
Labels = NDArray[np.uint8]

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
        identity: Share of the objects that lay on themselves rather than on another when they were seen last.
        said, true: What the method said of each mask, 0 to 1, and its IoU; empty where it said nothing.
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
    identity: float = float("nan")
    said: tuple[float, ...] = field(default=(), repr=False)
    true: tuple[float, ...] = field(default=(), repr=False)

    @property
    def calibration_error(self) -> float:
        """Of what the method said of its masks, 0 to 1; NaN where it said nothing."""
        return calibration_error(self.said, self.true)


@dataclass(slots=True)
class ObjectScore:
    """One object through one sequence.

    Attributes:
        object_id: Its value in the truth.
        patience: Frames within which it shall be found after it has come back.
    """

    object_id: int
    patience: int
    said: list[float] = field(default_factory=list)
    true: list[float] = field(default_factory=list)
    is_itself: bool = False
    j: list[float] = field(default_factory=list)
    f: list[float] = field(default_factory=list)
    absent: int = 0
    ghosts: int = 0
    reentries: int = 0
    refound: int = 0
    _gone: int = 0
    _waiting: int = 0

    def add(self, mask: Mask, labels: Labels, said: float | None = None) -> None:
        """One frame more: the mask, ``(H, W)`` true object ids, and what the method says of the mask, 0 to 1."""
        truth = labels == self.object_id
        overlap = iou(mask, truth)
        if said is not None and (truth.any() or mask.any()):
            self.said.append(said)
            self.true.append(overlap)
        if np.count_nonzero(truth) >= _SEEN_SHARE * truth.size:
            self.is_itself = _lies_on(mask, labels) == self.object_id
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


def _lies_on(mask: Mask, labels: Labels) -> int:
    """The object on which most of a mask lies; 0 where it lies on none."""
    shares = np.bincount(labels[mask], minlength=2)
    return 1 + int(shares[1:].argmax()) if shares[1:].any() else 0


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
        float(np.mean([item.is_itself for item in objects])) if len(objects) > 1 else float("nan"),
        tuple(value for item in objects for value in item.said),
        tuple(value for item in objects for value in item.true),
    )


def mean_score(scores: Sequence[Score], name: str = "mean") -> Score:
    """The mean of several sequences; what one of them has nothing of is left out."""

    def mean(attribute: str) -> float:
        values = np.array([getattr(score, attribute) for score in scores])
        return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")

    measures = ("j", "f", "j_and_f", "decay", "rate_hz", "keyframes", "refound", "ghosts", "identity")
    said = tuple(value for score in scores for value in score.said)
    true = tuple(value for score in scores for value in score.true)
    return Score(name, **{measure: mean(measure) for measure in measures}, said=said, true=true)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
