"""What is known of one object, and how it is kept up from frame to frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.data.prompt import Prompt
from streamer.data.track import State
from streamer.motion.anchors import Anchor
from streamer.motion.pyramid import Grid
from streamer.tracking.recognition import Bank, likeness
from streamer.tracking.refine import INSIDE, SCRAP, Colors

_NO_POINTS = np.empty((0, 2), np.float32)
_VELOCITY_MEMORY = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """What may be an object, by its colors.

    Attributes:
        soft: ``(h, w)`` uint8 soft mask on the grid.
        likeness: How much its colors are like the object's, at most 1.
        streak: In how many looks in a row it has been there.
    """

    soft: NDArray[np.uint8]
    likeness: float
    streak: int = 1


@dataclass(slots=True, eq=False)
class Object:
    """One object.

    Attributes:
        id: Its number.
        said: What the person has said about it, oldest first.
        version, answered: How often the person has spoken, and up to which of these SAM has been asked.
        clicks, labels: The person's points, carried to the present frame [px], and SAM's labels of them.
        box: The box that the person drew and that SAM has not been asked about yet.
        points: Points on the object that are followed [px]: they prompt SAM, and tell when flow goes astray.
        points_lost: Share of them that could not be followed since the last keyframe.
        anchor, soft: The mask last believed, ``(h, w)`` uint8, and the frame that it is of.
        given: Whether that mask was given by the person and so is true.
        shown: The mask on the present frame: carried and refined.
        colors, origin: Of the object and around it lately, and when a person last spoke of it.
        ratio, cautious_ratio: What both say about each color, beside the other objects.
        seen_index: Frame of the keyframe that the mask goes back to.
        area, largest: Pixels of the grid that the mask had there, and at most so far.
        scrap: Pieces of its mask of less than this share of the largest one are not it.
        path, expected: Where it has been going, and the box where it should be now [px of the grid].
        bank: What it looked like.
        glimpse: What may be it, by its colors, while it is lost.
        guess: Likeness of what was glimpsed and taken for it; 0 once a keyframe has had its say.
        mimic: Likeness of what looked most like it while it was elsewhere.
        evidence: How far a lost object is believed to be back, 0 to 1; its mask then waits to be confirmed.
        score, state, rejections: How sure we are, and how many answers in a row were not believed.
    """

    id: int
    said: list[Prompt] = field(default_factory=list)
    version: int = 0
    answered: int = 0
    clicks: NDArray[np.float32] = field(default_factory=lambda: _NO_POINTS)
    labels: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    box: NDArray[np.float32] | None = None
    points: NDArray[np.float32] = field(default_factory=lambda: _NO_POINTS)
    points_lost: float = 0.0
    anchor: Anchor | None = None
    soft: NDArray[np.uint8] | None = None
    given: bool = False
    shown: NDArray[np.uint8] | None = None
    colors: Colors | None = None
    origin: Colors | None = None
    ratio: NDArray[np.float32] | None = None
    cautious_ratio: NDArray[np.float32] | None = None
    seen_index: int = 0
    area: int = 0
    largest: int = 0
    scrap: float = SCRAP
    path: Path = field(default_factory=lambda: Path())
    expected: NDArray[np.float32] | None = None
    bank: Bank = ()
    glimpse: Glimpse | None = None
    guess: float = 0.0
    mimic: float = 0.0
    evidence: float = 0.0
    score: float = 0.0
    state: State = State.UNCERTAIN
    rejections: int = 0

    def place(self, soft: NDArray[np.uint8], anchor: Anchor) -> None:
        """From now on it is this mask on that frame."""
        self.soft, self.anchor, self.shown, self.given = soft, anchor, None, False

    def learn(self, newer: Colors | None, spoken: bool) -> None:
        """Take in the colors of a mask that is believed; those of one that a person asked for count for ever."""
        self.colors = newer if self.colors is None else self.colors.joined(newer)
        if spoken or self.origin is None:
            self.origin = newer

    def forget_mask(self) -> None:
        """It is nowhere."""
        self.soft = self.anchor = self.shown = self.expected = None
        self.points, self.path = _NO_POINTS, Path()
        self.evidence, self.guess, self.glimpse, self.given = 0.0, 0.0, None, False


def tell_apart(items: Iterable[Object]) -> None:
    """Bring up to date what colors say about each object: those of the others speak against it."""
    known = {item: item.colors.joined(item.origin) for item in items if item.colors is not None}
    for item, colors in known.items():
        decisive = colors.against(other for at, other in known.items() if at is not item)
        item.ratio, item.cautious_ratio = decisive.ratios()


def rivals_of(item: Object, items: Iterable[Object]) -> Bank:
    """What the other objects look like."""
    return tuple(look for other in items if other is not item for look in other.bank)


def strangers_to(item: Object, items: Iterable[Object], twins: float) -> Bank:
    """What the others looked like at first, but for those whose likeness to this one was ``twins`` or more."""
    firsts = [other.bank[0] for other in items if other is not item and other.bank]
    return tuple(look for look in firsts if likeness(look, item.bank[:1]) < twins)


def taken_beside(item: Object, items: Iterable[Object], grid: Grid) -> NDArray[np.bool_]:
    """``(h, w)`` bool: where on the grid the other objects are shown."""
    taken = np.zeros(grid.size[::-1], bool)
    for other in items:
        if other is not item and other.shown is not None and other.state is not State.LOST:
            taken |= other.shown > INSIDE
    return taken


@dataclass(slots=True)
class Path:
    """Constant velocity: the box of the last frame, and how it has been changing [px of the grid]."""

    box: NDArray[np.float32] | None = None
    velocity: NDArray[np.float32] = field(default_factory=lambda: np.zeros(4, np.float32))

    def follow(self, mask: NDArray[np.uint8]) -> None:
        """Take in the soft mask of one more frame."""
        x, y, width, height = cv2.boundingRect((mask > INSIDE).view(np.uint8))
        if width == 0:
            return
        box = np.array([x, y, x + width, y + height], np.float32)
        if self.box is not None:
            self.velocity = _VELOCITY_MEMORY * self.velocity + (1 - _VELOCITY_MEMORY) * (box - self.box)
        self.box = box

    def expected(self) -> NDArray[np.float32] | None:
        """Where the box will be on the next frame."""
        return None if self.box is None else self.box + self.velocity
