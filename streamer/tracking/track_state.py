"""What is known of one object. Its fields are written by its own methods only, one for each thing that can happen."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streamer.data.prompt import Prompt
from streamer.data.track import State
from streamer.motion.anchors import Anchor
from streamer.tracking.appearance import Appearance, Colors, Gallery, remember
from streamer.tracking.parameters import SCRAP
from streamer.tracking.path import Path
from streamer.tracking.soft_masks import SoftMask, area_of, smallest_piece

Points = NDArray[np.float32]
Box = NDArray[np.float32]

_NO_POINTS = np.empty((0, 2), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class ColorSpot:
    """What may be an object, by its colors.

    Attributes:
        soft_mask: ``(h, w)`` uint8 on the grid.
        similarity: Of its colors to the object's, at most 1.
        streak: In how many looks in a row it has been there.
    """

    soft_mask: SoftMask
    similarity: float
    streak: int = 1


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
        box: ``(4,)`` float32 that the person drew and that SAM has not been asked about yet [px].
        points: ``(N, 2)`` float32 on the object that are followed [px]: they prompt SAM, and tell when flow is astray.
        points_lost: Share of them that could not be followed since the last keyframe.
        anchor, soft_mask: The mask last believed, ``(h, w)`` uint8, and the frame that it is of.
        is_exact: Whether that mask was given by the person and so is true.
        present: The mask on the present frame, ``(h, w)`` uint8: carried and refined; None until it is asked for.
        colors, reference_colors: Of the object and around it lately, and when a person last spoke of it.
        color_ratio, cautious_ratio: ``(4096,)`` float32, what both say about each color, beside the other objects.
        seen_index: Frame of the keyframe that the mask goes back to.
        seen_at_s: Media time of the keyframe on which a model last saw it [s]; None before the first.
        area, largest_area: Of the mask there, and at most so far [px of the grid].
        scrap: Pieces of its mask of less than this share of the largest one are not it.
        path, expected_box: Where it has been going, and ``(4,)`` where it should be now [px of the grid].
        gallery: What it looked like.
        spot: What may be it, by its colors, while it is astray.
        guess: Color similarity of the spot that was taken for it; 0 once a keyframe has had its say.
        background: Color similarity of what looked most like it while it was known to be elsewhere.
        redetection: How far a lost object is believed to be back, 0 to 1; its mask then waits to be confirmed.
        score, state, rejections: How sure we are, and how many candidates in a row were rejected.
    """

    id: int
    prompts: list[Prompt] = field(default_factory=list)
    version: int = 0
    asked: int = 0
    corrected: int = 0
    point_coords: Points = field(default_factory=lambda: _NO_POINTS)
    point_labels: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    box: Box | None = None
    points: Points = field(default_factory=lambda: _NO_POINTS)
    points_lost: float = 0.0
    anchor: Anchor | None = None
    soft_mask: SoftMask | None = None
    is_exact: bool = False
    present: SoftMask | None = None
    colors: Colors | None = None
    reference_colors: Colors | None = None
    color_ratio: NDArray[np.float32] | None = None
    cautious_ratio: NDArray[np.float32] | None = None
    seen_index: int = 0
    seen_at_s: float | None = None
    area: int = 0
    largest_area: int = 0
    scrap: float = SCRAP
    path: Path = field(default_factory=Path)
    expected_box: Box | None = None
    gallery: Gallery = ()
    spot: ColorSpot | None = None
    guess: float = 0.0
    background: float = 0.0
    redetection: float = 0.0
    score: float = 0.0
    state: State = State.UNCERTAIN
    rejections: int = 0

    @property
    def unanswered(self) -> bool:
        """Whether the person has said something that no keyframe has been asked about."""
        return self.asked < self.version

    # What a person says

    def add_prompt(self, prompt: Prompt) -> None:
        """Take in clicks and a box about the present frame."""
        self.prompts.append(prompt)
        self.version += 1
        self.point_coords = np.concatenate([self.point_coords, prompt.point_coords])
        self.point_labels = np.concatenate([self.point_labels, prompt.point_labels])
        self.state = State.UNCERTAIN if self.state is State.LOST else self.state
        if prompt.box is not None:
            self.box = prompt.box

    def take_back_prompt(self) -> None:
        """Take back the last prompt, unless it is the only one."""
        last = self.prompts.pop()
        kept = max(0, len(self.point_coords) - len(last.point_coords))
        self.point_coords, self.point_labels = self.point_coords[:kept], self.point_labels[:kept]
        self.box = self.prompts[-1].box
        self.version += 1

    def be_given(self, soft_mask: SoftMask, anchor: Anchor, colors: Colors | None) -> None:
        """Be a true mask, which SAM need not be asked about."""
        self.believe(soft_mask, 1.0, anchor, colors, from_user=True)
        self.asked, self.is_exact = self.version, True

    def be_asked_about(self) -> None:
        """A keyframe is asked about all that the person has said."""
        self.asked = self.version

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
        self.present, self.path, self.expected_box = None, Path(), None
        self.score *= quality
        if self.soft_mask is None and self.prompts:
            self.version += 1  # what was asked about it then was answered to nobody

    # From frame to frame

    def advance(self) -> None:
        """The present frame has become the one before."""
        self.present, self.expected_box = None, self.path.expected_box()

    def follow_points(self, moved_to: Points, good: NDArray[np.bool_]) -> None:
        """Take in where the person's and its own points went, ``(N, 2)`` [px], and which arrived, ``(N,)``."""
        clicks = len(self.point_coords)
        own, arrived = moved_to[clicks:], good[clicks:]
        self.point_coords = moved_to[:clicks][good[:clicks]]
        self.point_labels = self.point_labels[good[:clicks]]
        if len(own):
            self.points_lost += (1 - self.points_lost) * (1 - np.count_nonzero(arrived) / len(own))
        self.points = own[arrived]

    def choose_points(self, points: Points) -> None:
        """Have ``(N, 2)`` points [px] followed from now on."""
        self.points, self.points_lost = points, 0.0

    def show(self, soft_mask: SoftMask) -> None:
        """Be this mask on the present frame."""
        self.present = soft_mask

    def move(self, soft_mask: SoftMask, quality: float) -> None:
        """Be this mask on the present frame, after one more frame, at that share of its quality."""
        self.path.follow(soft_mask)
        self.score *= quality

    def place(self, soft_mask: SoftMask, anchor: Anchor) -> None:
        """From now on be this mask of that frame."""
        self.soft_mask, self.anchor, self.present, self.is_exact = soft_mask, anchor, None, False

    # What keyframes say

    def believe(
        self,
        soft_mask: SoftMask,
        score: float,
        anchor: Anchor,
        colors: Colors | None,
        from_user: bool = False,
        is_certain: bool = True,
    ) -> None:
        """From now on be this mask of that frame, with those colors, and tracked (uncertain where it is).

        Args:
            soft_mask: ``(h, w)`` uint8 on the grid.
            score: What it is worth on the present frame, 0 to 1.
            anchor: Its frame.
            colors: Of it and around it there.
            from_user: Whether a person asked for it.
            is_certain: Whether it is rather right than wrong.
        """
        self.place(soft_mask, anchor)
        self.score, self.state = score, State.TRACKED if is_certain else State.UNCERTAIN
        self.rejections, self.redetection, self.guess = 0, 0.0, 0.0
        self.area = area_of(soft_mask)
        self.see(anchor.index, anchor.time_s)
        self.largest_area = max(self.largest_area, self.area)
        self.learn_colors(colors, from_user)
        if from_user:
            self.scrap = min(SCRAP, smallest_piece(soft_mask) / 2)

    def confirm(self, soft_mask: SoftMask, anchor: Anchor, colors: Colors | None) -> None:
        """Be back, since what a keyframe saw is still there on a later frame."""
        seen = self.seen_index, self.seen_at_s
        self.believe(soft_mask, self.score, anchor, colors)
        self.see(*seen)

    def await_confirmation(self, soft_mask: SoftMask, score: float, anchor: Anchor, redetection: float) -> None:
        """Stay lost, but perhaps be this mask of that frame."""
        self.place(soft_mask, anchor)
        self.state, self.redetection, self.score = State.LOST, redetection, score
        self.see(anchor.index, anchor.time_s)

    def see(self, index: int, seen_at_s: float | None) -> None:
        """What is known goes back to the frame of that index; a model saw it last at that media time [s]."""
        self.seen_index, self.seen_at_s = index, seen_at_s

    def reject(self, lost_after: int) -> None:
        """One more candidate was not it; so many in a row mean that it is lost."""
        self.refute_guess()
        self.rejections += 1
        self.state = State.UNCERTAIN
        if self.rejections >= lost_after or self.soft_mask is None:
            self.lose()

    def lose(self) -> None:
        """Be nowhere."""
        self.soft_mask = self.anchor = self.present = self.expected_box = None
        self.points, self.path = _NO_POINTS, Path()
        self.redetection, self.guess, self.spot, self.is_exact = 0.0, 0.0, None, False
        self.state, self.score = State.LOST, 0.0

    def start_scene(self) -> None:
        """Be nowhere, and what the person pointed at with it."""
        self.point_coords, self.point_labels, self.box = self.point_coords[:0], self.point_labels[:0], None
        self.lose()

    # What it looks like

    def learn_appearance(self, appearance: Appearance | None) -> None:
        """Take in one more appearance."""
        self.gallery = remember(self.gallery, appearance)

    def learn_colors(self, newer: Colors | None, from_user: bool) -> None:
        """Take in the colors of a mask that is believed; those of one that a person asked for count for ever."""
        self.colors = newer if self.colors is None else self.colors.joined(newer)
        if from_user or self.reference_colors is None:
            self.reference_colors = newer

    def set_color_ratios(self, color_ratio: NDArray[np.float32], cautious_ratio: NDArray[np.float32]) -> None:
        """See :meth:`Colors.ratios`."""
        self.color_ratio, self.cautious_ratio = color_ratio, cautious_ratio

    def notice(self, spot: ColorSpot | None) -> None:
        """Remember what may be it until the next look."""
        self.spot = spot

    def guess_at(self, spot: ColorSpot, anchor: Anchor, score: float, is_elsewhere: bool) -> None:
        """Be a spot of that frame for the time being; elsewhere, what was learnt lately was something else."""
        if is_elsewhere:
            self.lose()
            self.gallery, self.colors = self.gallery[:1], self.reference_colors
        self.place(spot.soft_mask, anchor)
        self.score, self.state, self.rejections = max(self.score, score), State.UNCERTAIN, 0
        self.area = area_of(spot.soft_mask)
        self.see(anchor.index, self.seen_at_s)  # no model has seen it there
        self.guess, self.spot = spot.similarity, None

    def refute_guess(self) -> None:
        """The spot was not it: from now on more is asked of what looks like it."""
        self.background = max(self.background, self.guess)

    def learn_background(self, color_similarity: float) -> None:
        """Something that it is not has colors that are so similar."""
        self.background = max(self.background, color_similarity)
