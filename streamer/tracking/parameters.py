"""What can be set about tracking, the section ``tracking`` of a config, and the constants of its algorithms.

Every figure has a unit and a source: a paper, a measurement in docs/tracking.md, or the sweep there ("swept": under
"Constants, swept"). Lengths in [px of the grid] are on the level of 424 pixels on which masks live, those in [px of the
half] on half of it. What has no unit is a share, a factor, or a similarity of at most 1.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from streamer.data.parameters import Parameters
from streamer.data.prompt import MaskLevel
from streamer.data.reason import Reason


class MemoryParameters(Parameters):
    """How many frames are remembered for every object, and about how many objects a keyframe asks.

    Attributes:
        recent: The newest of its own answers.
        given: The first and the newest of those about which a person spoke.
        at_once: At most so many objects are asked about on one keyframe. Where there are more, they take turns, and
            those in trouble go first.
    """

    recent: int = Field(default=5, ge=0)
    given: int = Field(default=3, ge=1)
    at_once: int = Field(default=8, ge=1)


class KeyframeTriggers(Parameters):
    """What is wrong enough with a carried mask to call a keyframe early.

    Attributes:
        enabled: Whether anything is; otherwise keyframes come at their interval.
        area_jump: Factor by which the mask has grown or shrunk since the last one.
        min_iou: IoU below which a carried mask is thought to be, 0 to 1.
    """

    enabled: bool = True
    area_jump: float = Field(default=1.8, ge=1)
    min_iou: float = Field(default=0.7, ge=0, le=1)

    def reason(self, growth: float, iou: float) -> Reason | None:
        """What troubles a mask that grew by this factor and is thought to have this IoU; None if nothing."""
        if not self.enabled:
            return None
        if not 1 / self.area_jump <= growth <= self.area_jump:
            return Reason.AREA_JUMP
        return Reason.LOOKS_DIFFERENT if iou < self.min_iou else None


class TrackingParameters(Parameters):
    """How objects are followed.

    Attributes:
        method: Whose memory follows them on keyframes, carried by flow in between: the bundled one, or that of the
            segmenter, which then has to be of this kind.
        max_objects: How many are looked for when nobody says what to follow.
        everything: Whether all stable regions are followed, new ones as they appear, rather than what stands out.
        mask_level: Which of SAM's masks a click means: the one it is surest of, the smallest, or the largest.
        refinement: Whether carried masks are mended on every frame.
        passes: How often SAM is asked about a new object on one keyframe: first with what was said, then with its own
            answer and the box around it as well (SAM-PT, in stages).
        decay: Share of its score that a carried mask is thought to lose per frame on which it is not mended.
        mended_at_once: At most so many masks are mended on one frame. Where there are more, they take turns.
        max_age_s: Time since a model last saw an object [s] beyond which it is uncertain, whatever its score; where
            keyframes come as scheduled, they are never so far apart. After 2 s carried masks are right by half at best.
    """

    method: Literal["memory", "sam2", "edgetam", "sam3"] = "memory"
    max_objects: int = Field(default=5, ge=0)
    everything: bool = False
    mask_level: MaskLevel = "auto"
    refinement: bool = True
    passes: int = Field(default=2, ge=1)
    decay: float = Field(default=0.035, ge=0, lt=1)
    mended_at_once: int = Field(default=8, ge=1)
    max_age_s: float = Field(default=2.0, gt=0)
    memory: MemoryParameters = MemoryParameters()
    keyframe_triggers: KeyframeTriggers = KeyframeTriggers()

    def quality_after(self, frames: int) -> float:
        """The share of its score that is left of a mask that was carried for so long."""
        return (1 - self.decay) ** frames


# Clicks (clicks.py).
STABILITY_WEIGHT = 0.2  # of how stable a candidate is beside its predicted IoU: swept
DRAWN_BOX_WEIGHT = 1.0  # a box that a person drew counts as much as the predicted IoU: it is meant, not foretold
CLICK_RADIUS_PX = 3  # [px of the grid] around a click that SAM would not follow

# Keyframes (keyframes.py, memory_tracker.py).
LOGIT_RANGE = 2.0  # logits from -2 to 2 become 0 to 255: swept
KNOWN_SHARE = 0.5  # of what was found, from which it is an object that is followed already: the larger part of it
PRESENT = 0.5  # probability from which an object is there: as likely as not
CERTAIN_SCORE = 0.5  # below it a mask is shown as uncertain: as likely wrong as right
HEAD_START = 14  # [frames] that an object in trouble is taken to have waited longer for its turn: two keyframes
VANISHED_PX, VANISHED_SHARE = 12, 0.03  # [px of the grid], and of its area: what is left of a mask that is gone: swept
SETTLE_AFTER = 5  # [frames] after which a refined mask becomes an anchor: table "Between keyframes"

# History (history.py).
MAX_REMOVED = 8  # objects that can be brought back; each costs what carrying it costs

# Refinement (refinement.py), [px of the half].
CROP_MARGIN, MIN_MARGIN_PX = 0.35, 10  # around an object, of its sides: what the refiner was trained with
COLOR_LEVELS = 16  # per channel; 8: swept
RING_PX = 8  # around an object, whose colors speak against it: swept
MAX_LOG_RATIO = 3.0  # a color speaks for an object by e^3 at most: swept
COLOR_MEMORY = 0.5  # of the colors learnt before, per mask that is believed: swept
OTHERS_WEIGHT = 0.5  # of another object's colors among those around this one: swept
STEEPNESS = 4  # of the edge of a mask that becomes an anchor: swept
OUTSIDE, FAINT = 32, 16  # [of 255] below: surely outside; above: worth refining: both swept
GAP_PX = 2  # [px of the grid] half of what may part two pieces of one thing: docs/tracking.md, "What it says"
SCRAP = 0.1  # share of the largest piece below which a piece is a scrap: swept

# Snapping (snapping.py), GrabCut (Rother et al., SIGGRAPH 2004).
BAND_SHARE, MIN_BAND_PX = 0.06, 2  # half the band, of the root of the area, and [px of the grid]: swept
MIN_SIDE_PX = 64  # [px of the grid]; fewer on either side tell nothing of its colors

# Compositing (compositing.py).
DEPTH_SAMPLES = 500  # [px] for a median, whose error is 1.25 / sqrt(500) of their spread: 6 %
DEPTH_FALLOFF = 8.0  # e-fold for every eighth of the depth range: swept
