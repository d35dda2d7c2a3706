"""The page in a real Chromium, without a run behind it: the token, the end, and another try."""

from __future__ import annotations

from streamer.ui.window import events
from streamer.ui.window.hud import Status
from tests.chromium import Page
from tests.ui.browser.shows import browser, port_of, result
from tests.ui.browser.test_browser import asked_for, kept_showing

TOKEN = "correct-horse-battery"
STATE = "document.querySelector('#state')?.dataset.state"


def test_a_token_opens_the_page_and_leaves_the_address(tmp_path):
    with browser("0.0.0.0", TOKEN) as shown, kept_showing(shown), Page(tmp_path) as page:
        page.open(f"http://127.0.0.1:{port_of(shown)}/?token={TOKEN}")
        page.wait_for(f"{STATE} === 'live'")
        assert page.evaluate("location.search") == ""
        assert TOKEN not in page.evaluate("document.cookie"), "no script may read it"
        assert page.wait_for("document.querySelector('#objects .name')?.textContent") == "cup"
        assert page.evaluate("document.querySelector('#title').textContent") == "door"


def test_the_end_is_said_and_words_of_others_are_text(tmp_path):
    with Page(tmp_path) as page:
        with browser() as shown, kept_showing(shown, make=lambda index: result(index, (1,), label="<b>cup</b>")):
            page.open(shown.url)
            page.wait_for(f"{STATE} === 'live'")
            assert page.wait_for("document.querySelector('#objects .name')?.textContent") == "<b>cup</b>"
            assert not page.evaluate("document.querySelector('#objects b')")
            shown.show(result(0), Status())
        page.wait_for(f"{STATE} === 'offline'")
        page.wait_for("document.querySelector('#state').textContent !== 'live'")


def test_words_are_typed_where_there_is_something_that_finds_them(tmp_path):
    with browser(text=True) as shown, kept_showing(shown), Page(tmp_path) as page:
        page.open(shown.url)
        page.wait_for(f"{STATE} === 'live'")
        page.key("/")
        for letter in "cup":
            page.key(letter)
        page.evaluate("document.querySelector('#words').requestSubmit()")
        assert asked_for(shown, 1)[0][0] == events.LookFor("cup")
