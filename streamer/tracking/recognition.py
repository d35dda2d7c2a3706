"""Knowing an object again by what it looks like: to SAM (PerSAM, Zhang et al., ICLR 2024), and by its colors.

SAM's features tell a person from a wall, but hardly one person from another; colors do (Swain and Ballard, Color
Indexing, IJCV 1991). Where they agree it is the object.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.tracking.refine import INSIDE, SCRAP, frequencies, pieces_of

_BANK_SIZE = 6
_MIN_COVERAGE = 0.5
_APART = 2
_FLOOR = 1e-6
_OWN, _ALIEN, _GAP = 0.75, 0.6, 0.5
_OWN_COLOR, _SPOT_BLUR_PX, _SPOT_CLOSE_PX = 0.5, 5, 9
_LEAST_SPOT, _LARGEST_SPOT = 0.2, 1.6


@dataclass(frozen=True, eq=False)
class View:
    """What looks are taken from: SAM's ``(h, w, C)`` features of a frame, and its ``(H, W)`` color bins."""

    features: NDArray[np.float32]
    bins: NDArray[np.intp]

    @cached_property
    def centered(self) -> NDArray[np.float32]:
        """``(h, w, C)`` features against their mean over the whole frame."""
        return self.features - self.features.mean(axis=(0, 1), keepdims=True)

    @cached_property
    def directions(self) -> NDArray[np.float32]:
        """``(h, w, C)`` unit vectors of them."""
        return self.centered / np.maximum(np.linalg.norm(self.centered, axis=2, keepdims=True), _FLOOR)

    @cached_property
    def colors(self) -> NDArray[np.float32]:
        """``(4096,)`` frequencies of the whole frame's colors."""
        return frequencies(self.bins.ravel())


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What an object looks like.

    Attributes:
        features: Unit vector ``(C,)``: mean and maximum of the features inside, against the mean of the whole frame.
        colors: ``(4096,)`` frequencies of its colors.
    """

    features: NDArray[np.float32]
    colors: NDArray[np.float32]


Bank = tuple[Look, ...]


def described(view: View, soft: NDArray[np.uint8]) -> Look | None:
    """The look of what a ``(H, W)`` soft mask covers; None where it covers nothing."""
    rows, columns = view.features.shape[:2]
    weights = cv2.resize(soft, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    inside = view.bins[soft > INSIDE]
    if weights.max() <= 0.1 or not len(inside):
        return None
    mean = np.tensordot(weights, view.centered, axes=2) / weights.sum()
    strongest = view.centered[weights >= min(_MIN_COVERAGE, float(weights.max()))].max(axis=0)
    return Look(_unit(_unit(mean) + 0.5 * _unit(strongest)), frequencies(inside))


def likeness(look: Look | None, bank: Bank) -> float:
    """How much a look is like the one of the bank that it is most like, at most 1; 0 with nothing to compare.

    The mean of the cosine of the features and the intersection of the histograms.
    """
    if look is None:
        return 0.0
    return max(
        (float(look.features @ known.features + shared(look.colors, known.colors)) / 2 for known in bank),
        default=0.0,
    )


def color_likeness(bins: NDArray[np.intp], bank: Bank) -> float:
    """How much the colors of ``(N,)`` pixels are like those of the look that they are most like, at most 1."""
    if not len(bins):
        return 0.0
    colors = frequencies(bins)
    return max((shared(colors, known.colors) for known in bank), default=0.0)


def places_of(view: View, bank: Bank, rivals: Bank, taken: NDArray[np.bool_], count: int) -> list[tuple[int, int]]:
    """(column, row) of the ``count`` features that look most like the object, and less like its rivals.

    They are apart from each other, and rather not where ``taken`` ``(H, W)``: there something else is known to be.
    """
    likely = _likeness_map(view, bank)
    if rivals:
        likely = likely - np.maximum(_likeness_map(view, rivals) - likely, 0)
    rows, columns = likely.shape
    own = cv2.resize(_own_colors(view.bins, view.colors, bank, rivals), (columns, rows), interpolation=cv2.INTER_AREA)
    share = cv2.resize(taken.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    likely = cv2.blur(likely + own, (3, 3)) - share / 2
    places = []
    for _ in range(count):
        _, _, _, (column, row) = cv2.minMaxLoc(likely)
        places.append((int(column), int(row)))
        likely[max(0, row - _APART) : row + _APART + 1, max(0, column - _APART) : column + _APART + 1] = -np.inf
    return places


def most_alike(
    bins: NDArray[np.intp], bank: Bank, rivals: Bank, taken: NDArray[np.bool_], area: int
) -> tuple[NDArray[np.uint8], float] | None:
    """What looks most like an object by its colors alone, and how much so; None where nothing does.

    Args:
        bins: ``(h / 2, w / 2)`` color bins of the frame.
        bank: What the object looks like.
        rivals: What the others look like.
        taken: ``(h, w)`` where it cannot be.
        area: Of the object [px of the grid]; what is much larger or smaller is something else.

    Returns:
        ``(h, w)`` uint8 soft mask and likeness, at most 1.
    """
    own = _own_colors(bins, frequencies(bins.ravel()), bank, rivals)
    spots = cv2.compare(cv2.blur(own, (_SPOT_BLUR_PX,) * 2), _OWN_COLOR, cv2.CMP_GT)
    spots[taken[::2, ::2]] = 0
    spots, areas = pieces_of(cv2.morphologyEx(spots, cv2.MORPH_CLOSE, np.ones((_SPOT_CLOSE_PX,) * 2, np.uint8)))
    likely = np.flatnonzero((4 * areas > _LEAST_SPOT * area) & (4 * areas < _LARGEST_SPOT * area)) + 1
    alike = {spot: color_likeness(bins[spots == spot], bank) for spot in likely}
    if not alike:
        return None
    best = max(alike, key=alike.__getitem__)
    soft = np.where(spots == best, np.uint8(255), np.uint8(0))
    return cv2.resize(soft, taken.shape[::-1], interpolation=cv2.INTER_LINEAR), alike[best]


def without_aliens(view: View, soft: NDArray[np.uint8], bank: Bank) -> NDArray[np.uint8]:
    """A ``(H, W)`` soft mask without pieces that look like something else, where one piece looks like the object alone.

    An object that passes another may take it along, and both are then carried on. What it looked like at first, before
    it could, tells them apart. Pieces that lie far from the one most like it are left out in any case: what hides an
    object's middle is seldom that wide.
    """
    pieces, areas = pieces_of(soft)
    large = [place + 1 for place in np.flatnonzero(areas >= SCRAP * areas.max(initial=0))]
    if len(large) < 2 or not bank:
        return soft
    alike = {piece: likeness(described(view, np.where(pieces == piece, soft, 0)), bank[:1]) for piece in large}
    best = max(alike, key=alike.__getitem__)
    away = cv2.distanceTransform((pieces != best).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3)
    far = _GAP * float(np.sqrt(areas[best - 1]))
    aliens = [
        piece
        for piece, share in alike.items()
        if (share < _ALIEN and alike[best] >= _OWN) or away[pieces == piece].min() > far
    ]
    return np.where(np.isin(pieces, aliens), 0, soft) if aliens else soft


def remember(bank: Bank, look: Look | None) -> Bank:
    """The bank with one more look: the first stays, the oldest of the others goes."""
    if look is None:
        return bank
    return (*bank[:1], *[*bank[1:], look][-(_BANK_SIZE - 1) :]) if bank else (look,)


def _likeness_map(view: View, bank: Bank) -> NDArray[np.float32]:
    """``(h, w)`` cosine of every feature of a frame with the one of the bank that it is most like."""
    return (view.directions @ np.stack([known.features for known in bank]).T).max(axis=2)


def _own_colors(bins: NDArray[np.intp], colors: NDArray[np.float32], bank: Bank, rivals: Bank) -> NDArray[np.float32]:
    """``(H, W)``, 0 to 1: how much a pixel's color is the object's rather than the frame's or its rivals'."""
    own = _mean_colors(bank)
    return (own / (own + colors + _mean_colors(rivals) + np.float32(_FLOOR)))[bins]


def _mean_colors(bank: Bank) -> NDArray[np.float32] | float:
    return np.mean([known.colors for known in bank], axis=0) if bank else 0.0


def shared(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """The intersection of two histograms."""
    return float(np.minimum(first, second).sum())


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    return vector / max(float(np.linalg.norm(vector)), _FLOOR)
