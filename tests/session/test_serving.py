"""A whole run in a real browser: every gesture and button of the page, with a mouse and with a finger."""

from __future__ import annotations

import io
import sys
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from streamer.config import Config, load
from streamer.engine import Engine
from streamer.errors import ServeError
from streamer.session.playback import Playback, style_of
from streamer.session.serving import Serving, served, told
from streamer.terminal.console import Terminal
from streamer.terminal.live_status import LiveStatus
from streamer.terminal.panel import LiveConsole
from tests.chromium import Page, chromium
from tests.end_to_end.conftest import wait_until
from tests.fake_models import ColorSegmenter, RedDepth, moving_scene
from tests.pipelines import iou

RATE_HZ = 15
NOTE_WHAT_IS_SENT = """
    window.sent = [];
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function (text) { sent.push(JSON.parse(text)); return send.call(this, text); };
"""
WHERE_IT_IS = "(({ left, top, width }) => [left, top, width])(document.querySelector('canvas').getBoundingClientRect())"


def step_of(index):
    """The scene goes to and fro, so that nothing leaves it, and slowly: a busy machine takes a second to click."""
    step = index // 4
    return min(step % 100, 100 - step % 100)


def labels_of(index):
    return moving_scene(step_of(index))[1]


class LastResult:
    """A sink that remembers."""

    name, written, dropped, warning, result = "last", 0, 0, None, None

    def write(self, result):
        self.result = result

    def close(self):
        pass


class Run:
    """A live run that is served, as the page and the test see it."""

    def __init__(self, browser, sink, folder):
        self.browser, self._sink, self.folder = browser, sink, folder

    @property
    def result(self):
        return self._sink.result

    def tracks(self):
        return {track.id: track for track in self.result.tracks} if self.result else {}

    def wait_for(self, holds, what):
        wait_until(lambda: self.result is not None and holds(self.tracks()), limit_s=60, what=what)
        return self.tracks()


@pytest.fixture
def run(tmp_path):
    """Starts it in a thread, as without a window any thread may have it, and ends it."""
    chromium()
    config = load("tiny", ["device=cpu", "tracking.max_objects=0"])
    engine = Engine(config, segmenter=ColorSegmenter(), depth_estimator=RedDepth()).load()
    terminal = Terminal(Console(file=io.StringIO()), Console(file=io.StringIO()))
    stop, sink = SimpleNamespace(signalled=False), LastResult()

    def scene():
        index = 0
        while True:
            yield moving_scene(step_of(index))[0]
            index += 1
            time.sleep(1 / RATE_HZ)  # as a camera

    def play(browser):
        with engine.open(scene(), live=True) as opened:
            browser.begin(opened.info)
            report = LiveStatus(LiveConsole("scene", Console(file=io.StringIO())), told(browser))
            parts = {"audience": browser, "sinks": [sink], "live": True, "folder": tmp_path / "saved", "report": report}
            Playback(opened, style_of(engine), stop, terminal, **parts).play()

    with served(engine, Serving("127.0.0.1:0"), terminal) as browser:
        thread = threading.Thread(target=play, args=(browser,))
        thread.start()
        yield Run(browser, sink, tmp_path / "saved")
        stop.signalled = True
        thread.join()


@contextmanager
def opened(run, folder, **how):
    """The page, live, with what it sends noted."""
    with Page(folder / "browser", **how) as page:
        page.open(run.browser.url)
        page.wait_for("document.querySelector('#state')?.dataset.state === 'live'")
        page.evaluate(NOTE_WHAT_IS_SENT)
        yield page


def on_screen(page, x, y):
    """Where a pixel of the frame is on the page."""
    left, top, width = page.evaluate(WHERE_IT_IS)
    halves = page.evaluate("document.querySelector('canvas').width > 2 * document.querySelector('canvas').height") + 1
    scale = width / 320 / halves
    return left + (x + 0.5) * scale, top + (y + 0.5) * scale


def middle_of(run, label):
    """The middle of an object of the frame that was shown last."""
    return np.argwhere(labels_of(run.result.index) == label).mean(axis=0)[::-1]


def press(page, selector):
    page.evaluate(f"document.querySelector({selector!r}).click()")


def sent(page, kind):
    return page.evaluate(f"sent.filter((message) => message.type === '{kind}')")


def is_on(run, number, label):
    track = run.tracks().get(number)
    return track is not None and iou(track.mask, labels_of(run.result.index) == label) > 0.7


