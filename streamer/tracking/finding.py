"""Whether a lost object is back: by what SAM says of a keyframe, and by whether that stays true on the frames since.

Being lost a moment longer costs less than following another thing, so it takes two sights (MOSEv2, Ding et al., 2025).
The second one need not wait for the next keyframe, which may be long in coming.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamer.data.track import State
from streamer.tracking.asking import Answer
from streamer.tracking.judging import Beliefs
from streamer.tracking.objects import Object
from streamer.tracking.recognition import color_likeness, likeness
from streamer.tracking.refine import INSIDE

_HARDLY_SEEN = 2
"""Looks in the bank of an object that was lost soon after it had been asked for."""
_LATER = 3
"""Frames after which the same place is another sight."""
_MOST_OF_A_SIGHT, _ROUNDING = 1.5, 1e-6


def followed(item: Object, answer: Answer, beliefs: Beliefs) -> bool:
    """Whether an answer is about an object where it was thought to be, rather than about one that is looked for."""
    if answer.question.spoken:
        return True
    if item.state is State.LOST:
        return False
    if not answer.question.sought:
        return True
    overlaps = answer.agreement is not None and answer.agreement >= beliefs.overlap
    return overlaps and likeness(answer.look, item.bank) >= beliefs.faint


def recognized(item: Object, answer: Answer, beliefs: Beliefs) -> float:
    """How far an answer about a lost object goes towards believing that it is back; at 1 it is believed.

    It has to be alike, more than any other, and of its size. What was seen for long has a bank that knows it from all
    sides; what was hardly seen before it was lost is only faintly like it, and has to be seen more often.
    """
    mask, others = answer.soft > INSIDE, answer.question.others
    area = np.count_nonzero(mask)
    # What was hardly seen may be much larger than what was seen of it.
    growth, most = area / max(item.largest, 1), 4 if len(item.bank) > _HARDLY_SEEN else np.inf
    if others is None or not 0.1 < growth < most or answer.score < 0.5:
        return 0.0
    # Where another object is thought to be, that one is more likely wrong the less the answer looks like it.
    margin = beliefs.mistake if np.count_nonzero(mask & others.taken) > 0.3 * area else 0.0
    alike = likeness(answer.look, item.bank)
    if alike <= likeness(answer.look, others.rivals) + margin:
        return 0.0
    # Beyond what one sight asks for, it counts towards the next one, but never for all of it.
    share = (alike - beliefs.faint) / (beliefs.likeness - beliefs.faint)
    return min(max(share, 0.0), _MOST_OF_A_SIGHT) / beliefs.confirmations


def enough(evidence: float) -> bool:
    """Whether that much evidence is believed."""
    return evidence > 1 - _ROUNDING


def seen_since(item: Object, shown: NDArray[np.uint8], bins: NDArray[np.intp], index: int, beliefs: Beliefs) -> bool:
    """Whether what was seen of a lost object is still there, some frames later, where flow carried it.

    That is as good as one more sight, if it is all that is missing.

    Args:
        item: The object.
        shown: ``(h / 2, w / 2)`` soft mask: what was seen, carried to the present frame.
        bins: ``(h / 2, w / 2)`` color bins of the present frame.
        index: Of the present frame.
        beliefs: What it takes.
    """
    if not enough(item.evidence + 1 / beliefs.confirmations) or index - item.seen_index < _LATER:
        return False
    return color_likeness(bins[shown > INSIDE], item.bank) >= beliefs.kept
