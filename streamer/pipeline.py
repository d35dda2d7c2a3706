"""The loop: every frame goes in, and comes out with everything that is known of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streamer.data import known_depths
from streamer.data.frame import Frame
from streamer.data.known_depths import KnownDepths
from streamer.data.prompt import Prompt, check_inside
from streamer.data.result import Result
from streamer.errors import PromptError, SourceError
from streamer.geometry.known_camera import KnownCamera
from streamer.motion.motion import Motion
from streamer.scheduling import scheduler
from streamer.scheduling.jobs import Pending
from streamer.scheduling.scheduler import Moment, Plan
from streamer.scheduling.workers import Workers
from streamer.stages.protocol import Calibrated, Prompted, Stage

_HAS_GONE = "What you pointed at has left the picture or is covered by now: point again."


class Pipeline:
    """What the stages know, for one frame after the other.

    Not thread-safe: call it from one thread. The models run in ``workers``.

    Args:
        stages: The slow models.
        workers: Where they run, in lanes of the stages' names.
        motion: Where everything goes from frame to frame.
        prompted: The stage that takes in what a person says; None where there is nothing to be said.
        camera: What is known of the camera; None assumes an ordinary one, anywhere.
        calibrated: The stage that takes in known depths; None where there is none.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        workers: Workers,
        motion: Motion,
        prompted: Prompted | None = None,
        camera: KnownCamera | None = None,
        calibrated: Calibrated | None = None,
    ) -> None:
        self._stages = {stage.name: stage for stage in stages}
        self._workers, self._motion, self._prompted = workers, motion, prompted
        self._pending = Pending(workers)
        self._camera, self._calibrated = camera or KnownCamera(), calibrated
        self._frame: Frame | None = None
        self._closed = False
        self._at_rest: Result | None = None
        self._early: list[Prompt] = []
        self._early_depths: list[KnownDepths] = []
        self._last: dict[str, int] = {}
        self._cut_unseen = False
        self._timings_ms: dict[str, float] = {}
        self._model_timings_ms: dict[str, float] = {}

    def process(self, frame: Frame) -> Result:
        """Move on to the next frame.

        Raises:
            PromptError: A prompt given before the first frame does not lie on it.
            SourceError: The frame is not newer than the one before, or the pipeline has been closed.
            StreamerError: A model failed.
        """
        self._timings_ms, self._model_timings_ms = {}, {}
        self._at_rest = None
        self._check(frame)
        with self._timed("flow"):
            self._motion.advance(frame.index, frame.image_rgb, frame.time_s)
        if self._frame is not None and frame.size != self._frame.size:
            self._start_scene()  # nothing that was carried fits any more
        with self._timed("track"):
            for stage in self._stages.values():
                stage.propagate(self._motion)
        self._frame = frame
        self._say_early(frame)
        if self._motion.scene_cut:
            self._start_scene()
        self._adopt_finished()
        plan = self._plan()
        self._submit(plan)
        self._adopt_finished()
        return self._result(plan)

    def refresh(self) -> Result | None:
        """The present frame again, with what has been said and found since: for a frame that is held.

        There is time to look at it: whatever goes back to an older frame looks at this one. While nothing happens it is
        the same object each time.
        """
        if self._frame is None:
            return None
        self._timings_ms, self._model_timings_ms = {}, {}
        happened = self._adopt_and_answer()
        plan = self._plan(held=True)
        self._submit(plan)
        happened = self._adopt_and_answer() or happened or bool(plan)
        if happened or self._at_rest is None:
            result = self._result(plan)
            self._at_rest = None if happened else result
            return result
        return self._at_rest

    def foresee(self, frames: Sequence[Frame]) -> list[tuple[Frame, Plan]]:
        """What will be started on the frames to come, if nobody says anything and nothing happens until then."""
        if self._frame is None:
            return []
        frames = [frame for frame in frames if not frame.damaged]
        plans = scheduler.foresee(self._scheduled, self._moment(), [frame.index for frame in frames])
        return list(zip(frames, plans, strict=True))

    def prompt(self, prompt: Prompt, seen_index: int | None = None) -> int:
        """Say something about an object on the frame shown last (or on the first one, before any was).

        Args:
            prompt: What is said.
            seen_index: Index of the frame that clicks and box were put on, where that is not the one shown last: they
                are carried on from there.

        Returns:
            The object's id.

        Raises:
            PromptError: It does not lie on the frame, what it points at is gone, or nothing is followed here.
        """
        prompted = self._listener()
        says_where = prompt.mask is not None or prompt.box is not None or len(prompt.point_coords) > 0
        if not says_where and (prompt.mask_level is None or prompt.object_id is None):
            raise PromptError("The prompt says nothing: give it points, a box or a mask.")
        if self._frame is None:
            last_id = max((early.object_id or 0 for early in self._early), default=0)
            object_id = prompt.object_id or last_id + 1
            self._early.append(replace(prompt, object_id=object_id))
            return object_id
        check_inside([prompt], self._frame.size)
        if seen_index is not None and seen_index != self._frame.index:
            prompt = self._carried_on(prompt, seen_index)
        object_id = prompted.prompt(prompt, self._motion)
        self._answer_now()
        return object_id

    def calibrate(self, known: KnownDepths, seen_index: int | None = None) -> None:
        """Say how far the things at some pixels are, on the frame shown last (or on the first one, before any was).

        Relative depth becomes meters by it, from this frame on.

        Args:
            known: How far they are.
            seen_index: Index of the frame that they were measured on, where that is not the one shown last: they are
                carried on from there, but for what has left the picture or is covered.

        Raises:
            PromptError: A point does not lie on the frame, all have gone, depth is left out, or it is metric already.
        """
        if self._calibrated is None:
            raise PromptError("Depth is left out, so that there is nothing to calibrate: let it in.")
        if self._frame is None:
            self._early_depths.append(known)
            return
        known_depths.check_inside(known, self._frame.size)
        if seen_index is not None and seen_index != self._frame.index:
            moved, found = self._to_present(known.point_coords, seen_index)
            if not found.any():
                raise PromptError(_HAS_GONE)
            known = known.moved(moved, found)
        self._calibrated.calibrate(known, self._motion)

    def remove(self, object_id: int) -> None:
        """Follow an object no longer."""
        self._listener().remove(object_id)

    def undo(self) -> None:
        """Take back what a person said last."""
        self._listener().undo()
        self._answer_now()

    def force_keyframe(self) -> None:
        """Ask for a keyframe on the next frame."""
        self._listener().force()

    def discover(self) -> None:
        """Look for objects without being told where: on the next frame, and on the first one of every new scene."""
        self._listener().discover()

    def queues(self) -> dict[str, str]:
        """What each slow stage does: "busy", "waiting" for its turn although it is due, or "idle"."""
        due = self._due_if_free()
        return {stage.name: self._queue(stage.name, stage.name in due) for stage in self._scheduled}

    def close(self) -> None:
        """Stop the workers. May be called twice."""
        self._closed = True
        self._workers.close()
        self._pending.clear()

    @property
    def stages(self) -> list[Stage]:
        """The slow models, in their order."""
        return list(self._stages.values())

    def _listener(self) -> Prompted:
        """The stage that takes in what a person says, who is about to say something."""
        if self._prompted is None:
            raise PromptError("Masks are left out, so nothing can be followed: let them in.")
        self._at_rest = None
        return self._prompted

    @property
    def _scheduled(self) -> list[Stage]:
        return [stage for stage in self._stages.values() if not stage.immediate]

    def _carried_on(self, prompt: Prompt, seen_index: int) -> Prompt:
        """What was pointed at on an earlier frame, on the present one."""

        def move(points: NDArray[np.float32]) -> NDArray[np.float32]:
            moved, found = self._to_present(points, seen_index)
            if not found.all():
                raise PromptError(_HAS_GONE)
            return moved

        return prompt.moved(move)

    def _to_present(
        self, points: NDArray[np.float32], seen_index: int
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        try:
            return self._motion.points_to_present(points, seen_index)
        except LookupError:
            raise PromptError("The picture that you pointed at is gone: point at what is shown now.") from None

    def _check(self, frame: Frame) -> None:
        if self._closed:
            raise SourceError("This run has been closed: open the source again to go on.")
        if self._frame is not None and frame.index <= self._frame.index:
            raise SourceError(f"Frame {frame.index} comes after frame {self._frame.index}: indices must grow.")

    def _say_early(self, frame: Frame) -> None:
        check_inside(self._early, frame.size)
        for prompt in self._early:
            self._listener().prompt(prompt, self._motion)
        self._early.clear()
        for known in self._early_depths:
            self.calibrate(known)
        self._early_depths.clear()

    def _start_scene(self) -> None:
        self._pending.start_scene()
        for stage in self._stages.values():
            stage.start_scene()

    def _answer_now(self) -> None:
        moment = self._moment()
        for stage in self._stages.values():
            if stage.immediate and (reason := stage.due(moment.situation(stage.name))):
                self._submit({stage.name: reason})

    def _moment(self, held: bool = False) -> Moment:
        assert self._frame is not None
        return Moment(
            index=self._frame.index,
            last=self._last,
            ready=frozenset(name for name in self._stages if self._workers.ready(name)),
            in_turns=frozenset(self._workers.in_turns),
            scene_cut=(self._motion.scene_cut or self._cut_unseen) and not held,
            held=held,
        )

    def _plan(self, held: bool = False) -> Plan:
        """What to start on the present frame: nothing on one that is damaged, but on the next whole one instead."""
        assert self._frame is not None
        if self._frame.damaged:
            self._cut_unseen |= self._motion.scene_cut
            return {}
        plan = scheduler.plan(self._scheduled, self._moment(held))
        self._cut_unseen = False
        return plan

    def _due_if_free(self) -> Plan:
        """What would start on the present frame if no model were at work."""
        if self._frame is None:
            return {}
        free = Moment(self._frame.index, self._last, frozenset(self._stages), scene_cut=self._motion.scene_cut)
        return scheduler.plan(self._scheduled, free)

    def _queue(self, name: str, due: bool) -> str:
        state = self._workers.state(name)
        return "waiting" if state == "idle" and due and not self._workers.ready(name) else state

    def _submit(self, plan: Plan) -> None:
        assert self._frame is not None
        for name in plan:
            job = self._stages[name].job(self._frame, self._motion)
            if job is not None:
                self._last[name] = self._frame.index
                self._pending.start(name, job)

    def _adopt_finished(self) -> set[str]:
        """The stages whose answers have come."""
        adopted = set()
        for done, anchor in self._pending.finished():
            self._model_timings_ms[done.lane] = done.elapsed_ms
            self._stages[done.lane].adopt(done.value, anchor)
            adopted.add(done.lane)
        return adopted

    def _adopt_and_answer(self) -> bool:
        """Who spoke while a held frame was being looked at is answered from what was seen there: no frame follows.

        Returns:
            Whether an answer has come.
        """
        adopted = self._adopt_finished()
        if any(not self._stages[name].immediate for name in adopted):
            self._answer_now()
        return bool(adopted)

    def _result(self, plan: Plan) -> Result:
        assert self._frame is not None
        with self._timed("carry"):
            parts = {stage.name: stage.at(self._motion) for stage in self._scheduled}
        for part in parts.values():
            self._model_timings_ms |= part.timings_ms
        camera = self._camera.at(self._frame.size)
        latency_ms = (time.monotonic() - self._frame.captured_at_s) * 1000
        pose = self._camera.pose_at(self._frame)
        timings = self._timings_ms, self._model_timings_ms
        return Result.of(self._frame, parts, plan, *timings, camera, latency_ms, pose)

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        start_s = time.perf_counter()
        yield
        self._timings_ms[part] = (time.perf_counter() - start_s) * 1000
