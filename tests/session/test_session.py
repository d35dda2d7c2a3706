"""A run with everything around it, driven by a window that plays back what a person would do."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from streamer.data.prompt import Prompt
from streamer.engine import Run
from streamer.errors import SinkError
from streamer.scheduling.threads import ThreadedWorkers
from streamer.session.playback import recording_path
from streamer.session.session import Session
from streamer.sinks.fanout import Fanout
from streamer.sinks.recorder import Recorder
from streamer.sources.arrays import ArraySource
from streamer.sources.reader import Reader
from streamer.terminal.telemetry import Meter
from streamer.ui.commands import Commands
from streamer.ui.overlay import Overlay, Style
from streamer.ui.view import View
from streamer.ui.window import events
from tests.fake_models import ColorSegmenter, RedDepth, moving_scene
from tests.pipelines import Gate, build_pipeline

COUNT = 8


class ScriptedWindow:
    """Hands out the events of each poll, and keeps what was shown."""

    def __init__(self, *script):
        self.script, self.shown = list(script), []

    def show(self, drawing, result, status=None):
        self.shown.append((drawing, result, status))

    def poll(self, wait_ms=1):
        return self.script.pop(0) if self.script else []


class ListSink:
    def __init__(self, name="list", draw=None):
        self.name, self.draw = name, draw
        self.results, self.drawings, self.closed = [], [], 0

    def write(self, result):
        self.results.append(result)
        if self.draw:
            self.drawings.append(self.draw(result))

    def close(self):
        self.closed += 1


class Stage:
    """A session on a short scene, and everything that it touches."""

    def __init__(
        self,
        tmp_path,
        *script,
        style=None,
        window=True,
        sinks=None,
        recorder=None,
        count=COUNT,
        hold=False,
        workers=None,
    ):
        source = ArraySource([moving_scene(index)[0] for index in range(count)], rate_hz=Fraction(25))
        pipeline = build_pipeline(ColorSegmenter(), RedDepth(), workers, depth_interval=5, min_keyframe_gap=2)
        self.sink, self.said = ListSink(), []
        self.run = Run(Reader(source, live=False), pipeline, Meter("a device"), live=workers is not None)
        self.view = View(style or Style())
        self.stop = SimpleNamespace(signalled=False)
        self.window = ScriptedWindow(*script) if window else None
        fanout = Fanout([self.sink] if sinks is None else sinks, self.said.append)
        overlay, recorder = Overlay(), Recorder(fanout, recorder) if recorder else None
        commands = Commands(
            self.view, pipeline, self.run.reader, overlay, self.said.append, recorder, tmp_path / self.run.info.name
        )
        self.session = Session(
            self.run, fanout, self.view, overlay, commands, self.stop, lambda result: None, self.window, hold
        )

    def play(self):
        with self.run.reader:
            self.session.play()
        return self


def test_without_a_window_every_frame_is_written_and_counted(tmp_path):
    stage = Stage(tmp_path, window=False).play()
    assert [result.index for result in stage.sink.results] == list(range(COUNT))
    assert stage.sink.closed == 1
    summary = stage.run.meter.summary()
    assert summary["frames"]["shown"] == COUNT
    assert {"write", "flow"} <= summary["timings_ms"].keys()


def test_a_click_makes_an_object_that_later_clicks_belong_to(tmp_path):
    stage = Stage(tmp_path, [events.Click(62, 80, 1)], [], [events.Click(66, 82, 1), events.Click(5, 5, 0)]).play()
    assert [[track.id for track in result.tracks] for result in stage.sink.results] == [[], *[[1]] * (COUNT - 1)]
    assert stage.view.selected == 1
    assert list(stage.sink.results[-1].tracks[0].point_labels) == [1, 1, 0]
    assert stage.window.shown[-1][2].selected == 1


def test_new_select_and_delete(tmp_path):
    script = (
        *([events.Click(62, 80, 1)], [events.NewObject()], [events.DragBox(225, 115, 285, 190)]),
        *([events.SelectObject(1)], [events.Delete()], [events.Delete()]),
    )
    stage = Stage(tmp_path, *script).play()
    ids = [[track.id for track in result.tracks] for result in stage.sink.results]
    assert ids == [[], [1], [1], [1, 2], [1, 2], [2], [2], [2]]
    assert "select an object first" in stage.window.shown[6][2].message


def test_undo_takes_the_last_object_back_and_the_next_click_begins_a_new_one(tmp_path):
    stage = Stage(tmp_path, [events.Click(62, 80, 1)], [], [events.Undo()], [events.Click(250, 150, 1)]).play()
    ids = [[track.id for track in result.tracks] for result in stage.sink.results]
    assert ids[:4] == [[], [1], [1], []]
    assert len(ids[4]) == 1
    assert stage.view.selected == ids[4][0]


def test_undo_brings_a_deleted_object_back_and_its_next_click_belongs_to_it(tmp_path):
    script = ([events.Click(62, 80, 1)], [], [events.Delete()], [events.Undo()], [events.Click(70, 82, 1)])
    stage = Stage(tmp_path, *script).play()
    ids = [[track.id for track in result.tracks] for result in stage.sink.results]
    assert ids == [[], [1], [1], [], [1], [1], [1], [1]]
    assert stage.window.shown[4][2].selected == 1
    assert stage.view.selected == 1


def test_keys_change_what_is_drawn_but_not_what_is_written(tmp_path):
    overlay, style = Overlay(), Style(depth="side")
    sink = ListSink(draw=lambda result: overlay.draw(result, style))
    script = ([events.CycleDepth()], [events.CycleDepth()], [events.CycleDepth(), events.ToggleMasks()])
    stage = Stage(tmp_path, *script, style=style, sinks=[sink]).play()
    assert [drawing.shape[1] for drawing, _, _ in stage.window.shown[:4]] == [640, 320, 320, 640]
    assert not stage.view.style.masks
    assert {drawing.shape[1] for drawing in sink.drawings} == {640}


def test_a_pause_holds_the_picture_and_clicks_are_answered_meanwhile(tmp_path):
    script = ([events.Pause()], [events.Click(62, 80, 1)], [], [], [events.Pause()])
    stage = Stage(tmp_path, *script).play()
    assert [result.index for result in stage.sink.results] == list(range(COUNT)), "a frame was lost or written twice"
    held = [(result, status) for _, result, status in stage.window.shown if status.paused]
    assert {result.index for result, _ in held} == {0}
    assert [track.id for track in held[-1][0].tracks] == [1]
    assert held[-1][0].tracks[0].mask.any()


def test_recording_on_and_off_and_a_snapshot(tmp_path):
    made = []

    def recorder():
        made.append(ListSink(f"recording {len(made)}"))
        return made[-1]

    script = ([], [events.ToggleRecord()], [events.Snapshot()], [events.ToggleRecord()], [events.ToggleRecord()])
    stage = Stage(tmp_path, *script, recorder=recorder).play()
    assert [[result.index for result in sink.results] for sink in made] == [[2, 3], [5, 6, 7]]
    assert [sink.closed for sink in made] == [1, 1], "the second one is closed when the run ends"
    assert [status.recording for _, _, status in stage.window.shown] == [False] * 2 + [True] * 2 + [False] + [True] * 3
    (snapshot,) = tmp_path.iterdir()
    np.testing.assert_array_equal(np.array(Image.open(snapshot)), stage.window.shown[2][0])
    assert f"snapshot {snapshot}" in stage.said
    assert "recording recording 0" in stage.said


def test_a_recording_that_cannot_begin_is_told_in_the_window(tmp_path):
    def recorder():
        raise SinkError("There is no room: free some space.")

    stage = Stage(tmp_path, [events.ToggleRecord()], recorder=recorder).play()
    assert stage.window.shown[1][2].message == "There is no room: free some space."
    assert not stage.window.shown[1][2].recording
    assert len(stage.sink.results) == COUNT


def test_a_click_beside_the_frame_is_told_in_the_window(tmp_path):
    stage = Stage(tmp_path, [events.Click(1000, 10, 1)]).play()
    assert "1000,10 lies outside the frame" in stage.window.shown[1][2].message
    assert stage.sink.results[-1].tracks == ()


def test_a_forced_keyframe(tmp_path):
    stage = Stage(tmp_path, [events.Click(62, 80, 1)], [], [events.ForceKeyframe()]).play()
    assert stage.sink.results[3].reason_of("masks") == "forced"


@pytest.mark.parametrize("how", ["quit", "signal"])
def test_the_end_comes_when_it_is_asked_for(tmp_path, how):
    stage = Stage(tmp_path, [], [events.Quit()] if how == "quit" else [])
    if how == "signal":
        stage.sink.write = lambda result: (
            stage.sink.results.append(result),
            setattr(stage.stop, "signalled", result.index == 1),
        )
    stage.play()
    assert len(stage.sink.results) == 2
    assert stage.sink.closed == 1


def test_an_error_closes_the_outputs(tmp_path):
    class FailingSink(ListSink):
        def write(self, result):
            raise SinkError("It is full: free some space.")

    sink = FailingSink()
    with pytest.raises(SinkError, match="It is full"):
        Stage(tmp_path, window=False, sinks=[sink]).play()
    assert sink.closed == 1


def test_recordings_are_named_after_their_source(tmp_path):
    path = recording_path(tmp_path, "dog")
    assert path.parent == tmp_path
    assert path.match("dog-????????-??????.mp4")


def test_a_picture_is_held_clicked_on_and_written_once_it_is_left(tmp_path):
    script = ([], [events.Click(62, 80, 1)], [], [events.Click(255, 150, 1)], [events.Undo()], [], [events.Quit()])
    stage = Stage(tmp_path, *script, count=1, hold=True).play()
    assert not stage.window.shown[-1][2].paused
    (written,) = stage.sink.results
    assert [track.id for track in written.tracks] == [1]
    assert written.tracks[0].mask[80, 62]
    assert stage.sink.closed == 1


def test_what_is_held_is_drawn_anew_only_when_something_has_happened(tmp_path):
    script = ([], [events.Click(62, 80, 1)], *[[]] * 8, [events.Quit()])
    stage = Stage(tmp_path, *script, count=1, hold=True).play()
    results = [result for _, result, _ in stage.window.shown]
    assert all(one is results[-1] for one in results[-4:])


def test_the_last_frame_of_a_recording_is_held_and_nothing_is_written_twice(tmp_path):
    stage = Stage(tmp_path, *[[]] * (COUNT + 3), [events.Pause()], hold=True)
    stage.view.replayable = True
    stage.play()
    assert [result.index for result in stage.sink.results] == list(range(COUNT))
    assert stage.view.turn == 0, "the pause key plays it again"
    assert stage.window.shown[-1][2].ended
    assert stage.window.shown[-1][1].index == COUNT - 1


def test_without_a_window_nothing_is_held(tmp_path):
    stage = Stage(tmp_path, window=False, hold=True).play()
    assert len(stage.sink.results) == COUNT
    assert not stage.view.ended


def test_one_picture_that_nobody_watches_is_written_with_what_late_models_say_of_it(tmp_path):
    stage = Stage(tmp_path, window=False, count=1, workers=ThreadedWorkers(in_turns=("masks", "depth")))
    stage.run.pipeline.prompt(Prompt([(62, 80)]))
    stage.play()
    stage.run.pipeline.close()
    (written,) = stage.sink.results
    assert written.tracks[0].mask[80, 62]
    assert written.depth_map is not None


def test_turning_the_page_ends_this_one(tmp_path):
    stage = Stage(tmp_path, [], [events.TurnPage(1)], count=1, hold=True)
    stage.view.pages = 2
    stage.play()
    assert stage.view.turn == 1
    assert not stage.view.quit
    assert stage.window.shown[-1][2].place.startswith("1 of 2")


def test_the_window_says_what_is_awaited(tmp_path):
    gate = Gate()
    stage = Stage(tmp_path, [], [], [events.Quit()], workers=gate)
    stage.run.pipeline.discover()
    stage.play()
    assert stage.window.shown[0][2].awaited == "looking for objects"
