"""What becomes of an object once SAM has answered: all that is known is gathered, one function decides.

Being lost a moment longer costs less than following another thing (MOSEv2, Ding et al., 2025): a lost object is back
only after several sights.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto

import cv2
import numpy as np

from streamer.data.track import State
from streamer.motion.anchors import Anchor
from streamer.motion.pyramid import halve
from streamer.tracking.appearance import Colors, intersection, similarity
from streamer.tracking.candidates import MaskCandidate
from streamer.tracking.distractors import strangers_to
from streamer.tracking.parameters import (
    AREA_SHARE,
    CERTAIN_SCORE,
    HARDLY_SEEN,
    MAX_SIGHT,
    MIN_PREDICTED_IOU,
    MUCH_BETTER,
    SAME_SIGHT,
    TAKEN_SHARE,
    RedetectionParameters,
    UpdateThresholds,
)
from streamer.tracking.propagation import Propagation
from streamer.tracking.redetection import is_enough
from streamer.tracking.soft_masks import INSIDE, SoftMask, area_of, without_scraps
from streamer.tracking.track_state import TrackState


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a candidate mask, and of the object that it may be, on the candidate's frame.

    Attributes:
        is_outdated: Whether more has been said or seen since it was asked for.
        from_user: Whether a person asked for it.
        is_lost: Whether the object is.
        is_sought: Whether the object may be elsewhere, so that SAM was asked about other places as well.
        is_exact: Whether the carried mask was given by a person.
        is_exact_here: Whether it was given on this very frame.
        is_empty: Whether the candidate has no pixels.
        predicted_iou: SAM's own estimate.
        agreement: IoU with the carried mask; None where nothing was carried.
        octaves: By how many doublings its area differs from the carried mask's.
        carried_score: What the carried mask was worth on that frame, 0 to 1.
        area_share: Its area as a share of the largest that the object had.
        taken_share: Share of it that lies where another object is thought to be.
        is_well_known: Whether the object was seen for long before.
        own_similarity: To the object's gallery.
        first_similarity: To what the object looked like at first.
        stranger_similarity: To what others that look different looked like at first; None where it cannot be compared.
        distractor_similarity: To whatever any other object looked like.
        redetection: How far the object was believed to be back before, 0 to 1.
    """

    is_outdated: bool = False
    from_user: bool = False
    is_lost: bool = False
    is_sought: bool = False
    is_exact: bool = False
    is_exact_here: bool = False
    is_empty: bool = False
    predicted_iou: float = 1.0
    agreement: float | None = None
    octaves: float = 0.0
    carried_score: float = 0.0
    area_share: float = 1.0
    taken_share: float = 0.0
    is_well_known: bool = True
    own_similarity: float = 0.0
    first_similarity: float = 0.0
    stranger_similarity: float | None = None
    distractor_similarity: float = 0.0
    redetection: float = 0.0


class Action(Enum):
    """What becomes of the object."""

    IGNORE = auto()
    """The candidate tells nothing."""
    KEEP = auto()
    """The carried mask is known to be true."""
    ACCEPT = auto()
    """The candidate replaces the carried mask."""
    BLEND = auto()
    """The two are blended by the decision's weight."""
    REJECT = auto()
    """The carried mask stays; so many rejections in a row as the decision says lose the object."""
    LOSE = auto()
    """A lost object is not there."""
    AWAIT = auto()
    """A lost object may be there: the decision says how far that is believed."""
    REDETECT = auto()
    """A lost object is back."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the object, and how much.

    Attributes:
        action: What.
        weight: Of the candidate against the carried mask, 0 to 1.
        lost_after: Rejections in a row that lose it.
        redetection: How far it is believed to be back, 0 to 1.
    """

    action: Action
    weight: float = 1.0
    lost_after: int = 1
    redetection: float = 0.0


