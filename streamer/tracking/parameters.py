"""What can be set about tracking, the section ``tracking`` of a config, and the constants of its algorithms.

Every figure has a unit and a source: a paper, a measurement in docs/tracking.md, or the sweep there ("swept": under
"Constants, swept"). Lengths in [px of the grid] are on the level of 424 pixels on which masks live, those in [px of the
half] on half of it. What has no unit is a share, a factor, or a similarity of at most 1.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from streamer.data.parameters import Parameters
from streamer.data.reason import Reason


class PromptingParameters(Parameters):
    """What SAM is given about an object on a keyframe.

    Attributes:
        positives, negatives: Points on the object, and beside it and on other objects. 8 and 4: SAM-PT (Rajič et al.,
            2023); one instead of eight costs eight points of J&F, none beside it five.
        use_box: Whether the carried box is part of the prompt.
        use_mask: Whether the carried mask is. The small SAM repeats the mistakes it is shown: 3 points less.
        passes: How often it is asked on one keyframe: first with points, then with its own answer and the box around
            it as well (SAM-PT, in stages). One pass: 3 points less.
    """

    positives: int = Field(default=8, ge=0)
    negatives: int = Field(default=4, ge=0)
    use_box: bool = True
    use_mask: bool = False
    passes: int = Field(default=2, ge=1)


class RankingWeights(Parameters):
    """What counts beside the predicted IoU when one of SAM's candidates is chosen.

    Attributes:
        agreement: Its IoU with the carried mask. Less is better on DAVIS and worse on scenes and from a click.
        stability: IoU of the masks at a higher and a lower threshold, as in SAM's automatic masks.
        motion: IoU of its box with the one that constant velocity predicts (SAMURAI, Yang et al., 2024).
    """

    agreement: float = Field(default=0.7, ge=0)
    stability: float = Field(default=0.2, ge=0)
    motion: float = Field(default=0.2, ge=0)


class UpdateThresholds(Parameters):
    """What it takes for a candidate to replace the mask that was carried.

    Attributes:
        decay: Share of its quality that a carried mask is thought to lose per frame.
        accept: Weight against the carried mask from which a candidate replaces it.
        reject: Weight below which it is not used at all; between the two it is blended with the carried mask.
        sharpness: How much better by its predicted IoU it has to be for e times the odds; smaller decides faster.
        growth: By how much the predicted IoU of one of twice or half the carried area is thought too high.
        min_overlap: IoU with the carried mask below which it is about something else.
        lost_after: Rejected candidates in a row after which an object counts as lost.
    """

    decay: float = Field(default=0.035, ge=0, lt=1)
    accept: float = Field(default=0.1, ge=0, le=1)
    reject: float = Field(default=0.02, ge=0, le=1)
    sharpness: float = Field(default=0.1, gt=0)
    growth: float = Field(default=0.15, ge=0)
    min_overlap: float = Field(default=0.15, ge=0, le=1)
    lost_after: int = Field(default=4, ge=1)

    def quality_after(self, frames: int) -> float:
        """The share of its quality that is left of a mask that was carried for so long."""
        return (1 - self.decay) ** frames


class RedetectionParameters(Parameters):
    """How lost objects are looked for, and when they are believed to be back.

    Attributes:
        by_keyframe: Whether they are looked for on every keyframe.
        by_color: Whether they are guessed to be where their colors are in between.
        similarity: To its gallery, from which a lost object has been found again, once that is confirmed: of 87 such
            answers 85 were right.
        min_similarity: From which it may have been: the closer to this one, the more confirmations it takes.
        confirmations: Keyframes in a row that it takes to believe that a lost object is back, or that must mistake
            another for one that is followed before it is believed to be lost.
        min_score: Of a carried mask, below which its object is looked for elsewhere as well: after 30 frames.
        kept_colors: Similarity in colors alone that what was seen must have kept some frames later to count as one more
            sight.
        distractor_margin: By how much more a candidate must look like another object at first than like its own to be
            that one.
        twin_similarity: From which two objects look too much alike to be told apart by their looks.
    """

    by_keyframe: bool = True
    by_color: bool = True
    similarity: float = Field(default=0.8, ge=-1, le=1)
    min_similarity: float = Field(default=0.6, ge=-1, le=1)
    confirmations: int = Field(default=2, ge=1)
    min_score: float = Field(default=0.35, ge=0, le=1)
    kept_colors: float = Field(default=0.7, ge=0, le=1)
    distractor_margin: float = Field(default=0.08, ge=0)
    twin_similarity: float = Field(default=0.85, ge=-1, le=1)


class KeyframeTriggers(Parameters):
    """What is wrong enough with a carried mask to call a keyframe early.

    Attributes:
        enabled: Whether anything is; otherwise keyframes come at their interval, or where a lost object may be back.
        points_lost: Share of the followed points that were lost since the last keyframe.
        area_jump: Factor by which the mask has grown or shrunk since then.
        min_trust: Below this, on average over the mask, the object no longer looks like what is carried, 0 to 1.
    """

    enabled: bool = True
    points_lost: float = Field(default=0.5, ge=0, le=1)
    area_jump: float = Field(default=1.8, ge=1)
    min_trust: float = Field(default=0.25, ge=0, le=1)

    def reason(self, points_lost: float, growth: float, trust: float) -> Reason | None:
        """What is wrong with a mask that lost this share of its points and grew by this factor; None where all is well.

        ``trust`` is how far the present frame bears it out, 0 to 1.
        """
        if not self.enabled:
            return None
        if points_lost > self.points_lost:
            return Reason.POINTS_LOST
        if not 1 / self.area_jump <= growth <= self.area_jump:
            return Reason.AREA_JUMP
        return Reason.LOOKS_DIFFERENT if trust < self.min_trust else None


class TrackingParameters(Parameters):
    """How objects are followed.

    Attributes:
        method: What follows them: SAM on keyframes, carried by flow.
        max_objects: How many are looked for when nobody says what to follow.
        refinement: Whether carried masks follow the colors and edges of every frame: five points of J&F.
    """

    method: Literal["flow", "memory"] = "flow"
    max_objects: int = Field(default=5, ge=0)
    refinement: bool = True
    prompting: PromptingParameters = PromptingParameters()
    ranking: RankingWeights = RankingWeights()
    update: UpdateThresholds = UpdateThresholds()
    redetection: RedetectionParameters = RedetectionParameters()
    keyframe_triggers: KeyframeTriggers = KeyframeTriggers()


# Points (points.py), [px of the grid]: k-medoids of the mask and its corners after SAM-PT.
POINT_CANDIDATES, CORNER_CANDIDATES = 256, 48  # for 8 medoids: swept
CORNER_QUALITY, CORNER_DISTANCE_PX = 0.02, 4  # of goodFeaturesToTrack (Shi and Tomasi, CVPR 1994)
CORNER_REACH_PX = 4  # around the mask, for the corner detector's window
NEGATIVE_RING_PX = (5, 18)  # distances between which background is sampled: swept
MAX_EROSION_PX, EROSION_SHARE = 4.0, 0.6  # points lie as deep as this, or as this share of the deepest: swept
MEDOID_ROUNDS = 2  # steps of k-medoids (Lloyd, 1982), fewer where nothing moves: swept

# Candidates (candidates.py).
LOGIT_RANGE = 4.0  # SAM's logits from -4 to 4 become 0 to 255: swept
STABILITY_WEIGHT = 0.2
STABILITY_OFFSET = 1.0  # [logits] SAM's automatic mask generator (Kirillov et al., 2023)
DRAWN_BOX_WEIGHT = 1.0  # a box that a person drew counts as much as the predicted IoU: it is meant, not foretold
PREDICTED_IOU_SHARE = (
    0.1  # of what a candidate in one of several places is worth beside its similarity: breaks ties: swept
)
BESIDE_PX = 9  # [px of the grid], box around a mask, where what is like it is a part of it: swept

# Updating (update.py).
CERTAIN_SCORE = 0.5  # below it a mask is shown as uncertain: as likely wrong as right
VANISHED_PX, VANISHED_SHARE = 12, 0.03  # [px of the grid], and of its area: what is left of a mask that is gone: swept
SETTLE_AFTER = 5  # [frames] after which a refined mask becomes an anchor: table "Between keyframes"
VELOCITY_MEMORY = 0.8  # of constant velocity, per frame: swept

# History (history.py).
MAX_REMOVED = 8  # objects that can be brought back; each costs what carrying it costs

# Refinement (refinement.py), [px of the half].
COLOR_LEVELS = 16  # per channel; 8: swept
RING_PX = 8  # around an object, whose colors speak against it: swept
MAX_LOG_RATIO = 3.0  # a color speaks for an object by e^3 at most: swept
COLOR_MEMORY = 0.5  # of the colors learnt before, per mask that is believed: swept
OTHERS_WEIGHT = 0.5  # of another object's colors among those around this one: swept
CAUTION = 4  # power of how far apart the colors inside and outside are: swept
BLUR_PX = 11  # box, applied twice, by which a mask is spread where it is not trusted: swept
MIN_PRIOR, PRIOR_RANGE = 0.03, (0.002, 0.998)  # below: nowhere near the object, swept; range: sweep of 2026-11-22 (.92)
STEEPNESS = 4  # of the edge of a mask that becomes an anchor: swept
OUTSIDE, FAINT = 32, 16  # [of 255] below: surely outside; above: worth refining: both swept
EDGE_SIDE_PX, EDGE_EPS = 3, 195.0  # guided filter (He et al., TPAMI 2013): window, .003 * 255^2 [gray levels^2]: swept
SCRAP = 0.1  # share of the largest piece below which a piece is a scrap: swept

# Snapping (snapping.py), GrabCut (Rother et al., SIGGRAPH 2004).
BAND_SHARE, MIN_BAND_PX = 0.06, 2  # half the band, of the root of the area, and [px of the grid]: swept
MIN_SIDE_PX = 64  # [px of the grid]; fewer on either side tell nothing of its colors

# Appearance (appearance.py).
GALLERY_SIZE = 6  # the first look and the last five: swept
MIN_COVERAGE = 0.5  # of a feature's cell that has to be the object: more than not
STRONGEST_WEIGHT = 0.5  # of the strongest feature beside the mean (PerSAM): swept
OWN_PIECE, FOREIGN_PIECE = 0.75, 0.6  # similarities of pieces: a person's .82 to .90, a tree taken along .43 to .51
PIECE_GAP = 0.5  # of the root of the area: farther pieces are not it; what hides a middle is seldom that wide: swept

# Re-detection by keyframe (redetection.py).
SEARCH_PLACES = 4  # places that are asked about: swept
PLACES_APART = 2  # [cells of the embedding] between them: swept
HARDLY_SEEN = 2  # appearances in the gallery of an object that was lost soon: it may be larger than what was seen
AREA_SHARE = (0.1, 4.0)  # of its largest area so far; others are something else: swept
MIN_PREDICTED_IOU = 0.5  # as likely wrong as right
TAKEN_SHARE = 0.3  # of a candidate on another object, from which the two must clearly look different: swept
SAME_SIGHT = 0.4  # IoU with what the last keyframe saw, from which it is the same: swept
LATER = 3  # [frames] after which the same place is another sight; 12 to the next keyframe when live: docs/tracking.md
MAX_SIGHT = 1.5  # times what one sight is worth; below `confirmations`, so that one alone never makes certain
PROMISING = 0.3  # of what it takes, from which a keyframe is asked for to confirm it: swept

# Re-detection by color (redetection.py), [px of the half] for sizes of spots.
COLOR_INTERVAL, COLOR_STREAK = 2, 2  # [frames] between looks, and looks in a row: 4 frames, a sixth of a second
OWN_COLOR = 0.5  # share of a color that is the object's rather than the frame's: more its own than not
SPOT_BLUR_PX, SPOT_CLOSE_PX = 5, 9  # fills spots that are speckled: swept
SPOT_AREA = (0.2, 1.6)  # of the object's largest area so far: swept
MIN_COLORS = 0.6  # right answers about lost objects share .63 to .95, wrong ones .05 to .47
COLOR_MARGIN = 0.03  # above whatever looked like it elsewhere: swept
BETTER, MUCH_BETTER = 0.05, 0.15  # than where it is thought to be, in the same place and elsewhere: docs/tracking.md
CHANGED_COLORS = 0.6  # below which what is followed may have become something else: as MIN_COLORS
SAME_SPOT = 0.5  # of the smaller of two masks: most of it
GUESS_SCORE = 0.3  # below min_score, so that it is looked for elsewhere as well

# Compositing (compositing.py).
DEPTH_SAMPLES = 500  # [px] for a median, whose error is 1.25 / sqrt(500) of their spread: 6 %
DEPTH_FALLOFF = 8.0  # e-fold for every eighth of the depth range: swept
SAME_OBJECT = 0.3  # IoU from which an outline may wander from one mask to the other; for the eye, in no figure
FADE_EDGE_PX, FADE_MARGIN_PX = 2.0, 4  # [px of the grid] half the soft edge of an outline that moves, and room for it
