"""Masks: a tracker that looks at keyframes, and answers a person at once from the last one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.data.frame import Frame
from streamer.data.part import Part
from streamer.data.prompt import Prompt
from streamer.data.reason import Reason
from streamer.data.track import DepthStats, State, Track
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.stages.parameters import ScheduleParameters
from streamer.stages.protocol import Job, Situation, due_at_interval
from streamer.tracking.compositing import INSIDE, on_frame
from streamer.tracking.protocol import HasTimings, TrackedMask, Tracker

LOOK_AGAIN_EVERY = 30
"""Frames between two looks for what has appeared: a second of most videos; asking about a whole grid of points costs as
much as some ten keyframes."""


class SceneDepth(Protocol):
    """What masks need to know of depth: it tells which of two objects is in front, and how far each is."""

    def on_grid(self, motion: Motion) -> NDArray[np.float32] | None:
        """``(h, w)`` float32 inverse depth on the working grid of the present frame; None while there is none."""
        ...

    def stats(self, object_id: int, inverse_depth: NDArray[np.float32], mask: NDArray[np.bool_]) -> DepthStats | None:
        """Quartiles of it inside an object's ``(h, w)`` mask."""
        ...

    def position_m(
        self, inverse_depth: NDArray[np.float32], mask: NDArray[np.bool_], motion: Motion
    ) -> tuple[float, float, float] | None:
        """Where the object under a ``(h, w)`` mask is in camera coordinates [m]; None where there are no meters."""
        ...