def decide(evidence: Evidence, update: UpdateThresholds, redetection: RedetectionParameters) -> Decision:
    """What becomes of an object, from the first reason that decides."""
    if evidence.is_outdated:
        return Decision(Action.IGNORE)

    overlaps = evidence.agreement is None or evidence.agreement >= update.min_overlap
    if not evidence.from_user:
        is_in_place = evidence.agreement is not None and overlaps
        looks_as_before = evidence.own_similarity >= redetection.min_similarity
        if evidence.is_lost or (evidence.is_sought and not (is_in_place and looks_as_before)):
            return _decide_about_lost(evidence, redetection)

    if evidence.is_exact_here:
        return Decision(Action.KEEP)

    most = evidence.first_similarity + redetection.distractor_margin
    if not evidence.from_user and evidence.stranger_similarity is not None and evidence.stranger_similarity > most:
        # It looks rather like another object did at first.
        return Decision(Action.REJECT, lost_after=redetection.confirmations)

    weight = weight_of(evidence, update)
    if not overlaps and not evidence.from_user:
        # SAM was asked about one thing and answers about another: however sure it is, it did not understand.
        return Decision(Action.REJECT, lost_after=update.lost_after)
    if weight >= update.accept:
        return Decision(Action.ACCEPT)
    if weight < update.reject:
        return Decision(Action.REJECT, lost_after=update.lost_after)
    return Decision(Action.BLEND, weight=weight)


def _decide_about_lost(evidence: Evidence, redetection: RedetectionParameters) -> Decision:
    sight = sight_of(evidence, redetection)
    if not sight:
        return Decision(Action.LOSE)
    is_same = evidence.agreement is not None and evidence.agreement > SAME_SIGHT
    total = sight + (evidence.redetection if is_same else 0.0)
    return Decision(Action.REDETECT if is_enough(total) else Action.AWAIT, redetection=total)


def weight_of(evidence: Evidence, update: UpdateThresholds) -> float:
    """How far a candidate is believed against the carried mask, 0 to 1, by what IoU each is thought to have."""
    if evidence.is_empty:
        return 0.0
    if evidence.from_user or evidence.agreement is None:
        return 1.0
    # In the time between two keyframes an object hardly changes its size: a candidate that does has rather leaked.
    doubt = update.growth * evidence.octaves
    return float(1 / (1 + np.exp((evidence.carried_score - evidence.predicted_iou + doubt) / update.sharpness)))


def sight_of(evidence: Evidence, redetection: RedetectionParameters) -> float:
    """How far a candidate for a lost object goes towards believing that it is back; at 1 it is believed.

    It has to be alike, more than any other, and of its size. What was seen for long has a gallery that knows it from
    all sides; what was hardly seen before it was lost is only faintly like it, may be much larger than what was seen of
    it, and has to be seen more often.
    """
    smallest, largest = AREA_SHARE
    if evidence.area_share <= smallest or (evidence.is_well_known and evidence.area_share >= largest):
        return 0.0
    if evidence.predicted_iou < MIN_PREDICTED_IOU:
        return 0.0
    # Where another object is thought to be, that one is more likely wrong the less the candidate looks like it.
    margin = redetection.distractor_margin if evidence.taken_share > TAKEN_SHARE else 0.0
    if evidence.own_similarity <= evidence.distractor_similarity + margin:
        return 0.0
    # Beyond what one sight asks for, it counts towards the next one, but never for all of it.
    faint = redetection.min_similarity
    share = (evidence.own_similarity - faint) / (redetection.similarity - faint)
    return min(max(share, 0.0), MAX_SIGHT) / redetection.confirmations


