"""What a person asks for, done to a run that keeps notes."""

from __future__ import annotations

import numpy as np
import pytest

from streamer.data.frame import Frame
from streamer.data.result import Result
from streamer.data.track import State, Track
from streamer.errors import PromptError
from streamer.ui.commands import Commands
from streamer.ui.overlay import Overlay
from streamer.ui.view import View
from streamer.ui.window import events


class Notes:
    """A pipeline and a source that only remember; objects go and come back as the tracker promises."""

    def __init__(self):
        self.objects, self.done, self.held = set(), [], False

    def prompt(self, prompt, seen_index=None):
        self.last = prompt
        object_id = prompt.object_id or max(self.objects, default=0) + 1
        self.done.append(("prompt", object_id, object_id in self.objects))
        self.objects.add(object_id)
        return object_id

    def remove(self, object_id):
        self.done.append(("remove", object_id, True))
        self.objects.discard(object_id)

    def undo(self):
        if self.done:
            _, object_id, was_there = self.done.pop()
            (self.objects.add if was_there else self.objects.discard)(object_id)

    def force_keyframe(self):
        self.done.append(("force", None, False))

    def look_for(self, text):
        if text == "unicorn":
            raise PromptError("There are none.")
        self.done.append(("look for", text, False))

    def forget(self):
        self.done.append(("forget", None, False))

    def calibrate(self, known, seen_index=None):
        self.done.append(("calibrate", known, seen_index))

    def pause(self):
        self.held = True

    def resume(self):
        self.held = False


def result_with(ids):
    image = np.zeros((4, 6, 3), np.uint8)
    tracks = tuple(Track(number, np.zeros((4, 6), bool), None, 0.5, State.LOST) for number in sorted(ids))
    return Result(Frame(0, 0.0, image, 0.0), tracks)


@pytest.fixture
def window(tmp_path):
    return Setting(tmp_path)


class Setting:
    def __init__(self, tmp_path):
        self.notes, self.view, self.said = Notes(), View(), []
        self.commands = Commands(
            self.view, self.notes, self.notes, Overlay(), self.said.append, None, tmp_path / "door", self.notes
        )

    def __call__(self, *asked):
        for event in asked:
            self.commands.obey(event)
            self.view.show(result_with(self.notes.objects))


def test_undo_brings_a_deleted_object_back_and_selects_it(window):
    window(events.Click(1, 1, 1), events.NewObject(), events.Click(3, 3, 1), events.SelectObject(1), events.Delete())
    assert (window.notes.objects, window.view.selected) == ({2}, None)
    assert window.view.message == "object 1 deleted: u brings it back"
    window(events.Undo())
    assert (window.notes.objects, window.view.selected) == ({1, 2}, 1)
    assert window.view.message == "object 1 is back"
    window(events.Undo())
    assert (window.notes.objects, window.view.selected) == ({1}, 1)


def test_an_object_that_is_taken_back_is_selected_no_longer(window):
    window(events.Click(1, 1, 1))
    assert window.view.selected == 1
    window.commands.obey(events.Undo())
    assert window.view.selected is None, "the hint would name an object that is gone until the next frame"
    assert window.view.message == "object 1 is taken back"
    window(events.Undo())
    assert window.notes.objects == set()
    assert window.view.message == "there is nothing to take back"


def test_a_click_that_is_taken_back_leaves_its_object_selected(window):
    window(events.Click(1, 1, 1), events.Click(2, 2, 0))
    window(events.Undo())
    assert window.view.selected == 1
    assert window.view.message == "the last word about object 1 is taken back"


def test_pages_turn_within_what_there_is(window):
    window(events.TurnPage(1))
    assert (window.view.turn, window.view.message) == (None, ""), "there is one source, and nothing to turn"
    window.view.pages = 2
    window(events.TurnPage(-1))
    assert (window.view.turn, window.view.message) == (None, "this is the first picture")
    window(events.TurnPage(1))
    assert window.view.turn == 1
    window.view.begin(1, replayable=False)
    window(events.TurnPage(1))
    assert (window.view.turn, window.view.message) == (None, "this is the last picture")


def test_what_has_ended_plays_again_where_it_can(window):
    window.view.ended = True
    window(events.Pause())
    assert (window.view.turn, window.notes.held) == (None, False), "a picture is not played"
    window.view.replayable = True
    window(events.Pause())
    assert window.view.turn == 0


def test_a_prompt_that_is_refused_cannot_be_undone(window, monkeypatch):
    window(events.Click(1, 1, 1), events.Delete())

    def refuse(prompt, seen_index=None):
        raise PromptError("It lies outside.")

    monkeypatch.setattr(window.notes, "prompt", refuse)
    window(events.Click(99, 99, 1))
    assert window.view.message == "It lies outside."
    window(events.Undo())
    assert window.view.selected == 1


def test_a_pause_holds_the_source(window):
    window(events.Pause())
    assert window.notes.held
    window(events.Pause())
    assert not window.notes.held


def test_a_recording_that_makes_no_sense_is_not_begun(window):
    window(events.ToggleRecord())
    assert not window.commands.recording
    assert window.said == []


def test_a_message_is_there_for_a_while():
    now_s = [10.0]
    view = View(clock=lambda: now_s[0])
    view.tell("saved")
    assert view.message == "saved"
    now_s[0] += 5
    assert view.message == ""


def test_the_level_of_the_selected_object_goes_from_part_to_whole_to_surest(window):
    window(events.CycleLevel())
    assert window.view.message.startswith("select an object first")
    window(events.Click(1, 1, 1))
    said = []
    for words in ("the smallest part", "the whole", "what SAM is surest of"):
        window(events.CycleLevel())
        assert window.view.message == f"object 1: {words}"
        said.append(window.notes.last.mask_level)
    assert said == ["part", "object", "auto"]


def test_what_is_typed_is_looked_for_and_what_cannot_be_is_told(window):
    window(events.LookFor("dog"), events.ForgetPhrases())
    assert window.notes.done == [("look for", "dog", False), ("forget", None, False)]
    window(events.LookFor("unicorn"))
    assert window.view.message == "There are none."


def test_a_typed_distance_is_said_of_the_frame_that_is_shown(window):
    window.commands.obey(events.KnownDistance(30.0, 20.0, 1.25))
    said, known, seen_index = window.notes.done[-1]
    assert (said, known.point_coords.tolist(), known.meters.tolist()) == ("calibrate", [[30, 20]], [1.25])
    assert seen_index is None
    window.commands.obey(events.KnownDistance(30.0, 20.0, 1.25, frame_index=7))
    assert window.notes.done[-1][2] == 7, "on a page, that of a moment ago"
    assert known.along_ray
    assert "1.25 m is known" in window.view.message