class MasksStage:
    """Keyframes of a tracker, and its masks on every frame.

    Args:
        tracker: Follows the objects.
        schedule: When it looks.
        max_objects: How many objects are looked for when nobody says what to follow.
        depth: Where it is known how far things are; None where it is not.
        max_age_s: Time since a model last saw an object beyond which it is uncertain, if keyframes come late [s].
        keeps_looking: Whether more objects are looked for as they appear, rather than in every new scene only.

    Attributes:
        tracks: As they were shown last.
    """

    name = "masks"
    immediate = False

    def __init__(
        self,
        tracker: Tracker[Any],
        schedule: ScheduleParameters,
        max_objects: int = 5,
        depth: SceneDepth | None = None,
        max_age_s: float = 2.0,
        keeps_looking: bool = False,
    ) -> None:
        self._tracker, self._schedule, self._max_objects, self._depth = tracker, schedule, max_objects, depth
        self._max_age_s = max_age_s
        self._keeps_looking, self._sought_at = keeps_looking, 0
        self.image_call = tracker.image_call
        self._wanted: Reason | None = None
        self._automatic = self._has_looked = False
        self._timings_ms: dict[str, float] = {}
        self._doubted: set[int] = set()
        self._unspoken: set[int] = set()  # found by a detector, and no person has spoken of them
        self.tracks: tuple[Track, ...] = ()
        self._labels: dict[int, str] = {}  # by object; kept when one is taken away, since it may be brought back

    # A person speaks.

    def prompt(self, prompt: Prompt, motion: Motion, undoable: bool = True) -> int:
        """Say something about an object on the present frame. Returns its id.

        Args:
            prompt: What is said.
            motion: Where everything is now.
            undoable: Whether `undo` takes it back: a person says it, not a detector.
        """
        if not self._has_looked:  # a mask that was given needs no answer, but the first look is what it is for
            self._wanted = self._wanted or Reason.PROMPT
        add = self._tracker.add_points_or_box if prompt.mask is None else self._tracker.add_mask
        object_id = add(prompt, motion, undoable)
        (self._unspoken.discard if undoable else self._unspoken.add)(object_id)
        if prompt.label is not None:
            self._labels[object_id] = prompt.label
        return object_id

    def name_object(self, object_id: int, label: str) -> None:
        """Say what an object is called."""
        self._labels[object_id] = label

    def remove(self, object_id: int, undoable: bool = True) -> None:
        """Follow an object no longer."""
        self._tracker.remove_object(object_id, undoable)

    def undo(self) -> None:
        """Take back what a person said last."""
        self._tracker.undo()

    def force(self) -> None:
        """Ask for a keyframe on the next frame."""
        if self._wanted is not Reason.DISCOVER:  # which is a keyframe as well
            self._wanted = Reason.FORCED

    def discover(self) -> None:
        """Look for objects on the next frame without being told where, and again on the first one of every new scene.

        What was found in the scene before is followed no longer then, unless a person has spoken of it since.
        """
        self._wanted, self._automatic = Reason.DISCOVER, True

    def doubt(self, object_ids: Iterable[int]) -> None:
        """From now on show these objects, and no others that were doubted, as uncertain at best."""
        self._doubted = set(object_ids)

    # The frames go on.

    def propagate(self, motion: Motion) -> None:
        self._tracker.propagate(motion)

    def start_scene(self) -> None:
        self._tracker.start_scene(keep_found=not self._automatic)
        if self._automatic:
            self._wanted = Reason.DISCOVER

    def due(self, situation: Situation) -> Reason | None:
        wanted = None if situation.calm else self._wanted or (Reason.PROMPT if self._tracker.unanswered else None)
        seen = situation.held and situation.last_index == situation.index
        # Who clicks on a frame that has been seen is answered from what was seen there; who asks for a look gets one.
        if wanted is not None and not (seen and wanted is Reason.PROMPT):
            return wanted
        if len(self._tracker) == 0:
            return Reason.HELD if situation.held and not seen else None  # so that a click is answered at once
        reason = due_at_interval(situation, self._schedule.keyframe_interval)
        if reason is not None or situation.last_index is None or situation.calm or situation.held:
            return reason
        rested = situation.index - situation.last_index >= self._schedule.min_keyframe_gap
        return self._tracker.trouble if rested else None

    def job(self, frame: Frame, motion: Motion) -> Job[HasTimings]:
        find = self._how_many_to_find(frame.index)
        self._wanted, self._has_looked = None, True
        return Job(self._tracker.keyframe(frame.image_rgb, motion, find), motion.open())

    def _how_many_to_find(self, index: int) -> int:
        is_due = self._automatic and self._keeps_looking and index - self._sought_at >= LOOK_AGAIN_EVERY
        if self._wanted is not Reason.DISCOVER and not is_due:
            return 0
        self._sought_at = index
        return self._max_objects if self._wanted is Reason.DISCOVER else max(0, self._max_objects - len(self._tracker))

    def adopt(self, answer: HasTimings, anchor: Anchor) -> None:
        self._tracker.adopt(answer, anchor)
        self._timings_ms |= answer.timings_ms

    def at(self, motion: Motion) -> Part:
        inverse_depth = None if self._depth is None else self._depth.on_grid(motion)
        masks = self._tracker.masks(motion, inverse_depth)
        tracks = tuple(self._track(one, motion, inverse_depth) for one in masks)
        self.tracks = tracks
        timings_ms, self._timings_ms = self._timings_ms, {}
        ages_s = [track.age_s for track in tracks if track.age_s is not None and track.state is not State.LOST]
        return Part(self._tracker.mask_age, tracks, timings_ms=timings_ms, age_s=max(ages_s, default=None))

    def _track(self, one: TrackedMask, motion: Motion, inverse_depth: NDArray[np.float32] | None) -> Track:
        age_s = None if one.seen_at_s is None else motion.time_s - one.seen_at_s
        mask, box = on_frame(one.soft_mask, motion.grid)
        stats = position_m = None
        if self._depth is not None and inverse_depth is not None:
            inside = one.soft_mask > INSIDE
            stats = self._depth.stats(one.object_id, inverse_depth, inside)
            position_m = self._depth.position_m(inverse_depth, inside, motion)
        is_clicked = one.object_id not in self._unspoken
        return Track(
            id=one.object_id,
            mask=mask,
            box_xyxy=box,
            score=min(max(one.score, 0.0), 1.0),
            state=self._state(one, age_s),
            point_coords=one.point_coords if is_clicked else one.point_coords[:0],
            point_labels=one.point_labels if is_clicked else one.point_labels[:0],
            depth=stats,
            position_m=position_m,
            label=self._labels.get(one.object_id),
            age_s=age_s,
        )

    def _state(self, one: TrackedMask, age_s: float | None) -> State:
        """The tracker's word, unless its models starve: nobody knows what has become of what was seen so long ago."""
        is_old = age_s is not None and age_s > self._max_age_s
        too_old = is_old and (self._tracker.mask_age or 0) > self._schedule.keyframe_interval
        doubted = too_old or one.object_id in self._doubted
        return State.UNCERTAIN if doubted and one.state is State.TRACKED else one.state


class ClicksStage:
    """Answers a person from the embedding that is at hand; a fresh keyframe confirms it later.

    Args:
        tracker: The one whose keyframes another stage asks for.
    """

    name = "clicks"
    immediate = True
    image_call = None

    def __init__(self, tracker: Tracker[Any]) -> None:
        self._tracker = tracker

    def propagate(self, motion: Motion) -> None:
        """Nothing of its own is carried."""

    def start_scene(self) -> None:
        """Nothing of its own is carried."""

    def due(self, situation: Situation) -> Reason | None:
        return Reason.PROMPT if self._tracker.unanswered and not situation.calm else None

    def job(self, frame: Frame, motion: Motion) -> Job[HasTimings] | None:
        corrections = self._tracker.corrections()
        return None if corrections is None else Job(*corrections)

    def adopt(self, answer: HasTimings, anchor: Anchor) -> None:
        self._tracker.adopt(answer, anchor)

    def at(self, motion: Motion) -> Part:
        return Part()
