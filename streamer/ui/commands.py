"""What a person asks for in the window, done to the run and to the view of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from streamer.data.known_depths import KnownDepths
from streamer.data.prompt import MaskLevel, Prompt
from streamer.data.source import Pausable
from streamer.errors import PromptError, SinkError
from streamer.sinks.image import write_image
from streamer.sinks.recorder import Recorder
from streamer.ui.overlay import Overlay
from streamer.ui.parameters import DepthPlace
from streamer.ui.view import View
from streamer.ui.window.events import (
    Click,
    CycleDepth,
    CycleLevel,
    Delete,
    DragBox,
    Event,
    ForceKeyframe,
    ForgetPhrases,
    KnownDistance,
    LookFor,
    NewObject,
    Pause,
    Quit,
    SelectObject,
    Snapshot,
    ToggleMasks,
    ToggleRecord,
    TurnPage,
    Undo,
)

_NONE_SELECTED = "select an object first: 1-9, or click it in the list"
_NEXT_LEVEL: dict[MaskLevel, MaskLevel] = {"auto": "part", "part": "object", "object": "auto"}
_LEVEL_WORDS: dict[MaskLevel, str] = {
    "auto": "what SAM is surest of",
    "part": "the smallest part",
    "object": "the whole",
}
_NEXT_PLACE: dict[DepthPlace, DepthPlace] = {"off": "overlay", "overlay": "side", "side": "off", "inset": "off"}


class Prompted(Protocol):
    """What a person can speak to about the frame that is shown."""

    def prompt(self, prompt: Prompt, seen_index: int | None = None) -> int | None:
        """Say something about an object on the frame of that index. Returns its id, where it is known yet."""
        ...

    def remove(self, object_id: int) -> None:
        """Follow an object no longer."""
        ...

    def undo(self) -> None:
        """Take back the last prompt or removal."""
        ...

    def calibrate(self, known: KnownDepths, seen_index: int | None = None) -> None:
        """Say how far the things at some pixels of the frame of that index are."""
        ...

    def force_keyframe(self) -> None:
        """Look at the next frame, whatever the schedule says."""
        ...


@dataclass(frozen=True, slots=True)
class _Done:
    """What can be taken back: about which object, whether that was removed, and which one was selected before."""

    object_id: int | None
    removed: bool
    selected: int | None


class Spoken(Protocol):
    """What can be told in words what to find."""

    def look_for(self, text: str) -> None:
        """Find and follow what these phrases say, beside those before."""
        ...

    def forget(self) -> None:
        """Find nothing by words any more."""
        ...


class Commands:
    """Obeys events.

    Args:
        view: What is shown, and what has been chosen so far.
        prompted: Told about objects.
        source: Held by a pause.
        overlay: Draws snapshots.
        say: Prints a line for the person.
        recorder: None where recording makes no sense.
        snapshot: Prefix of the snapshots' paths; the index of the frame and ``.png`` are added.
        spoken: Told what to find by words; None where nothing can be.
    """

    def __init__(
        self,
        view: View,
        prompted: Prompted,
        source: Pausable,
        overlay: Overlay,
        say: Callable[[str], None],
        recorder: Recorder | None = None,
        snapshot: Path = Path("snapshot"),
        spoken: Spoken | None = None,
    ) -> None:
        self._view, self._prompted, self._source, self._overlay = view, prompted, source, overlay
        self._say, self._recorder, self._snapshot_prefix = say, recorder, snapshot
        self._spoken = spoken
        self._undoable: list[_Done] = []
        self._levels: dict[int, MaskLevel] = {}

    @property
    def recording(self) -> bool:
        """Whether a recording is under way that a person has begun."""
        return self._recorder is not None and self._recorder.recording

    def obey(self, event: Event, view: View | None = None) -> None:
        """Do what was asked for; what cannot be done is told to whoever asked.

        Args:
            event: What was asked for.
            view: What that person sees; the view of the run, which is the window's, if left out.
        """
        view = view or self._view
        try:
            self._obey(event, view)
        except (PromptError, SinkError) as error:
            view.tell(str(error))

    def _obey(self, event: Event, view: View) -> None:
        match event:
            case Click(x, y, label, frame_index):
                self._prompt(Prompt([(x, y)], [label], object_id=view.selected), frame_index, view)
            case DragBox(x0, y0, x1, y1, frame_index):
                self._prompt(Prompt(box=(x0, y0, x1, y1), object_id=view.selected), frame_index, view)
            case NewObject():
                view.selected = None
                view.tell("new object: click on it")
            case SelectObject(object_id):
                view.selected = object_id
            case Delete():
                self._delete(view)
            case Undo():
                self._undo(view)
            case CycleLevel():
                self._cycle_level(view)
            case KnownDistance(x, y, meters, frame_index):
                self._prompted.calibrate(KnownDepths([(x, y)], [meters], along_ray=True), frame_index)
                view.tell(f"{meters:g} m is known; two or more of different depth make meters")
            case ForceKeyframe():
                self._prompted.force_keyframe()
                view.tell("looking again")
            case Pause():
                self._pause()
            case LookFor(text) if self._spoken is not None:
                self._spoken.look_for(text)
                view.tell(f"looking for {text}")
            case ForgetPhrases() if self._spoken is not None:
                self._spoken.forget()
                view.tell("looking for nothing by words any more")
            case TurnPage(step):
                self._turn(step, view)
            case ToggleMasks():
                view.look(not view.style.masks, view.style.depth)
            case CycleDepth():
                view.look(view.style.masks, _NEXT_PLACE[view.style.depth])
            case Snapshot():
                self._save_snapshot(view)
            case ToggleRecord():
                if self._recorder is not None:
                    self._announce(self._recorder.toggle(), view)
            case Quit():
                self._view.quit = True

    def _prompt(self, prompt: Prompt, frame_index: int | None, view: View) -> None:
        before = view.selected
        view.selected = self._prompted.prompt(prompt, frame_index)
        self._undoable.append(_Done(view.selected, False, before))

    def _cycle_level(self, view: View) -> None:
        object_id = view.selected
        if object_id is None:
            view.tell(_NONE_SELECTED)
            return
        level = _NEXT_LEVEL[self._levels.get(object_id, "auto")]
        self._prompt(Prompt(object_id=object_id, mask_level=level), None, view)
        self._levels[object_id] = level
        view.tell(f"object {object_id}: {_LEVEL_WORDS[level]}")

    def _delete(self, view: View) -> None:
        object_id = view.selected
        if object_id is None:
            view.tell(_NONE_SELECTED)
            return
        self._prompted.remove(object_id)
        self._undoable.append(_Done(object_id, True, object_id))
        view.selected = None
        view.tell(f"object {object_id} deleted: u brings it back")

    def _undo(self, view: View) -> None:
        self._prompted.undo()
        if not self._undoable:
            view.tell("there is nothing to take back")
            return
        done = self._undoable.pop()
        if done.removed or view.selected == done.object_id:
            view.selected = done.selected
        if done.removed:
            view.tell(f"object {done.object_id} is back")
        elif done.selected == done.object_id:
            view.tell(f"the last word about object {done.object_id} is taken back")
        else:
            view.tell(f"object {done.object_id} is taken back")

    def _pause(self) -> None:
        view = self._view
        if view.ended:
            view.turn = 0 if view.replayable else None
            return
        view.paused = not view.paused
        if view.paused:
            self._source.pause()
        else:
            self._source.resume()

    def _turn(self, step: int, asker: View) -> None:
        view = self._view
        if 0 <= view.page + step < view.pages:
            view.turn = step
        elif view.pages > 1:
            asker.tell("this is the last picture" if step > 0 else "this is the first picture")

    def _save_snapshot(self, view: View) -> None:
        result = self._view.result
        if result is None:
            return
        path = self._snapshot_prefix.with_name(f"{self._snapshot_prefix.name}-{result.index:05d}.png")
        write_image(path, self._overlay.draw(result, view.style))
        self._announce(f"snapshot {path}", view)

    def _announce(self, message: str, view: View) -> None:
        view.tell(message)
        self._say(message)
