"""The window that is there before the models are, and after a run has ended."""

from types import SimpleNamespace

import numpy as np

from streamer.data.frame import Frame
from streamer.data.source import SourceInfo
from streamer.session import live_window as module
from streamer.session.live_window import LiveWindow
from streamer.ui.overlay import Style
from streamer.ui.view import View
from streamer.ui.window.events import Quit

IMAGE = np.full((60, 80, 3), 200, np.uint8)


class FakeWindow:
    def __init__(self, *script):
        self.script, self.shown, self.titles, self.closed = list(script), [], [], 0

    def show(self, drawing, result, status=None):
        self.shown.append((drawing, result, status))

    def poll(self, wait_ms=1):
        return self.script.pop(0) if self.script else []

    def rename(self, title):
        self.titles.append(title)

    def close(self):
        self.closed += 1


def opened(monkeypatch, *script, style=None):
    window = FakeWindow(*script)
    monkeypatch.setattr(module, "open_window", lambda info, style: window)
    live = LiveWindow(View(style or Style()))
    live.begin(SourceInfo("door", (80, 60)))
    return live, window


def reader(*frames):
    waiting = list(frames)

    def get(timeout_s):
        return waiting.pop(0) if waiting else None

    return SimpleNamespace(info=SourceInfo("door", (80, 60)), get=get, peek=get)


def loaded_after(count):
    answers = [False] * count
    return lambda limit_s: not (answers and not answers.pop())


def test_what_a_camera_shows_is_shown_while_the_models_load(monkeypatch):
    live, window = opened(monkeypatch)
    live.while_loading(reader(None, Frame(0, 0.0, IMAGE, 0.0)), loaded_after(2))
    assert [status.awaited for _, _, status in window.shown] == ["loading models"] * 3
    assert [bool((drawing == 200).all()) for drawing, _, _ in window.shown] == [False, True, True]


def test_the_first_frame_is_shown_before_the_models_begin_to_load(monkeypatch):
    live, window = opened(monkeypatch)
    shown_before = []

    def loaded_within(limit_s):
        shown_before.append(len(window.shown))
        return True

    live.while_loading(reader(Frame(0, 0.0, IMAGE, 0.0)), loaded_within)
    assert shown_before == [1]
    assert (window.shown[0][0] == 200).all()


def test_who_closes_the_window_while_the_models_load_has_quit(monkeypatch):
    live, window = opened(monkeypatch, [], [Quit()])
    live.while_loading(reader(), loaded_after(100))
    assert live._view.quit
    assert len(window.shown) == 2


def test_it_is_kept_for_the_next_source_and_closed_once(monkeypatch):
    live, window = opened(monkeypatch)
    live.close()
    live.begin(SourceInfo("garden", (80, 60)))
    assert (window.titles, window.closed) == (["streamer: garden"], 0)
    live.shut()
    assert window.closed == 1


def test_no_part_of_it_is_black_while_there_is_no_depth(monkeypatch):
    live, window = opened(monkeypatch, style=Style(depth="side"))
    live.while_loading(reader(Frame(0, 0.0, IMAGE, 0.0)), loaded_after(0))
    ((drawing, _, _),) = window.shown
    assert drawing[:, 80:].min() > 20
