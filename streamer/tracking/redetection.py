"""Where a lost object may be: by what SAM makes of a keyframe, and by its colors alone in the frames between.

What is seen by its colors is a guess: it is shown as uncertain until a keyframe confirms it. And it counts only where
the object has colors of its own: nothing may have looked as much like it while it was known to be elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from streamer.motion.pyramid import halve, sparse
from streamer.tracking.appearance import Bins, Gallery, ImageFeatures, color_similarity, frequencies, mean_colors
from streamer.tracking.distractors import Distractors
from streamer.tracking.parameters import (
    BETTER,
    CHANGED_COLORS,
    COLOR_MARGIN,
    COLOR_STREAK,
    LATER,
    MIN_COLORS,
    MUCH_BETTER,
    OWN_COLOR,
    PLACES_APART,
    SAME_SPOT,
    SPOT_AREA,
    SPOT_BLUR_PX,
    SPOT_CLOSE_PX,
    RedetectionParameters,
)
from streamer.tracking.soft_masks import INSIDE, pieces_of, same_place
from streamer.tracking.track_state import ColorSpot, TrackState

_FLOOR = 1e-6
_ROUNDING = 1e-6


def is_enough(redetection: float) -> bool:
    """Whether that much has been seen of a lost object to believe that it is back."""
    return redetection > 1 - _ROUNDING


def is_still_there(state: TrackState, bins: Bins, index: int, parameters: RedetectionParameters) -> bool:
    """Whether what was seen of a lost object is still there, some frames later, where flow carried it.

    That is as good as one more sight, if it is all that is missing: the next keyframe may be long in coming.

    Args:
        state: The object, shown on the present frame.
        bins: ``(h / 2, w / 2)`` intp color bins of the present frame.
        index: Of the present frame.
        parameters: What it takes.
    """
    if state.present is None or not is_enough(state.redetection + 1 / parameters.confirmations):
        return False
    if index - state.seen_index < LATER:
        return False
    return color_similarity(bins[halve(state.present) > INSIDE], state.gallery) >= parameters.kept_colors


def places_of(image: ImageFeatures, gallery: Gallery, distractors: Distractors, count: int) -> list[tuple[int, int]]:
    """(column, row) of the ``count`` features that look most like the object, and less like its distractors.

    They are apart from each other, and rather not where something else is known to be.
    """
    likely = _similarity_map(image, gallery)
    if distractors.gallery:
        likely = likely - np.maximum(_similarity_map(image, distractors.gallery) - likely, 0)
    rows, columns = likely.shape
    own = _own_colors(image.bins, image.colors, gallery, distractors.gallery)
    own = cv2.resize(own, (columns, rows), interpolation=cv2.INTER_AREA)
    share = cv2.resize(distractors.taken.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    likely = cv2.blur(likely + own, (3, 3)) - share / 2
    places = []
    for _ in range(count):
        _, _, _, (column, row) = cv2.minMaxLoc(likely)
        places.append((int(column), int(row)))
        top, left = max(0, row - PLACES_APART), max(0, column - PLACES_APART)
        likely[top : row + PLACES_APART + 1, left : column + PLACES_APART + 1] = -np.inf
    return places


def gallery_to_seek(state: TrackState, bins: Bins, parameters: RedetectionParameters) -> Gallery:
    """The appearances to look for an object by between keyframes; none while it is known where it is.

    It is not if it is lost, or guessed to be somewhere, or was carried for too long. What is followed and has not the
    object's first colors any more may have changed, or be something that it passed: then only its first look counts.

    Args:
        state: The object, shown on the present frame.
        bins: ``(h / 2, w / 2)`` intp color bins of the present frame.
        parameters: What counts as too long.
    """
    if state.redetection:
        return ()
    if state.present is None or state.guess > 0 or state.score < parameters.min_score:
        return state.gallery
    first = state.gallery[:1]
    return first if _own_colors_there(state, first, bins) < CHANGED_COLORS else ()


def find_by_color(
    state: TrackState, gallery: Gallery, bins: Bins, distractors: Distractors
) -> tuple[ColorSpot | None, bool]:
    """What may be the object by its colors alone, and whether that is enough to take it for the object.

    Where it is thought to be, it must be better seen than it is there; elsewhere much better, in two looks in a row.

    Args:
        state: The object, with what may have been it in the look before.
        gallery: The appearances to look for it by.
        bins: ``(h / 2, w / 2)`` intp color bins of the present frame.
        distractors: The other objects.
    """
    spot, before = most_similar_spot(bins, gallery, distractors, state.largest_area), state.spot
    if spot is None or spot.similarity < max(MIN_COLORS, state.background + COLOR_MARGIN):
        return None, False
    if state.present is not None:
        is_here = same_place(spot.soft_mask, state.present, SAME_SPOT)
        if spot.similarity < _own_colors_there(state, gallery, bins) + (BETTER if is_here else MUCH_BETTER):
            return None, False
        if is_here:
            return spot, True
    if before is not None and same_place(before.soft_mask, spot.soft_mask, SAME_SPOT):
        spot = replace(spot, streak=before.streak + 1)
    return spot, spot.streak >= COLOR_STREAK


def most_similar_spot(bins: Bins, gallery: Gallery, distractors: Distractors, area_px: int) -> ColorSpot | None:
    """What looks most like an object by its colors alone; None where nothing does.

    Args:
        bins: ``(h / 2, w / 2)`` intp color bins of the frame.
        gallery: What the object looks like.
        distractors: What the others look like, and ``(h, w)`` where it cannot be.
        area_px: Of the object [px of the grid]; what is much larger or smaller is something else.
    """
    taken = distractors.taken
    own = _own_colors(bins, frequencies(bins.ravel()), gallery, distractors.gallery)
    spots = cv2.compare(cv2.blur(own, (SPOT_BLUR_PX,) * 2), OWN_COLOR, cv2.CMP_GT)
    spots[sparse(taken)] = 0
    spots, areas = pieces_of(cv2.morphologyEx(spots, cv2.MORPH_CLOSE, np.ones((SPOT_CLOSE_PX,) * 2, np.uint8)))
    smallest, largest = SPOT_AREA
    likely = np.flatnonzero((4 * areas > smallest * area_px) & (4 * areas < largest * area_px)) + 1
    alike = {spot: color_similarity(bins[spots == spot], gallery) for spot in likely}
    if not alike:
        return None
    best = max(alike, key=alike.__getitem__)
    soft_mask = np.where(spots == best, np.uint8(255), np.uint8(0))
    return ColorSpot(cv2.resize(soft_mask, taken.shape[::-1], interpolation=cv2.INTER_LINEAR), alike[best])


def _own_colors_there(state: TrackState, gallery: Gallery, bins: Bins) -> float:
    """How much what is followed is like the gallery by its colors."""
    return 0.0 if state.present is None else color_similarity(bins[halve(state.present) > INSIDE], gallery)


def _similarity_map(image: ImageFeatures, gallery: Gallery) -> NDArray[np.float32]:
    """``(h, w)`` cosine of every feature of a frame with the one of the gallery that it is most like."""
    return (image.directions @ np.stack([known.features for known in gallery]).T).max(axis=2)


def _own_colors(bins: Bins, colors: NDArray[np.float32], gallery: Gallery, distractors: Gallery) -> NDArray[np.float32]:
    """``(H, W)``, 0 to 1: how much a pixel's color is the object's rather than the frame's or its distractors'."""
    own = mean_colors(gallery)
    return (own / (own + colors + mean_colors(distractors) + np.float32(_FLOOR)))[bins]
