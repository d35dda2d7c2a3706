"""What SAM is asked: about the present frame, or, where a person has spoken, about an older one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.data.mask import box_of, innermost_of
from streamer.data.prompt import FOREGROUND, Prompt
from streamer.data.track import State
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.motion.pyramid import Grid
from streamer.tracking import points
from streamer.tracking.appearance import Gallery
from streamer.tracking.distractors import Distractors, taken_beside
from streamer.tracking.parameters import TrackingParameters
from streamer.tracking.soft_masks import INSIDE, Mask, SoftMask
from streamer.tracking.track_state import TrackState

Box = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PromptRequest:
    """What SAM is asked about one object on a keyframe.

    Attributes:
        object_id: The object.
        version: How often the person had spoken about it when this was asked.
        from_user: Whether the person has spoken since it was last asked about: then the answer is theirs, and is
            believed.
        prompt: Clicks, box and what else is known, in pixels of the keyframe; None for a lost object.
        carried: ``(h, w)`` uint8 soft mask on the grid that the flow brought to the keyframe; None for a new object.
        expected_box: ``(4,)`` float32 x0, y0, x1, y1 [px of the grid] that a person drew, or else where constant
            velocity would put it, or None.
        gallery: What it looked like before.
        distractors: What else is about, where that matters.
        is_sought: Whether it is lost, or may be, and is looked for everywhere.
    """

    object_id: int
    version: int
    from_user: bool
    prompt: Prompt | None
    carried: SoftMask | None
    expected_box: Box | None = None
    gallery: Gallery = ()
    distractors: Distractors | None = None
    is_sought: bool = False


def requests_about_present(
    states: Collection[TrackState], motion: Motion, parameters: TrackingParameters
) -> list[PromptRequest]:
    """What to ask on the present frame, which is to become a keyframe; the states are shown on it."""
    asked = (_about_present(state, states, motion, parameters) for state in states)
    return [request for request in asked if request is not None]


def requests_about_anchor(states: Collection[TrackState], anchor: Anchor, negatives: int) -> list[PromptRequest]:
    """What a person has said that has not been asked about yet, put as questions about an older anchor."""
    asked, grid = [], anchor.grid
    for state in states:
        prompt = None
        if max(state.asked, state.corrected) < state.version:
            prompt = prompt_for(state, taken_beside(state, states, grid), grid, negatives)
        if prompt is not None:
            carried = state.soft_mask if state.anchor is anchor else None
            there = prompt.moved(anchor.points_to_anchor)
            drawn = _on_grid(None if state.box is None else there.box, grid)
            asked.append(PromptRequest(state.id, state.version, True, there, carried, drawn))
    return asked


def points_for(state: TrackState, motion: Motion, count: int) -> points.Points | None:
    """``(N, 2)`` points to follow [px]: those that are still on the object, and new ones; None without a mask."""
    if state.present is None or count == 0:
        return None
    mask, grid = state.present > INSIDE, motion.grid
    if not mask.any():
        return None
    kept = grid.from_frame(state.points)
    kept = kept[points.inside(mask, kept)]
    return grid.to_frame(points.positive(mask, motion.present.gray, count, kept))


def prompt_for(state: TrackState, others: Mask, grid: Grid, negatives: int) -> Prompt | None:
    """Clicks, followed points, points beside it, and the box, drawn or else carried; None where nothing is known.

    Args:
        state: The object, shown on the present frame.
        others: ``(h, w)`` bool, where other objects are.
        grid: The working grid.
        negatives: How many points beside the object.
    """
    coords, labels, box = state.point_coords, state.point_labels, state.box
    mask = None if state.present is None else state.present > INSIDE
    if mask is not None and mask.any():
        inner = state.points if len(state.points) else grid.to_frame(np.asarray([innermost_of(mask)], np.float32))
        more, kinds = points.labelled(inner, grid.to_frame(points.negative(mask, others, negatives)))
        coords, labels = np.concatenate([coords, more]), np.append(labels, kinds)
        tight = box_of(mask)
        # What the frame cuts off may be coming in: then its box of before keeps SAM from seeing the rest.
        if box is None and tight is not None and _is_within(tight, grid.size):
            box = grid.to_frame(np.asarray(tight, np.float32).reshape(2, 2) - 0.5).ravel()
    if box is None and not (labels == FOREGROUND).any():
        return None
    return Prompt(coords, labels, box)


def _about_present(
    state: TrackState, states: Collection[TrackState], motion: Motion, parameters: TrackingParameters
) -> PromptRequest | None:
    grid, redetection = motion.grid, parameters.redetection
    distractors = Distractors.of(state, states, grid)
    prompt = prompt_for(state, distractors.taken, grid, parameters.prompting.negatives)
    if prompt is None and not (redetection.by_keyframe and state.gallery):
        return None
    from_user = state.unanswered
    expected_box = _on_grid(state.box, grid) if from_user else state.expected_box
    # A late answer may be about what has left the frame since: then there is nothing to ask with.
    is_nowhere = state.state is State.LOST or prompt is None
    is_astray = state.score < redetection.min_score and not from_user
    return PromptRequest(
        state.id,
        state.version,
        from_user,
        prompt,
        state.present,
        expected_box,
        state.gallery,
        distractors,
        is_sought=(is_nowhere or is_astray) and bool(state.gallery),
    )


def _is_within(box: tuple[float, float, float, float], size: tuple[int, int]) -> bool:
    """Whether a box x0, y0, x1, y1 leaves a pixel free on each side of a grid of (width, height) ``size``."""
    return box[0] > 1 and box[1] > 1 and box[2] < size[0] - 1 and box[3] < size[1] - 1


def _on_grid(box: Box | None, grid: Grid) -> Box | None:
    return None if box is None else grid.from_frame(box.reshape(2, 2)).ravel()
