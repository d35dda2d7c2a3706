"""What a person asks for in the window."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Click:
    """A click on the picture, (x, y) in pixels of the frame; label 1 is foreground, 0 background.

    Attributes:
        frame_index: Of the frame that the person saw; None for the one shown last.
    """

    x: float
    y: float
    label: int
    frame_index: int | None = None


@dataclass(frozen=True, slots=True)
class DragBox:
    """A box drawn around an object, x0 < x1 and y0 < y1 in pixels of the frame; ``frame_index`` as in `Click`."""

    x0: float
    y0: float
    x1: float
    y1: float
    frame_index: int | None = None


@dataclass(frozen=True, slots=True)
class NewObject:
    """The next click or box begins a new object."""


@dataclass(frozen=True, slots=True)
class SelectObject:
    """The next clicks belong to this object."""

    object_id: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Forget the selected object."""


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back the last click, box or deletion."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Hold the picture, or go on."""


@dataclass(frozen=True, slots=True)
class ToggleMasks:
    """Show or hide the masks."""


@dataclass(frozen=True, slots=True)
class CycleDepth:
    """From no depth to over the picture, to beside it, and back."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Save the picture that is shown."""


@dataclass(frozen=True, slots=True)
class ToggleRecord:
    """Begin or end a recording."""


@dataclass(frozen=True, slots=True)
class ForceKeyframe:
    """Run the models on the present frame."""


@dataclass(frozen=True, slots=True)
class CycleLevel:
    """From whatever SAM is surest of to a part of the selected object, to the whole of it, and back."""


@dataclass(frozen=True, slots=True)
class TurnPage:
    """Show another of several pictures, so many further on; below 0 before this one."""

    step: int


@dataclass(frozen=True, slots=True)
class KnownDistance:
    """How far the thing at (x, y) in pixels of the frame is from the camera [m].

    ``frame_index`` is the frame that it was seen on; None for the one that is shown.
    """

    x: float
    y: float
    meters: float
    frame_index: int | None = None


@dataclass(frozen=True, slots=True)
class LookFor:
    """Find and follow what these phrases say, beside those before: "person; red ball"."""

    text: str


@dataclass(frozen=True, slots=True)
class ForgetPhrases:
    """Find nothing by words any more."""


@dataclass(frozen=True, slots=True)
class Quit:
    """End the run: a key, or the window was closed."""


Event = (
    Click
    | DragBox
    | NewObject
    | SelectObject
    | Delete
    | Undo
    | Pause
    | ToggleMasks
    | CycleDepth
    | Snapshot
    | ToggleRecord
    | ForceKeyframe
    | CycleLevel
    | TurnPage
    | KnownDistance
    | LookFor
    | ForgetPhrases
    | Quit
)
