"""Objects that the refiner follows while it learns, each step from its own last answer: what it will meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.motion.anchors import Anchor, Plane, compose, remap
from streamer.tracking.colors import INDIFFERENT, Colors, bins_of
from streamer.tracking.refinement import Carried, RefinementImage, crop, paste
from streamer.tracking.soft_masks import INSIDE, SoftMask, harden, is_empty, overlap
from training.refiner_films import Film

MIN_AREA_PX = 20
MEAN_FRAMES, MOST_FRAMES = 12, 60
JUMP_SHARE, MOST_JUMPED = 0.4, 12
TRUE_SHARE = 0.4


@dataclass(slots=True)
class Sample:
    """What the refiner is asked, and what is right: ``(S, S, 11)`` and ``(S, S)`` uint8."""

    planes: NDArray[np.uint8]
    truth: NDArray[np.uint8]


class Walk:
    """One object of one film on its way from a frame on which its mask is known.

    Args:
        film: Where it is seen.
        number: Of the object.
        at: The frame.
        mask: What is believed of it there, ``(h / 2, w / 2)``.
        side_px: Of the crops.
        settle_after: Frames after which the last answer becomes what is believed.
    """

    def __init__(self, film: Film, number: int, at: int, mask: SoftMask, side_px: int, settle_after: int) -> None:
        self._film, self._number, self._at, self._side_px = film, number, at, side_px
        self._settle_after = settle_after
        colors = Colors.of(bins_of(film.halves[at]), mask)
        self._ratio = INDIFFERENT if colors is None else colors.ratio()
        rows, columns = np.indices(mask.shape, np.float32)
        self._identity: tuple[Plane, Plane] = np.asarray(columns), np.asarray(rows)
        self._settle(mask)
        self._before = mask
        self._carried = Carried(self._anchor, mask, mask, self._others, self._ratio)

    @property
    def over(self) -> bool:
        """Whether the film has no further frame."""
        return self._at + 1 >= len(self._film.halves)

    def skip(self, frames: int) -> None:
        """Go on without an answer, as when that about the first frame comes late."""
        for _ in range(frames):
            if not self.over:
                self._step()
        self._before = self._anchor.carry_half(self._believed)

    def advance(self) -> Sample | None:
        """What is asked about the next frame; None where nothing is left of the object."""
        step = self._step()
        self._carried = Carried(
            self._anchor,
            self._anchor.carry_half(self._believed),
            remap(self._before, *step),
            self._anchor.carry_half(self._others),
            self._ratio,
        )
        region = self._carried.region
        if is_empty(region):
            return None
        planes = crop(self._carried, RefinementImage(self._film.pyramid(self._at)), self._side_px)
        truth = self._film.truth(self._at, self._number)[region]
        return Sample(planes, cv2.resize(truth, (self._side_px, self._side_px)).astype(np.uint8))

    def take(self, answer: NDArray[np.uint8]) -> None:
        """Go on from what the refiner answered, ``(S, S)`` uint8."""
        self._before = paste(answer, self._carried.region, self._before.shape)
        if self._anchor.age >= self._settle_after:
            self._settle(harden(self._before))

    def ious(self) -> tuple[float, float]:
        """Of what the flow alone carries from the anchor, and of the last answer."""
        truth = self._film.truth(self._at, self._number) > INSIDE
        return overlap(self._carried.anchored > INSIDE, truth), overlap(self._before > INSIDE, truth)

    def _settle(self, mask: SoftMask) -> None:
        self._believed, self._others = mask, self._film.others(self._at, self._number)
        self._anchor = Anchor(self._at, self._film.pyramid(self._at), *self._identity)

    def _step(self) -> tuple[Plane, Plane]:
        self._at += 1
        step = self._film.step(self._at, self._identity)
        compose([self._anchor], *step)
        return step


class Track:
    """One walk after the other, each from somewhere else.

    Args:
        pools: Films of each kind.
        shares: How often each kind is drawn.
        side_px: Of the crops.
        rng: Draws.
    """

    def __init__(
        self, pools: Sequence[Sequence[Film]], shares: Sequence[float], side_px: int, rng: np.random.Generator
    ) -> None:
        self._pools, self._shares, self._side_px, self._rng = pools, shares, side_px, rng
        self._begin()

    def sample(self) -> Sample:
        """Of the next frame, in the light of this walk."""
        while True:
            if self._left <= 0 or self._walk.over:
                self._begin()
            self._left -= 1
            asked = self._walk.advance()
            if asked is not None:
                seen = asked.planes[..., 4:10] * np.tile(self._gain, 2) + np.tile(self._shift, 2)
                asked.planes[..., 4:10] = np.clip(seen, 0, 255).astype(np.uint8)
                return asked
            self._begin()

    def take(self, answer: NDArray[np.uint8]) -> None:
        """Go on from what the refiner answered, ``(S, S)`` uint8."""
        self._walk.take(answer)

    def _begin(self) -> None:
        rng = self._rng
        film, number, at = self._draw()
        truth = film.truth(at, number)
        believed = truth if rng.random() < TRUE_SHARE else displaced(truth, rng)
        self._walk = Walk(film, number, at, believed, self._side_px, int(rng.integers(5, 16)))
        self._left = 3 + int(min(rng.exponential(MEAN_FRAMES), MOST_FRAMES))
        self._gain, self._shift = rng.uniform(0.75, 1.3, 3), rng.uniform(-25, 25, 3)
        if rng.random() < JUMP_SHARE:
            self._walk.skip(min(int(rng.integers(1, MOST_JUMPED)), len(film.halves) - 2 - at))

    def _draw(self) -> tuple[Film, int, int]:
        while True:
            pool = self._pools[int(self._rng.choice(len(self._pools), p=self._shares))]
            film = pool[int(self._rng.integers(len(pool)))]
            number, at = int(self._rng.choice(film.objects)), int(self._rng.integers(0, len(film.halves) - 2))
            if np.count_nonzero(film.truth(at, number) > INSIDE) >= MIN_AREA_PX:
                return film, number, at


def displaced(truth: SoftMask, rng: np.random.Generator) -> SoftMask:
    """A mask as a model may have answered: its outline moved by a smooth field, more or less sharp."""
    inside = (truth > INSIDE).astype(np.uint8)
    away = cv2.distanceTransform(inside, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    height, width = truth.shape
    cells = int(rng.integers(3, 14))
    field = rng.normal(0, 1, (cells, cells * width // height)).astype(np.float32)
    reach_px = rng.uniform(0.01, 0.12) * float(inside.sum()) ** 0.5
    away += reach_px * cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(127.5 + 127.5 * away / rng.uniform(0.5, 3), 0, 255).astype(np.uint8)
