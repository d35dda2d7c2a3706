"""The view in the browser beside a run: who may see it, where it is, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streamer.data.result import Result
from streamer.engine import Engine
from streamer.errors import ServeError
from streamer.session.loading import frames_until
from streamer.session.playback import style_of
from streamer.sources.reader import Reader
from streamer.terminal.console import Terminal
from streamer.terminal.report import live_rows
from streamer.ui.window.hud import Status

if TYPE_CHECKING:
    from streamer.ui.browser.browser import Browser


@dataclass(frozen=True, slots=True)
class Serving:
    """What a person wants served.

    Attributes:
        address: ``HOST:PORT``.
        token: What has to be shown there; None makes one where others than this machine can reach it.
    """

    address: str
    token: str | None = None


@contextmanager
def served(engine: Engine, wanted: Serving | None, terminal: Terminal) -> Iterator[Browser | None]:
    """The view in the browser, from before the source is opened; None where none is wanted.

    Raises:
        ServeError: It cannot be served there, or a library is missing.
    """
    if wanted is None:
        yield None
        return
    browser = _open(engine, wanted, terminal)
    terminal.say(f"In the browser: {browser.url}")
    try:
        yield browser
    finally:
        browser.close()


def _open(engine: Engine, wanted: Serving, terminal: Terminal) -> Browser:
    from streamer.ui.browser.address import Address

    address = Address.parse(wanted.address)
    try:
        from streamer.ui.browser.access import token_for
        from streamer.ui.browser.browser import Browser
    except ModuleNotFoundError as error:
        raise ServeError(f"--serve needs {error.name}: run `pip install 'streamer[serve]'`.") from None
    masks = engine.config.segmenter is not None
    can = {"masks": masks, "text": masks, "depth": engine.config.depth is not None}
    return Browser(address, token_for(address, wanted.token), style_of(engine), can, terminal.warn)


def told(browser: Browser | None) -> Callable[[Mapping[str, Any]], None] | None:
    """Tells the browser what the console is told."""
    return None if browser is None else lambda summary: browser.tell(summary, live_rows(summary))


def while_loading(browser: Browser) -> Callable[[Reader, Callable[[float], bool]], None]:
    """Shows what the source gives until the models are loaded."""

    def show(reader: Reader, loaded_within: Callable[[float], bool]) -> None:
        for frame in frames_until(loaded_within, reader):
            if frame is not None:
                browser.show(Result(frame), Status(awaited="loading models"))

    return show
