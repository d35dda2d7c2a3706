"""What is tied together around a run: outputs, a screen, figures, and what is said at the end."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from types import SimpleNamespace

import pytest
from rich.console import Console

from streamer.config import Config
from streamer.engine import Engine
from streamer.errors import PartialError, SinkError
from streamer.session.playback import Playback, style_of
from streamer.sinks.targets import Targets
from streamer.terminal.console import Terminal
from streamer.ui.window import events
from tests.fake_models import ColorSegmenter, moving_scene

COUNT = 6


class CountingSink:
    name, warning, dropped = "counting", "Something was left out.", 0

    def __init__(self, fails_at=None):
        self.written, self.closed, self.fails_at = 0, 0, fails_at

    def write(self, result):
        if result.index == self.fails_at:
            raise SinkError("It is full: free some space.")
        self.written += 1

    def close(self):
        self.closed += 1


class Screen:
    def __init__(self, *script):
        self.script, self.shown, self.closed = list(script), 0, 0

    def show(self, drawing, result, status=None):
        self.shown += 1

    def poll(self, wait_ms=1):
        return self.script.pop(0) if self.script else []

    def close(self):
        self.closed += 1


@pytest.fixture
def play(tmp_path):
    """Plays a short scene with the given parts; returns the playback and what was said."""
    engine = Engine(Config(device="cpu", depth=None), segmenter=ColorSegmenter())

    def run(**parts):
        out = io.StringIO()
        terminal = Terminal(Console(file=out, width=200), Console(file=out))
        images = [moving_scene(index)[0] for index in range(COUNT)]
        with engine.open(images, rate_hz=Fraction(25)) as opened:
            stop = SimpleNamespace(signalled=False)
            playback = Playback(opened, style_of(engine), stop, terminal, folder=tmp_path, **parts)
            playback.play()
            playback.finish()
        return playback, out.getvalue()

    return run


def test_the_models_that_the_engine_is_given_are_used():
    segmenter = ColorSegmenter()
    with Engine(Config(device="cpu", depth=None), segmenter=segmenter) as engine:
        assert engine.segmenter is segmenter
        list(engine.run([moving_scene(index)[0] for index in range(2)]))
    assert segmenter.encoded > 0


def test_outputs_figures_and_report(play, tmp_path):
    told, sink = [], CountingSink()
    targets = Targets(tmp_path / "out.mp4", jsonl=tmp_path / "out.jsonl", stats=tmp_path / "stats.json")
    playback, said = play(targets=targets, sinks=[sink], report=lambda playback, result: told.append(result))
    assert playback.frames_shown == COUNT
    assert [result.index for result in told if result is not None] == list(range(COUNT))
    stats = json.loads((tmp_path / "stats.json").read_text())
    assert stats["frames"]["written"] == {"out.mp4": COUNT, "out.jsonl": COUNT, "counting": COUNT}
    assert stats["stages"]["masks"]["runs"] >= 1
    assert "Something was left out." in said
    assert "wrote" in said
    assert sink.closed == 1


def test_a_screen_is_shown_obeyed_and_closed(play):
    screen = Screen([], [events.Quit()])
    playback, said = play(screen=screen)
    assert (screen.closed, playback.frames_shown) == (1, 2)
    assert screen.shown >= 2
    assert "Ended after 2 frames, before the source did." in said


def test_a_recording_can_be_begun_where_it_is_live(play, tmp_path):
    _, said = play(screen=Screen([events.ToggleRecord()], [], [events.ToggleRecord()]), live=True)
    (recording,) = tmp_path.glob("*.mp4")
    assert f"recording {recording.name}" in said
    assert f"recorded {recording.name}" in said


def test_an_output_that_fails_midway_is_a_run_done_in_part(play):
    with pytest.raises(PartialError, match="It is full"):
        play(sinks=[CountingSink(fails_at=2)])
    with pytest.raises(SinkError, match="It is full"):
        play(sinks=[CountingSink(fails_at=0)])
