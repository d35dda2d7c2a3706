"""What keeps masks on their objects, in the verbs of the field's video predictors (SAM 2, Ravi et al., 2024).

A tracker looks at keyframes with a slow model, which may run in another thread and answer late, and says on every frame
where each object is. Everything but the two calls that it hands out runs on the thread of the frame loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from streamer.data.prompt import Prompt
from streamer.data.reason import Reason
from streamer.data.track import State
from streamer.models.image_call import ImageCall
from streamer.motion.anchors import Anchor
from streamer.motion.motion import Motion


@dataclass(frozen=True, slots=True, eq=False)
class TrackedMask:
    """One object on the working grid of the present frame, before it is brought to the frame's size.

    Attributes:
        object_id: Its number, stable over the run, from 1.
        soft_mask: ``(h, w)`` uint8; above 127 is inside. Empty where the object is lost.
        score: How sure the tracker is, 0 to 1.
        state: tracked, uncertain or lost.
        point_coords: ``(N, 2)`` float32, the person's own clicks on this frame, (x, y) [px of the frame].
        point_labels: ``(N,)`` int32, 1 foreground, 0 background.
        seen_at_s: Media time of the frame on which a model last saw it [s]; None before the first.
    """

    object_id: int
    soft_mask: NDArray[np.uint8]
    score: float
    state: State
    point_coords: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))
    point_labels: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    seen_at_s: float | None = None


class HasTimings(Protocol):
    """What a keyframe brings back: the tracker's own business, but for how long its parts took [ms], by name."""

    @property
    def timings_ms(self) -> Mapping[str, float]: ...


Answer = TypeVar("Answer", bound=HasTimings)


class Tracker(Protocol[Answer]):
    """Follows objects from frame to frame."""

    @property
    def image_call(self) -> ImageCall[Any]:
        """The part of a keyframe that depends on its image alone, and may be begun early."""
        ...

    @property
    def trouble(self) -> Reason | None:
        """Why a keyframe should come early; None where all is well."""
        ...

    @property
    def unanswered(self) -> bool:
        """Whether a person has said something that no keyframe has been asked about."""
        ...

    @property
    def mask_age(self) -> int | None:
        """Frames since the oldest keyframe that a mask goes back to; None without masks."""
        ...

    def __len__(self) -> int:
        """How many objects are followed, lost ones included."""
        ...

    def add_points_or_box(self, prompt: Prompt, motion: Motion, undoable: bool = True) -> int:
        """Take in clicks and a box about the present frame. Returns the object's id.

        Args:
            prompt: What is said.
            motion: Where everything is now.
            undoable: Whether `undo` takes it back: a person says it, not a detector.
        """
        ...

    def add_mask(self, prompt: Prompt, motion: Motion, undoable: bool = True) -> int:
        """Take in the true mask of an object on the present frame. Returns the object's id."""
        ...

    def remove_object(self, object_id: int, undoable: bool = True) -> None:
        """Follow an object no longer. An unknown id does nothing."""
        ...

    def undo(self) -> None:
        """Take back a person's last click, box, mask or removal; an object of which nothing is left goes away."""
        ...

    def start_scene(self, keep_found: bool) -> None:
        """The scene has changed: nothing that was carried means anything any more.

        Args:
            keep_found: Whether objects that no person has spoken of are kept, to be found again.
        """
        ...

    def propagate(self, motion: Motion) -> None:
        """Move on to the present frame."""
        ...

    def keyframe(self, image_rgb: NDArray[np.uint8], motion: Motion, find: int) -> Callable[[], Answer]:
        """What is to be computed about the present frame, in whatever thread there is time for it.

        Args:
            image_rgb: ``(H, W, 3)`` uint8 RGB, the present frame.
            motion: Where everything is now.
            find: How many objects to look for that nobody has pointed out; 0 for none.
        """
        ...

    def corrections(self) -> tuple[Callable[[], Answer], Anchor] | None:
        """What can be answered at once of what a person has said, and about which anchor; None where nothing can."""
        ...

    def adopt(self, answer: Answer, anchor: Anchor) -> None:
        """Take in what a call has brought back about the anchor's frame."""
        ...

    def masks(self, motion: Motion, inverse_depth: NDArray[np.float32] | None = None) -> list[TrackedMask]:
        """Every object on the present frame by ascending id; no pixel belongs to two.

        Args:
            motion: Where everything is now.
            inverse_depth: ``(h, w)`` float32 on the working grid, where it is known.
        """
        ...
