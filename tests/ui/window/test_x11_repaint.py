import os
import subprocess
import sys

import pytest

from streamer.ui.window import x11_repaint
from streamer.ui.window.x11_repaint import wake_unpainted, wake_until_painted

pytest.importorskip("Xlib", reason="there is no X here")

from Xlib import X
from Xlib.display import Display

SIZE = 64, 48


@pytest.fixture
def display(virtual_display):
    display = Display()
    yield display
    display.close()


@pytest.fixture
def window(display):
    """A window of this process, shown and all black."""
    screen = display.screen()
    window = screen.root.create_window(
        0, 0, *SIZE, 0, screen.root_depth, background_pixel=0, event_mask=X.StructureNotifyMask
    )
    window.change_property(display.intern_atom("_NET_WM_PID"), display.intern_atom("CARDINAL"), 32, [os.getpid()])
    window.map()
    display.sync()
    happened(display)
    yield window
    window.destroy()
    display.sync()


def happened(display):
    display.sync()
    return [display.next_event().type for _ in range(display.pending_events())]


def paint(display, window):
    window.fill_rectangle(window.create_gc(foreground=0xFF0000), 10, 10, 20, 20)
    display.sync()


def test_a_black_window_is_mapped_again(display, window):
    assert wake_unpainted() == 1
    assert happened(display) == [X.UnmapNotify, X.MapNotify]


def test_a_painted_window_is_left_alone(display, window):
    paint(display, window)
    assert wake_unpainted() == 0
    assert happened(display) == []


def test_windows_that_are_hidden_or_of_others_are_left_alone(display, window):
    search = "from streamer.ui.window.x11_repaint import wake_unpainted; print(wake_unpainted())"
    assert subprocess.run([sys.executable, "-c", search], capture_output=True, text=True).stdout == "0\n"
    window.unmap()
    happened(display)
    assert wake_unpainted() == 0
    assert happened(display) == []


def test_only_what_the_window_manager_lists_counts(display, window):
    root, clients = display.screen().root, display.intern_atom("_NET_CLIENT_LIST")
    root.change_property(clients, display.intern_atom("WINDOW"), 32, [])
    display.sync()
    assert wake_unpainted() == 1  # an empty list is no list
    other = root.create_window(0, 0, *SIZE, 0, display.screen().root_depth)
    root.change_property(clients, display.intern_atom("WINDOW"), 32, [other.id])
    display.sync()
    assert wake_unpainted() == 0
    root.delete_property(clients)
    other.destroy()
    display.sync()


def test_it_goes_on_until_the_window_is_painted(display, window, monkeypatch):
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            paint(display, window)

    monkeypatch.setattr(x11_repaint.time, "sleep", sleep)
    wake_until_painted()
    assert len(pauses) == 3
    assert happened(display) == [X.UnmapNotify, X.MapNotify] * 2


def test_without_a_display_there_is_nothing_to_wake(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    assert wake_unpainted() == 0
