"""The real window on a virtual display, driven with a real mouse and keyboard."""

from __future__ import annotations

import ctypes
import ctypes.util
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np
import pytest

from streamer.data.colors import color_of
from streamer.data.frame import Frame
from streamer.data.result import Result, StageStatus
from streamer.data.track import DepthStats, State, Track
from streamer.errors import DisplayError
from streamer.ui import drawing
from streamer.ui.overlay import Style, draw
from streamer.ui.window import hud, sidebar
from streamer.ui.window.display import display_available
from streamer.ui.window.events import (
    Click,
    CycleDepth,
    CycleLevel,
    Delete,
    DragBox,
    ForceKeyframe,
    ForgetPhrases,
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
from streamer.ui.window.hud import Status
from streamer.ui.window.window import Window

SIZE = 640, 360
GRAY = 90
STAGES = {"masks": StageStatus(age=3), "depth": StageStatus(age=1)}


def make_result(tracks=True):
    image = np.full((SIZE[1], SIZE[0], 3), GRAY, np.uint8)
    image[40:120, 440:560] = (255, 0, 0)  # red in RGB: a swap of channels would show
    mask = np.zeros((SIZE[1], SIZE[0]), bool)
    mask[200:300, 300:420] = True
    depth = np.tile(np.linspace(1, 3, SIZE[0], dtype=np.float32), (SIZE[1], 1))
    objects = (
        Track(1, mask, (300, 200, 420, 300), 0.9, State.TRACKED, depth=DepthStats(1.9, 2.1, 2.3, now=2.1)),
        Track(4, np.zeros_like(mask), None, 0.2, State.LOST),
    )
    return Result(Frame(7, 0.2, image, 0.0), objects if tracks else (), depth, (1.0, 3.0), stages=STAGES)


def xdotool(*arguments):
    subprocess.run(["xdotool", *map(str, arguments)], check=True, capture_output=True)


def poll_until(window, wanted=1, limit_s=5.0):
    """Events up to the wanted number; a little longer than needed, so that one too many would show."""
    events, end_s = [], time.monotonic() + limit_s
    while len(events) < wanted and not window.closed and time.monotonic() < end_s:
        events += window.poll(10)
    for _ in range(4):
        events += window.poll(10)
    return events


def screen():
    """What is on the screen, uint8 RGB."""
    if not shutil.which("import"):
        pytest.skip("ImageMagick is not installed")
    encoded = subprocess.run(["import", "-window", "root", "png:-"], check=True, capture_output=True).stdout
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def screenshot(window, holds, limit_s=10.0):
    """The screen once ``holds(image)``: the X server may paint a little later than it was asked to."""
    end_s = time.monotonic() + limit_s
    while True:
        window.poll(10)
        image = screen()
        if holds(image):
            return image
        assert time.monotonic() < end_s, "the screen does not show it"


def settled_screenshot(window):
    """The screen once the window has come to rest on it: painted, and the same twice."""
    last = []

    def rests(image):
        last.append(image)
        return len(red_pixels(image)) and len(last) > 1 and (last[-2] == image).all()

    return screenshot(window, rests)


def red_pixels(image):
    return np.argwhere((image[:, :, 0] > 200) & (image[:, :, 1] < 60) & (image[:, :, 2] < 60))


@pytest.fixture(scope="module")
def only_window(virtual_display):
    """The window of all these tests: like the program, a process opens one."""
    with Window("clip – ünïcode", SIZE) as window:
        show_once(window)
        screenshot(window, lambda image: len(red_pixels(image)))
        yield window


@pytest.fixture
def window(only_window):
    """It, as it is when it has just been opened, and on the screen for certain."""
    make_new(only_window)
    return only_window


def make_new(window):
    """Undo what a test before did to it."""
    xdotool("mouseup", 1, "mousemove", 1390, 990)
    cv2.resizeWindow(window._name, *window._size)
    window._pointer, window._help_open, window._entry = hud.Pointer(), False, None
    window._clicks.clear()
    show_once(window)
    screenshot(window, lambda image: len(red_pixels(image)) and window._canvas_size() == window._size)
    poll_until(window, wanted=0)


def in_a_new_process(task):
    """Run it there, where no window has been opened yet; what it raises is raised here."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        executor.submit(task).result()


def show_once(window):
    result = make_result()
    window.show(draw(result, Style()), result, Status(29.9, 21.0, {"masks": "interval"}, "CPU", selected=1))
    poll_until(window, wanted=0)


def canvas_point(window, x, y, half=0):
    return (round(value) for value in window._layout.to_canvas((x, y), half))


def visible_windows(pid):
    search = ["xdotool", "search", "--all", "--onlyvisible", "--pid", str(pid), "--name", "clip"]
    return [int(number) for number in subprocess.run(search, capture_output=True, text=True).stdout.split()]


def find_window(pid):
    return visible_windows(pid)[-1]


def close_as_a_person_would(window_id):
    """Send what the button in the title bar sends (no window manager runs here)."""
    library = ctypes.util.find_library("X11")
    if library is None:
        pytest.skip("libX11 is not installed")
    x11 = ctypes.CDLL(library)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    x11.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    protocols, delete = (x11.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    client_message = 33
    event = (ctypes.c_long * 24)(client_message, 0, 0, 0, window_id, protocols, 32, delete)
    x11.XSendEvent(display, ctypes.c_ulong(window_id), 0, ctypes.c_long(0), ctypes.byref(event))
    x11.XCloseDisplay(display)


@pytest.mark.parametrize(("button", "label"), [(1, 1), (3, 0)])
def test_a_click_arrives_at_its_pixel_of_the_frame(window, button, label):
    xdotool("mousemove", *canvas_point(window, 320, 250), "click", button)
    (click,) = poll_until(window)
    assert isinstance(click, Click)
    assert click.label == label
    assert (click.x, click.y) == pytest.approx((320, 250), abs=1)


def test_two_quick_clicks_are_two_clicks(window):
    xdotool("mousemove", *canvas_point(window, 320, 250), "click", "--repeat", 2, "--delay", 20, 1)
    assert [type(event) for event in poll_until(window, 2)] == [Click, Click]


def test_a_drag_is_a_box_in_any_direction(window):
    xdotool("mousemove", *canvas_point(window, 420, 300), "mousedown", 1)
    poll_until(window, 0)
    xdotool("mousemove", *canvas_point(window, 250, 150))
    assert poll_until(window, 0) == []
    xdotool("mouseup", 1)
    (box,) = poll_until(window)
    assert isinstance(box, DragBox)
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((250, 150, 420, 300), abs=1)


def test_clicks_on_the_depth_beside_the_picture_mean_the_picture(window):
    result = make_result()
    window.show(draw(result, Style(depth="side")), result, Status())
    poll_until(window, 0)
    for half in (0, SIZE[0]):
        xdotool("mousemove", *canvas_point(window, 500, 200, half), "click", 1)
        (click,) = poll_until(window)
        assert (click.x, click.y) == pytest.approx((500, 200), abs=2)


def test_clicks_stay_right_after_resizing_and_the_aspect_is_kept(window):
    xdotool("windowsize", find_window(os.getpid()), 500, 900)
    end_s = time.monotonic() + 5
    while window._layout.canvas_size != (500, 900) and time.monotonic() < end_s:
        window.poll(10)
    xdotool("mousemove", *canvas_point(window, 500, 80), "click", 1)
    (click,) = poll_until(window)
    assert (click.x, click.y) == pytest.approx((500, 80), abs=1.5)

    def keeps_aspect(image):
        red = red_pixels(image[:900, :500])
        height, width = np.ptp(red, axis=0) + 1 if len(red) else (1, 0)
        return width / height == pytest.approx(120 / 80, rel=0.05)

    screenshot(window, keeps_aspect)


def test_clicks_on_the_bars_are_none_and_a_click_in_the_list_selects(window):
    xdotool("mousemove", 300, 5, "click", 1, "click", 3)
    assert poll_until(window, 0) == []
    (x0, y0, x1, y1), object_id = sidebar.list_rows(window._layout, make_result().tracks)[1]
    xdotool("mousemove", (x0 + x1) // 2, (y0 + y1) // 2, "click", 1)
    assert poll_until(window) == [SelectObject(4)] == [SelectObject(object_id)]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("n", NewObject()),
        ("Tab", CycleLevel()),
        ("1", SelectObject(1)),
        ("4", SelectObject(4)),
        ("d", Delete()),
        ("Delete", Delete()),
        ("u", Undo()),
        ("space", Pause()),
        ("m", ToggleMasks()),
        ("t", CycleDepth()),
        ("s", Snapshot()),
        ("r", ToggleRecord()),
        ("shift+R", ToggleRecord()),
        ("k", ForceKeyframe()),
        ("period", TurnPage(1)),
        ("comma", TurnPage(-1)),
        ("q", Quit()),
        ("Escape", Quit()),
    ],
)
def test_keys(window, key, expected):
    xdotool("mousemove", *canvas_point(window, 320, 180), "key", key)
    assert poll_until(window) == [expected]


def person(*arguments):
    """Someone who does this while the test goes on."""
    return subprocess.Popen(["xdotool", "sleep", "0.1", *map(str, arguments)])


@pytest.mark.parametrize(
    ("hands", "polls"),
    [
        (("click", 1, "sleep", 0.1, "key", "n"), [[Click, NewObject]]),
        (("key", "n", "sleep", 0.1, "click", 1, "sleep", 0.1, "key", "u"), [[NewObject], [Click, Undo]]),
    ],
    ids=["click first", "key first"],
)
def test_keys_and_clicks_of_one_poll_keep_their_order(window, hands, polls):
    xdotool("mousemove", *canvas_point(window, 320, 250))
    poll_until(window, 0)
    with person(*hands):
        assert [[type(event) for event in window.poll(3000)] for _ in polls] == polls


def test_a_key_and_a_click_that_piled_up_both_arrive(window):
    xdotool("mousemove", *canvas_point(window, 320, 250), "key", "n", "click", 1)
    assert {type(event) for event in poll_until(window, 2)} == {NewObject, Click}


def test_a_distance_is_typed_where_the_mouse_is(window):
    xdotool("mousemove", *canvas_point(window, 320, 180))
    while window._pointer.at is None or not window._layout.covers(window._pointer.at):
        window.poll(10)
    for key, typed in (("c", ": _ m"), ("1", ": 1_ m"), ("period", ": 1._ m"), ("5", ": 1.5_ m")):
        xdotool("key", key)
        while window._entry is None or typed not in window._entry.prompt:
            assert window.poll(10) == []
    xdotool("key", "Return")
    (known,) = poll_until(window)
    assert (known.x, known.y, known.meters) == (pytest.approx(320, abs=1), pytest.approx(180, abs=1), 1.5)
    xdotool("key", "q")
    assert poll_until(window) == [Quit()], "keys mean again what they mean"


def test_what_to_find_is_typed_after_a_slash_and_an_empty_line_forgets_it(window):
    xdotool("mousemove", 5, 5)
    bar = np.s_[window._layout.canvas_size[1] - window._layout.bar_px : window._layout.canvas_size[1]]
    before = settled_screenshot(window)[bar]

    def press(key, typed):
        xdotool("key", key)
        while window._phrase.text != typed:
            assert window.poll(10) == []

    for key, typed in (("slash", ""), ("r", "r"), ("q", "rq"), ("BackSpace", "r"), ("space", "r "), ("q", "r q")):
        press(key, typed)
    screenshot(window, lambda image: (image[bar] != before).any())
    xdotool("key", "Return")
    assert poll_until(window) == [LookFor("r q")], "letters are no commands while the line is open"
    press("slash", "")
    xdotool("key", "Return")
    assert poll_until(window) == [ForgetPhrases()]
    for key, typed in (("slash", ""), ("x", "x"), ("Escape", None)):
        press(key, typed)
    xdotool("key", "q")
    assert poll_until(window) == [Quit()], "what was typed is given up"


@pytest.mark.parametrize("key", ["9", "x", "F1", "Left", "Page_Down"])
def test_other_keys_do_nothing(window, key):
    xdotool("mousemove", *canvas_point(window, 320, 180), "key", key)
    assert poll_until(window, 0) == []


def test_what_is_on_the_screen(window):
    x, y = canvas_point(window, 500, 80)
    xdotool("mousemove", 5, 5)
    image = settled_screenshot(window)
    assert image[y, x] == pytest.approx((255, 0, 0), abs=3)
    width, height = window._layout.canvas_size
    bars = image[: window._layout.bar_px, :width], image[height - window._layout.bar_px : height, :width]
    for bar in bars:
        assert (bar == drawing.BACKGROUND).all(axis=2).mean() > 0.5
        assert (bar > 150).all(axis=2).any(), "there are no letters on the bar"
    (x0, y0, x1, y1), _ = sidebar.list_rows(window._layout, make_result().tracks)[0]
    row = image[y0:y1, x0:x1].astype(int)
    assert (np.abs(row - color_of(1)).max(axis=2) < 40).any(), "the object's color is not in the list"


def test_the_help_sheet_opens_and_closes(window):
    xdotool("mousemove", 5, 5)
    x0, y0, x1, y1 = window._layout.area
    before = settled_screenshot(window)[y0:y1, x0:x1]

    def changed(image):
        return (image[y0:y1, x0:x1] != before).any(axis=2).mean()

    for key, holds in (
        ("h", lambda image: changed(image) > 0.1),
        ("Escape", lambda image: changed(image) == 0),
    ):
        xdotool("key", key)
        screenshot(window, holds)
        assert poll_until(window, 0) == []


def test_the_drawing_itself_carries_nothing_of_the_window(window):
    result = make_result()
    drawn = draw(result, Style())
    before = drawn.copy()
    window.show(drawn, result, Status(30, 20, "forced", "CPU", 1, True, True, True, "saved"))
    np.testing.assert_array_equal(drawn, before)


def close_and_look():
    with Window("clip – ünïcode", SIZE) as window:
        make_new(window)
        close_as_a_person_would(find_window(os.getpid()))
        assert poll_until(window) == [Quit()]
        assert window.closed
        result = make_result()
        window.show(draw(result, Style()), result)
        assert window.poll() == []
        assert visible_windows(os.getpid()) == []


def test_a_closed_window_says_quit_once_and_stays_closed(virtual_display):
    in_a_new_process(close_and_look)


def test_results_of_any_size_can_follow_each_other(window):
    for size in ((64, 48), (360, 640), (2000, 300)):
        image = np.zeros((size[1], size[0], 3), np.uint8)
        result = Result(Frame(0, 0.0, image, 0.0))
        for style in (Style(), Style(depth="side")):
            window.show(draw(result, style), result)
            window.poll()


@pytest.mark.parametrize("display", ["", ":4711", "nonsense"])
def test_without_a_display_there_is_a_reason_and_no_crash(monkeypatch, display):
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    if sys.platform != "linux":
        pytest.skip("only X11 names its display")
    reason = display_available()
    assert reason
    assert re.search(r"DISPLAY.*--no-show", reason)
    with pytest.raises(DisplayError, match="DISPLAY"):
        Window("none", (640, 480))


def test_a_display_that_works_is_recognized(virtual_display):
    assert os.environ["DISPLAY"] == virtual_display
    assert display_available() is None