class Updater:
    """Puts decisions into effect.

    Args:
        propagation: Knows the colors of the frames that masks are of.
        update, redetection: What it takes to be believed.
    """

    def __init__(self, propagation: Propagation, update: UpdateThresholds, redetection: RedetectionParameters) -> None:
        self._propagation, self._update, self._redetection = propagation, update, redetection

    def adopt(
        self, state: TrackState, candidate: MaskCandidate, anchor: Anchor, states: Collection[TrackState]
    ) -> Decision:
        """Decide on a candidate for an object on the anchor's frame; ``states`` are all objects."""
        evidence = self.gather(state, candidate, anchor, states)
        decision = decide(evidence, self._update, self._redetection)
        match decision.action:
            case Action.IGNORE:
                return decision
            case Action.LOSE:
                state.refute_guess()
                state.lose()
            case Action.AWAIT:
                score = candidate.predicted_iou * self._update.quality_after(anchor.age)
                state.await_confirmation(candidate.soft_mask, score, anchor, decision.redetection)
            case Action.REDETECT:
                self.believe(state, candidate.soft_mask, candidate.predicted_iou, anchor)
            case _:
                self._update_followed(state, candidate, anchor, evidence, decision)
        state.take_answer()
        return decision

    def gather(
        self, state: TrackState, candidate: MaskCandidate, anchor: Anchor, states: Collection[TrackState]
    ) -> Evidence:
        """All that is known of a candidate."""
        request, appearance, area = candidate.request, candidate.appearance, area_of(candidate.soft_mask)
        carried, others = request.carried, request.distractors
        octaves = 0.0 if carried is None else abs(float(np.log2(max(area, 1) / max(area_of(carried), 1))))
        strangers = strangers_to(state, states, self._redetection.twin_similarity)
        on_others = 0 if others is None else np.count_nonzero((candidate.soft_mask > INSIDE) & others.taken)
        guessed_since = bool(state.guess) and state.seen_index > anchor.index and not request.from_user
        return Evidence(
            is_outdated=state.version != request.version or guessed_since,
            from_user=request.from_user,
            is_lost=state.state is State.LOST,
            is_sought=request.is_sought,
            is_exact=state.is_exact,
            is_exact_here=state.is_exact and state.anchor is not None and state.anchor.index == anchor.index,
            is_empty=area == 0,
            predicted_iou=candidate.predicted_iou,
            agreement=candidate.agreement,
            octaves=octaves,
            carried_score=state.score / self._update.quality_after(anchor.age),
            area_share=area / max(state.largest_area, 1),
            taken_share=on_others / max(area, 1),
            is_well_known=len(state.gallery) > HARDLY_SEEN,
            own_similarity=similarity(appearance, state.gallery),
            first_similarity=similarity(appearance, state.gallery[:1]),
            stranger_similarity=similarity(appearance, strangers) if strangers and state.gallery else None,
            distractor_similarity=0.0 if others is None else similarity(appearance, others.gallery),
            redetection=state.redetection,
        )

    def believe(
        self,
        state: TrackState,
        soft_mask: SoftMask,
        score: float,
        anchor: Anchor,
        from_user: bool = False,
        is_certain: bool = True,
    ) -> None:
        """From now on the object is this ``(h, w)`` mask of the anchor's frame, worth ``score`` there."""
        score *= self._update.quality_after(anchor.age)
        state.believe(soft_mask, score, anchor, self.colors_of(soft_mask, anchor), from_user, is_certain)

    def colors_of(self, soft_mask: SoftMask, anchor: Anchor) -> Colors | None:
        """Of a ``(h, w)`` mask of the anchor's frame and around it."""
        return Colors.of(self._propagation.image_of(anchor.pyramid).bins, halve(soft_mask))

    def _update_followed(
        self, state: TrackState, candidate: MaskCandidate, anchor: Anchor, evidence: Evidence, decision: Decision
    ) -> None:
        if evidence.is_exact:
            state.learn_appearance(candidate.appearance)
        if decision.action is Action.KEEP:
            return
        if decision.action is Action.REJECT:
            state.reject(decision.lost_after)
            return
        learn_background(state, candidate)
        soft_mask, score = candidate.soft_mask, candidate.predicted_iou
        if decision.action is Action.ACCEPT:
            state.learn_appearance(candidate.appearance)
        else:
            carried, weight = candidate.request.carried, decision.weight
            assert carried is not None
            score = weight * score + (1 - weight) * evidence.carried_score
            soft_mask = cv2.addWeighted(soft_mask, weight, carried, 1 - weight, 0)
        if not evidence.from_user:
            soft_mask = without_scraps(self._propagation.sharpened(state, soft_mask, anchor), state.scrap)
        is_certain = evidence.from_user or score >= CERTAIN_SCORE
        self.believe(state, soft_mask, score, anchor, evidence.from_user, is_certain)


def learn_background(state: TrackState, candidate: MaskCandidate) -> None:
    """Learn how much what is not the object is like it, by a candidate that is.

    What is much more like its first look than that candidate tells nothing: it may be the object.
    """
    own = 1.0
    if candidate.appearance is not None and state.gallery:
        own = intersection(candidate.appearance.colors, state.gallery[0].colors)
    if candidate.background < own + MUCH_BETTER:
        state.learn_background(candidate.background)