def test_a_mouse_and_a_keyboard(run, tmp_path):
    with opened(run, tmp_path) as page:
        page.mouse(*on_screen(page, *middle_of(run, 1)))
        run.wait_for(lambda tracks: is_on(run, *list(tracks)[:1], 1) if tracks else False, "a mask of the ball")
        (ball,) = run.tracks()
        page.wait_for(f"document.querySelector('#objects li[aria-current=true] .tag')?.textContent === '{ball}'")

        page.mouse(*on_screen(page, 5, 5), button="right")
        run.wait_for(lambda tracks: list(tracks[ball].point_labels) == [1, 0], "a click beside it")

        page.key("n")
        page.wait_for("document.querySelector('#new').getAttribute('aria-pressed') === 'true'")
        x, y = middle_of(run, 2)
        page.mouse(*on_screen(page, x - 40, y - 45), to=on_screen(page, x + 40, y + 45))
        tracks = run.wait_for(lambda tracks: len(tracks) == 2, "a second object")
        box = max(tracks)
        run.wait_for(lambda tracks: is_on(run, box, 2), "a mask of the box")

        press(page, f"[aria-label='Remove object {ball}']")
        run.wait_for(lambda tracks: list(tracks) == [box], "the ball's end")
        page.key("u")
        run.wait_for(lambda tracks: list(tracks) == [ball, box], "the ball's return")
        page.wait_for(f"document.querySelector('#toast').textContent === 'object {ball} is back'")

        clicks = len(sent(page, "click"))
        for label, meters in ((1, "1"), (2, "5")):
            page.key("c")
            page.key(meters)
            page.evaluate("document.querySelector('#known').requestSubmit()")
            page.mouse(*on_screen(page, *middle_of(run, label)))
            page.wait_for(f"document.querySelector('#toast').textContent.startsWith('{meters} m is known')")
        assert len(sent(page, "click")) == clicks, "what is that far is not followed by it"
        wait_until(lambda: run.result.depth_m is not None, what="meters")

        page.key("s")
        wait_until(lambda: list(run.folder.glob("*.png")), what="a snapshot")
        press(page, "[data-press=record]")
        page.wait_for("document.body.classList.contains('recording')")
        press(page, "[data-press=record]")
        wait_until(
            lambda: [path for path in run.folder.glob("*.mp4") if "partial" not in path.name], what="a recording"
        )

        page.key(" ")
        page.wait_for("document.querySelector('#state').dataset.state === 'paused'")
        index = run.result.index
        time.sleep(0.3)
        assert run.result.index == index
        page.key(" ")
        page.wait_for("document.querySelector('#state').dataset.state === 'live'")

        wide = "document.querySelector('canvas').width / document.querySelector('canvas').height"
        narrow = page.evaluate(wide)
        press(page, "[data-depth=off]")
        page.wait_for(f"Math.abs({wide} - {narrow}) > 0.1")
        assert "ms" in page.evaluate("document.querySelector('#readings').textContent")
        page.wait_for("document.querySelector('#figures').textContent.includes('shown')")
        page.key("h")
        assert page.evaluate("document.querySelector('#sheet').open")


def test_a_finger(run, tmp_path):
    with opened(run, tmp_path, size=(390, 844), phone=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it is wider than the screen"
        page.finger(*on_screen(page, *middle_of(run, 1)))
        run.wait_for(lambda tracks: is_on(run, *list(tracks)[:1], 1) if tracks else False, "a mask of the ball")
        page.finger(*on_screen(page, 5, 5), seconds=0.8)
        assert [click["label"] for click in sent(page, "click")] == [1, 0], "a long press is one click beside it"
        page.evaluate("document.querySelector('#new').click()")
        x, y = middle_of(run, 2)
        page.finger(*on_screen(page, x - 40, y - 45), to=on_screen(page, x + 40, y + 45))
        run.wait_for(lambda tracks: len(tracks) == 2 and is_on(run, max(tracks), 2), "a mask of the box")
        assert len(sent(page, "click")) == 2, "a drag is no click"


def test_nothing_is_served_where_nothing_is_wanted():
    with served(Engine(Config(device="cpu")), None, Terminal()) as browser:
        assert browser is None
    assert told(None) is None


def test_a_missing_library_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    for name in [name for name in sys.modules if name.startswith("streamer.ui.browser")]:
        monkeypatch.delitem(sys.modules, name)
    wanted = served(Engine(Config(device="cpu")), Serving("127.0.0.1:0"), Terminal())
    with pytest.raises(ServeError, match=r"needs aiohttp: run `pip install 'streamer\[serve\]'`"), wanted:
        pass
