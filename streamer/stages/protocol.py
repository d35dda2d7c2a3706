"""What the frame loop knows of a slow kind of model: when it is due, what it computes, and what is known of it now.

The loop, the scheduler, the workers, the prefetch, the telemetry and the result know stages by this protocol only: a
new kind of model is one new file here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from streamer.data.frame import Frame
from streamer.data.known_depths import KnownDepths
from streamer.data.part import Part
from streamer.data.prompt import Prompt
from streamer.data.reason import Reason
from streamer.models.image_call import ImageCall
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Situation:
    """How things stand for one stage on one frame.

    Attributes:
        index: Of the frame.
        last_index: Of the frame that the stage was last asked about; None before the first.
        scene_cut: Whether this frame shows another scene than the one before.
        held: Whether a person holds this frame: there is time to look at it.
        calm: Whether the frame is one to come, foreseen as if nobody said anything and nothing happened until then.
    """

    index: int
    last_index: int | None = None
    scene_cut: bool = False
    held: bool = False
    calm: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Job(Generic[Answer]):
    """What is to be computed, and the frame that it is about.

    Attributes:
        call: Touches nothing that the frame loop writes, so that it may run in any thread.
        anchor: What the call brings back is carried from there.
    """

    call: Callable[[], Answer]
    anchor: Anchor


class Stage(Protocol[Answer]):
    """One slow kind of model on its way through the frames. All but a job's call runs on the frame loop's thread.

    Attributes:
        name: Short and unique; what it is called in figures and outputs.
        immediate: Whether it is asked as soon as a person speaks rather than with the next frame, beside all others.
    """

    name: str
    immediate: bool

    @property
    def image_call(self) -> ImageCall[Any] | None:
        """The part of its job that depends on the image alone, and may be begun early; None where there is none."""
        ...

    def due(self, situation: Situation) -> Reason | None:
        """Why it should look at this frame; None where it need not. A pure question: it changes nothing."""
        ...

    def job(self, frame: Frame, motion: Motion) -> Job[Answer] | None:
        """What to compute about the present frame; None where there is nothing to compute after all."""
        ...

    def adopt(self, answer: Answer, anchor: Anchor) -> None:
        """Take in what a job has brought back about the anchor's frame, which may be long past."""
        ...

    def at(self, motion: Motion) -> Part:
        """Its part of the present frame's result."""
        ...

    def propagate(self, motion: Motion) -> None:
        """Bring what is known to the present frame; called once for each, before anything else."""
        ...

    def start_scene(self) -> None:
        """Forget what was carried: this frame shows another scene."""
        ...


class Prompted(Protocol):
    """A stage that a person can speak to about the present frame."""

    def prompt(self, prompt: Prompt, motion: Motion) -> int:
        """Say something about an object. Returns its id."""
        ...

    def remove(self, object_id: int) -> None:
        """Follow an object no longer."""
        ...

    def undo(self) -> None:
        """Take back what was said last."""
        ...

    def force(self) -> None:
        """Look at the next frame, whatever the schedule says."""
        ...

    def discover(self) -> None:
        """Look for objects without being told where, now and in every new scene."""
        ...


class Calibrated(Protocol):
    """A stage whose relative depth becomes meters by what is known of it."""

    def calibrate(self, known: KnownDepths, motion: Motion) -> None:
        """Take in how far the things at some pixels of the present frame are.

        Raises:
            PromptError: Depth is metric already.
        """
        ...


def due_at_interval(situation: Situation, interval: int) -> Reason | None:
    """Due on the first frame, on a new scene, on a frame that is held, and every ``interval`` frames."""
    if situation.last_index is None:
        return Reason.FIRST
    if situation.scene_cut:
        return Reason.SCENE_CUT
    if situation.held and situation.last_index != situation.index:
        return Reason.HELD
    return Reason.INTERVAL if situation.index - situation.last_index >= interval else None
