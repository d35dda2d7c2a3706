"""What the page says, checked to the last field before anything is done about it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from streamer.errors import ServeError
from streamer.ui.parameters import DepthPlace
from streamer.ui.window import events

Pixel = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Number = Annotated[int, Field(ge=0, lt=2**53)]
ObjectId = Annotated[int, Field(ge=1, lt=2**31)]


class Message(BaseModel):
    """Anything that the page says; nothing beyond the fields that are named is taken."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Hello(Message):
    """The answer to the server's own hello, which tells how long the way is."""

    type: Literal["hello"]


class Shown(Message):
    """The page has drawn the picture of that number."""

    type: Literal["shown"]
    number: Number


class Look(Message):
    """How this person wants to see it."""

    type: Literal["look"]
    masks: bool
    depth: DepthPlace


class Click(Message):
    """A click at (x, y) in pixels of the source, on the frame of that id."""

    type: Literal["click"]
    frame_id: Number
    x: Pixel
    y: Pixel
    label: Literal[0, 1]

    def events(self) -> list[events.Event]:
        return [events.Click(self.x, self.y, self.label, self.frame_id)]


class Distance(Message):
    """How far the thing at (x, y) in pixels of the source is from the camera [m], on the frame of that id."""

    type: Literal["distance"]
    frame_id: Number
    x: Pixel
    y: Pixel
    meters: Annotated[float, Field(allow_inf_nan=False, gt=0, le=1e5)]

    def events(self) -> list[events.Event]:
        return [events.KnownDistance(self.x, self.y, self.meters, self.frame_id)]


class Box(Message):
    """A box drawn on the frame of that id, in pixels of the source."""

    type: Literal["box"]
    frame_id: Number
    x0: Pixel
    y0: Pixel
    x1: Pixel
    y1: Pixel

    @model_validator(mode="after")
    def _has_area(self) -> Box:
        if self.x0 >= self.x1 or self.y0 >= self.y1:
            raise ValueError("a box has x0 < x1 and y0 < y1")
        return self

    def events(self) -> list[events.Event]:
        return [events.DragBox(self.x0, self.y0, self.x1, self.y1, self.frame_id)]


class Select(Message):
    """The next clicks belong to this object; None for a new one."""

    type: Literal["select"]
    object_id: ObjectId | None

    def events(self) -> list[events.Event]:
        return [events.NewObject() if self.object_id is None else events.SelectObject(self.object_id)]


class Remove(Message):
    """Follow this object no longer."""

    type: Literal["remove"]
    object_id: ObjectId

    def events(self) -> list[events.Event]:
        return [events.SelectObject(self.object_id), events.Delete()]


class Words(Message):
    """Find and follow what these words say; without any, nothing is looked for by words any more."""

    type: Literal["words"]
    text: Annotated[str, Field(max_length=200)]

    def events(self) -> list[events.Event]:
        words = " ".join(self.text.split())
        return [events.LookFor(words) if words else events.ForgetPhrases()]


class Press(Message):
    """A button that needs no more words."""

    type: Literal["press"]
    button: Literal["undo", "pause", "snapshot", "record", "keyframe", "level", "before", "next"]

    def events(self) -> list[events.Event]:
        return [_BUTTONS[self.button]]


_BUTTONS: dict[str, events.Event] = {
    "undo": events.Undo(),
    "pause": events.Pause(),
    "snapshot": events.Snapshot(),
    "record": events.ToggleRecord(),
    "keyframe": events.ForceKeyframe(),
    "level": events.CycleLevel(),
    "before": events.TurnPage(-1),
    "next": events.TurnPage(1),
}
Asking = Click | Distance | Box | Select | Remove | Words | Press
"""What is done to the run, by the frame loop."""
_ANY: TypeAdapter[Hello | Shown | Look | Asking] = TypeAdapter(
    Annotated[Hello | Shown | Look | Asking, Field(discriminator="type")]
)


def parse(text: str) -> Hello | Shown | Look | Asking:
    """One message of the page.

    Raises:
        ServeError: It is none.
    """
    try:
        return _ANY.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "message"
        raise ServeError(f"The page said something that cannot be understood ({where}: {first['msg']}).") from None
