"""What is known of one object. Its fields are written by its own methods only, one for each thing that can happen."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streamer.data.prompt import MaskLevel, Prompt
from streamer.data.track import State
from streamer.motion.anchors import Anchor
from streamer.motion.pyramid import halve
from streamer.tracking.colors import INDIFFERENT, Colors
from streamer.tracking.parameters import CERTAIN_SCORE, SCRAP
from streamer.tracking.soft_masks import SoftMask, area_of, coherence, smallest_piece

Points = NDArray[np.float32]
Box = NDArray[np.float32]


@dataclass(slots=True, eq=False)
class TrackState:
    """One object.

    Attributes:
        id: Its number.
        prompts: What the person has said about it, oldest first.
        version, asked, corrected: How often the person has spoken, up to which of these a keyframe has been asked, and
            up to which an answer from an older one has been sought.
        point_coords, point_labels: The person's points, ``(N, 2)`` float32 carried to the present frame [px], and
            ``(N,)`` int32 SAM's labels of them.
        fresh: So many of the last points have come since SAM was last asked on a keyframe.
        box: ``(4,)`` float32 that the person drew and that SAM has not been asked about yet [px].
        level: Whether the person means a part or the whole.
        is_redrawn: Whether the person says anew what it is, rather than correct its mask.
        anchor, soft_mask: The mask last believed, ``(h, w)`` uint8, and the frame that it is of.
        is_exact: Whether that mask was given by the person and so is true.
        present, half_present: The mask on the present frame, carried and refined, ``(h, w)`` uint8, and on the half
            level; None until it is asked for.
        before: ``half_present`` of the frame before; None where the mask is not one that was carried from there.
        colors, reference_colors: Of the object and around it lately, and when a person last spoke of it.
        color_ratio: ``(4096,)`` float32, what both say about each color, beside the other objects.
        seen_index, seen_mask: Frame of the keyframe that the mask goes back to, and ``(h, w)`` uint8 what it was there.
        seen_at_s: Media time of the keyframe on which a model last saw it [s]; None before the first.
        area: Of the mask there [px of the grid].
        scrap: Pieces of its mask of less than this share of the largest one are not it.
        coherence: Of its mask when a person last spoke of it.
        score, state: How sure we are.
        sought_index: Frame of the last keyframe on which the memory was asked about it; -1 before the first.
        mended_index: Frame on which its mask was last mended; -1 before the first.
        expected_iou: What it was thought to be worth then; 1 before.
        believed: What the score was when the mask was last believed.
    """

    id: int
    prompts: list[Prompt] = field(default_factory=list)
    version: int = 0
    asked: int = 0
    corrected: int = 0
    point_coords: Points = field(default_factory=lambda: np.empty((0, 2), np.float32))
    point_labels: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    fresh: int = 0
    box: Box | None = None
    level: MaskLevel | None = None
    is_redrawn: bool = True
    anchor: Anchor | None = None
    soft_mask: SoftMask | None = None
    is_exact: bool = False
    present: SoftMask | None = None
    half_present: SoftMask | None = None
    before: SoftMask | None = None
    colors: Colors | None = None
    reference_colors: Colors | None = None
    color_ratio: NDArray[np.float32] = field(default_factory=lambda: INDIFFERENT)
    seen_index: int = -1
    seen_mask: SoftMask | None = None
    seen_at_s: float | None = None
    area: int = 0
    scrap: float = SCRAP
    coherence: float = 1.0
    score: float = 0.0
    state: State = State.UNCERTAIN
    sought_index: int = -1
    mended_index: int = -1
    expected_iou: float = 1.0
    believed: float = 0.0
    _half_mask: tuple[SoftMask, SoftMask] | None = None

    @property
    def half_mask(self) -> SoftMask | None:
        """``soft_mask`` on the half level, ``(h / 2, w / 2)``: what is carried from frame to frame."""
        if self.soft_mask is None:
            return None
        if self._half_mask is None or self._half_mask[0] is not self.soft_mask:
            self._half_mask = self.soft_mask, halve(self.soft_mask)
        return self._half_mask[1]

    @property
    def carried_frames(self) -> int:
        """Frames over which the mask comes to the present one: the last one, or all since its anchor if it is new."""
        return 1 if self.before is not None or self.anchor is None else self.anchor.age

    @property
    def unanswered(self) -> bool:
        """Whether the person has said something that no keyframe has been asked about."""
        return self.asked < self.version

    # What a person says

    def add_prompt(self, prompt: Prompt) -> None:
        """Take in clicks, a box or a level about the present frame."""
        self.prompts.append(prompt)
        self.version += 1
        self.fresh += len(prompt.point_coords)
        self.point_coords = np.concatenate([self.point_coords, prompt.point_coords])
        self.point_labels = np.concatenate([self.point_labels, prompt.point_labels])
        self.is_redrawn |= self.soft_mask is None or prompt.box is not None or prompt.mask_level is not None
        self.is_exact = False
        self.level = prompt.mask_level or self.level
        if self.state is State.LOST:
            self.state = State.UNCERTAIN
        if prompt.box is not None:
            self.box = prompt.box

    def take_back_prompt(self) -> None:
        """Take back the last prompt, unless it is the only one: SAM is asked anew about what is left."""
        last = self.prompts.pop()
        kept = max(0, len(self.point_coords) - len(last.point_coords))
        self.point_coords, self.point_labels = self.point_coords[:kept], self.point_labels[:kept]
        self.box, self.level = self.prompts[-1].box, self.prompts[-1].mask_level
        self.fresh, self.is_redrawn = kept, True
        self.version += 1

    def be_given(self, soft_mask: SoftMask, anchor: Anchor, colors: Colors | None) -> None:
        """Be a true mask, which SAM need not be asked about."""
        self.believe(soft_mask, 1.0, anchor, colors, from_user=True)
        self.is_exact = True

    def be_shown_again(self) -> None:
        """Be remembered anew as it is now."""
        self.version += 1
        self.is_exact = self.soft_mask is not None

    def be_asked_about(self) -> None:
        """A keyframe is asked about all that the person has said."""
        self.asked, self.fresh, self.is_redrawn = self.version, 0, False

    def be_sought(self, index: int) -> None:
        """The memory is asked about it on the frame of this index."""
        self.sought_index = index

    def be_corrected(self) -> None:
        """An older keyframe is asked about all that the person has said."""
        self.corrected = self.version

    def be_seen_anew(self) -> None:
        """There is a newer keyframe: what a person said while it was looked at can be answered from there."""
        self.corrected = self.asked

    def take_answer(self) -> None:
        """The box that was drawn has been answered."""
        self.box = None

    def restore(self, quality: float) -> None:
        """Be followed again after a removal; the mask has lost all but this share of its quality meanwhile."""
        self.present = self.half_present = self.before = None
        self.score *= quality
        if self.soft_mask is None and self.prompts:
            self.version += 1  # what was asked about it then was answered to nobody
            self.is_redrawn = True

    # From frame to frame

    def advance(self) -> None:
        """The present frame has become the one before."""
        self.before, self.present, self.half_present = self.half_present, None, None

    def follow_points(self, moved_to: Points, good: NDArray[np.bool_]) -> None:
        """Take in where the person's points went, ``(N, 2)`` [px], and which arrived, ``(N,)``."""
        self.fresh = int(np.count_nonzero(good[len(good) - self.fresh :]))
        self.point_coords, self.point_labels = moved_to[good], self.point_labels[good]

    def carried(self) -> tuple[Anchor, SoftMask]:
        """The anchor, and the mask last believed, carried from there to the present frame, ``(h / 2, w / 2)``."""
        assert self.anchor is not None
        assert self.half_mask is not None
        return self.anchor, self.anchor.carry_half(self.half_mask)

    def show(self, soft_mask: SoftMask, half: SoftMask | None) -> None:
        """Be this mask on the present frame, ``(h, w)``, which is ``half`` on the half level."""
        self.present, self.half_present = soft_mask, half

    def be_mended(self, index: int, iou: float) -> None:
        """The mask was mended on the frame of this index, and is thought to have this IoU."""
        self.mended_index, self.expected_iou = index, iou
        self.score = min(self.believed, iou)

    def fade(self, quality: float) -> None:
        """One more frame has gone by unmended: that share of its quality is left."""
        self.score *= quality

    def place(self, soft_mask: SoftMask, anchor: Anchor) -> None:
        """From now on be this mask of that frame."""
        self.soft_mask, self.anchor = soft_mask, anchor
        self.present = self.half_present = self.before = None

    # What keyframes say

    def believe(
        self, soft_mask: SoftMask, score: float, anchor: Anchor, colors: Colors | None, from_user: bool = False
    ) -> None:
        """From now on be this mask of that frame, with those colors, and tracked (uncertain with a low score).

        Args:
            soft_mask: ``(h, w)`` uint8 on the grid.
            score: What it is worth on the present frame, 0 to 1.
            anchor: Its frame.
            colors: Of it and around it there.
            from_user: Whether a person asked for it.
        """
        self.place(soft_mask, anchor)
        self.is_exact = False
        self.score = self.believed = score
        self.state = State.TRACKED if from_user or score >= CERTAIN_SCORE else State.UNCERTAIN
        self.expected_iou = 1.0
        self.area = area_of(soft_mask)
        self.seen_index, self.seen_at_s, self.seen_mask = anchor.index, anchor.time_s, soft_mask
        self.colors = colors if self.colors is None else self.colors.joined(colors)
        if from_user or self.reference_colors is None:
            self.reference_colors = colors
        if from_user:
            self.scrap = min(SCRAP, smallest_piece(soft_mask) / 2)
            self.coherence = coherence(soft_mask)

    def lose(self) -> None:
        """Be nowhere."""
        self.soft_mask = self.anchor = self.seen_mask = None
        self.present = self.half_present = self.before = None
        self.is_exact = False
        self.state, self.score = State.LOST, 0.0

    def start_scene(self) -> None:
        """Be nowhere, and what the person pointed at with it."""
        self.point_coords, self.point_labels, self.box = self.point_coords[:0], self.point_labels[:0], None
        self.fresh = 0
        self.lose()
