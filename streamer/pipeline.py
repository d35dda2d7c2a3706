"""The loop: every frame goes in, and comes out with everything that is known of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.data.frame import Frame
from streamer.data.prompt import Prompt, check_inside
from streamer.data.result import Result
from streamer.data.track import Track
from streamer.depth.propagation import DepthCarrier
from streamer.models.protocols import DepthEstimator
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion
from streamer.scheduling.jobs import CLICK, DEPTH, KEYFRAME, Job, Pending
from streamer.scheduling.scheduler import Plan, Scheduler, Situation
from streamer.scheduling.workers import Done, Workers
from streamer.tracking.compositing import INSIDE, FadeIn, on_frame
from streamer.tracking.protocol import TrackedMask, Tracker


class Pipeline:
    """Masks and depth for one frame after the other.

    Not thread-safe: call it from one thread. The models run in ``workers``.

    Args:
        tracker: None leaves masks out.
        depth_estimator: None leaves depth out.
        scheduler: When to run them.
        workers: Where to run them.
        motion, depth: The state that is carried from frame to frame.
        max_objects: How many objects are looked for when nobody says what to follow.
    """

    def __init__(
        self,
        tracker: Tracker[Any] | None,
        depth_estimator: DepthEstimator | None,
        scheduler: Scheduler,
        workers: Workers,
        motion: Motion,
        depth: DepthCarrier,
        max_objects: int = 5,
    ) -> None:
        self._tracker, self._depth_estimator = tracker, depth_estimator
        self._scheduler, self._workers = scheduler, workers
        self._motion, self._depth = motion, depth
        self._max_objects = max_objects
        self._frame: Frame | None = None
        self._pending = Pending(workers)
        self._said: list[Prompt] = []
        self._wanted: str | None = None
        self._discover = self._automatic = self._embedded = False
        self._last: dict[str, int | None] = {KEYFRAME: None, DEPTH: None, CLICK: None}
        self._timings: dict[str, float] = {}
        self._fading, self._landed = FadeIn(), set[int]()

    # What a person can say -------------------------------------------------------------------------------------

    def prompt(self, prompt: Prompt) -> int | None:
        """Say something about an object on the frame shown last (or on the first one, before any was).

        Returns:
            The object's id; None before the first frame if the prompt names none.

        Raises:
            PromptError: It does not lie on the frame.
        """
        if self._frame is None:
            self._said.append(prompt)
            return prompt.object_id
        check_inside([prompt], self._frame.size)
        object_id = self._add(prompt)
        self._answer_now()
        return object_id

    def remove(self, object_id: int) -> None:
        """Follow an object no longer."""
        if self._tracker is not None:
            self._tracker.remove_object(object_id)

    def undo(self) -> None:
        """Take back what was said last."""
        if self._tracker is not None:
            self._tracker.undo()
            self._answer_now()

    def force_keyframe(self) -> None:
        """Ask for a keyframe on the next frame."""
        self._wanted = "forced"

    def discover(self) -> None:
        """Look for objects on the next frame without being told where, and again on the first one of every new scene.

        What was found in the scene before is followed no longer then, unless a person has spoken of it since.
        """
        self._discover = self._automatic = True

    # The loop --------------------------------------------------------------------------------------------------

    def process(self, frame: Frame) -> Result:
        """Move on to the next frame.

        Raises:
            PromptError: A prompt given before the first frame does not lie on it.
            StreamerError: A model failed.
        """
        self._timings = {}
        with self._timed("flow"):
            self._motion.advance(frame.index, frame.image_rgb)
            if self._tracker is not None:
                self._tracker.propagate(self._motion)
        first, self._frame = self._frame is None, frame
        if first:
            self._begin(frame)
        if self._motion.scene_cut:
            self._start_scene()
        self._adopt_finished()
        plan = self._scheduler.plan(self._situation())
        self._submit(plan)
        self._adopt_finished()
        return self._result(plan)

    def refresh(self) -> Result | None:
        """The present frame again, with what has been said and found since: for a picture that is paused."""
        if self._frame is None:
            return None
        self._timings = {}
        self._adopt_finished()
        plan = Plan()
        tracker = self._tracker
        if tracker is not None and tracker.unanswered and not self._embedded and self._workers.ready(KEYFRAME):
            plan = Plan(keyframe="prompt")
            self._submit(plan)
            self._adopt_finished()
        return self._result(plan)

    def foresee(self, frames: Sequence[Frame]) -> list[tuple[Frame, Plan]]:
        """What will be started on the frames to come, if nobody says anything and nothing happens until then."""
        if self._frame is None:
            return []
        plans = self._scheduler.foresee(self._situation(), [frame.index for frame in frames])
        return list(zip(frames, plans, strict=True))

    def queues(self) -> dict[str, str]:
        """What each slow stage does: "busy", "waiting" for its turn although it is due, or "idle"."""
        plan = self._plan_if_free()
        stages = (KEYFRAME, self._tracker, plan.keyframe), (DEPTH, self._depth_estimator, plan.depth)
        return {lane: self._queue(lane, due is not None) for lane, model, due in stages if model is not None}

    def close(self) -> None:
        """Stop the workers. May be called twice."""
        self._workers.close()
        self._pending.clear()

    def _begin(self, frame: Frame) -> None:
        check_inside(self._said, frame.size)
        for prompt in self._said:
            self._add(prompt)
            self._wanted = "prompt"
        self._said.clear()

    # Parts of the loop -----------------------------------------------------------------------------------------

    def _answer_now(self) -> None:
        """Answer a person from the embedding that is at hand; a fresh keyframe confirms it later."""
        if self._tracker is None or not self._tracker.unanswered:
            return
        self._wanted = "prompt"
        corrections = self._tracker.corrections()
        if corrections is not None:
            self._start(CLICK, *corrections)

    def _add(self, prompt: Prompt) -> int:
        assert self._tracker is not None
        add = self._tracker.add_points_or_box if prompt.mask is None else self._tracker.add_mask
        return add(prompt, self._motion)

    def _start_scene(self) -> None:
        self._pending.start_scene()
        if self._tracker is not None:
            self._tracker.start_scene(keep_found=not self._automatic)
        self._discover = self._discover or self._automatic
        self._depth.forget()
        self._fading.forget()
        self._embedded = False

    def _queue(self, lane: str, due: bool) -> str:
        state = self._workers.state(lane)
        return "waiting" if state == "idle" and due and not self._workers.ready(lane) else state

    def _plan_if_free(self) -> Plan:
        """What would start on the present frame if no model were at work."""
        if self._frame is None:
            return Plan()
        return self._scheduler.plan(replace(self._situation(), keyframe_ready=True, depth_ready=True, in_turns=False))

    def _situation(self) -> Situation:
        assert self._frame is not None
        tracker = self._tracker
        wanted = self._wanted or ("prompt" if tracker is not None and tracker.unanswered else None)
        return Situation(
            index=self._frame.index,
            keyframe_index=self._last[KEYFRAME],
            depth_index=self._last[DEPTH],
            keyframe_ready=self._workers.ready(KEYFRAME),
            depth_ready=self._workers.ready(DEPTH),
            in_turns={KEYFRAME, DEPTH} <= set(self._workers.in_turns),
            objects=0 if tracker is None else len(tracker),
            wanted="discover" if self._discover else wanted,
            trouble=None if tracker is None else tracker.trouble,
            scene_cut=self._motion.scene_cut,
        )

    def _submit(self, plan: Plan) -> None:
        assert self._frame is not None
        image = self._frame.image_rgb
        if plan.keyframe is not None and self._tracker is not None:
            find = self._max_objects if self._discover else 0
            self._start(KEYFRAME, self._tracker.keyframe(image, self._motion, find))
            self._wanted, self._discover = None, False
        if plan.depth is not None and self._depth_estimator is not None:
            estimator = self._depth_estimator
            self._start(DEPTH, lambda: estimator.estimate(image))

    def _start(self, lane: str, call: Callable[[], Any], anchor: Anchor | None = None) -> None:
        assert self._frame is not None
        carried_depth = self._depth.on_grid(self._motion.present) if lane == DEPTH else None
        self._last[lane] = self._frame.index
        self._pending.start(lane, call, anchor or self._motion.open(), carried_depth)

    def _adopt_finished(self) -> None:
        for done, job in self._pending.finished():
            self._adopt(done, job)

    def _adopt(self, done: Done, job: Job) -> None:
        if done.lane == DEPTH:
            self._timings["depth"] = done.elapsed_ms
            self._depth.adopt(done.value, job.anchor, job.carried_depth)
            return
        assert self._tracker is not None
        self._timings |= done.value.timings_ms
        self._embedded = self._embedded or done.lane == KEYFRAME
        self._landed |= set(self._tracker.adopt(done.value, job.anchor))

    def _result(self, plan: Plan) -> Result:
        assert self._frame is not None
        with self._timed("carry"):
            on_grid = self._depth.on_grid(self._motion.present)
            masks = [] if self._tracker is None else self._tracker.masks(self._motion, on_grid)
            softs = self._fading.apply({mask.object_id: mask.soft_mask for mask in masks}, self._landed, self._motion)
            self._landed.clear()
            tracks = tuple(self._track(mask, softs[mask.object_id], on_grid) for mask in masks)
        return Result(
            frame=self._frame,
            tracks=tracks,
            depth_map=on_grid,
            depth_range=self._depth.range,
            keyframe=plan.keyframe,
            depth_run=plan.depth is not None,
            mask_age=None if self._tracker is None else self._tracker.mask_age,
            depth_age=None if self._depth.anchor is None else self._depth.anchor.age,
            timings_ms=self._timings,
        )

    def _track(self, sight: TrackedMask, soft: NDArray[np.uint8], inverse_depth: NDArray[np.float32] | None) -> Track:
        mask, box = on_frame(soft, self._motion.grid)
        stats = None
        if inverse_depth is not None:
            stats = self._depth.stats(sight.object_id, inverse_depth, soft > INSIDE)
        return Track(
            id=sight.object_id,
            mask=mask,
            box_xyxy=box,
            score=min(max(sight.score, 0.0), 1.0),
            state=sight.state,
            point_coords=sight.point_coords,
            point_labels=sight.point_labels,
            depth=stats,
        )

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start_s = time.perf_counter()
        yield
        self._timings[stage] = (time.perf_counter() - start_s) * 1000
