"""Everyone who watches in a browser, as the frame loop knows them: shown results, and asked what they want."""

from __future__ import annotations

import asyncio
import queue
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any

from aiohttp import web

from streamer.data.result import Result
from streamer.data.source import SourceInfo
from streamer.ui.browser.access import Access
from streamer.ui.browser.address import Address
from streamer.ui.browser.feed import Feed
from streamer.ui.browser.metrics import exposition
from streamer.ui.browser.pictures import Shot
from streamer.ui.browser.routes import Routes
from streamer.ui.browser.server import Server
from streamer.ui.browser.viewer import Viewer
from streamer.ui.overlay import Style
from streamer.ui.view import View
from streamer.ui.window.events import Event
from streamer.ui.window.hud import Status

_MOST_VIEWERS = 32
_MOST_WAITING = 256
_FRESH_S = 2.0
_PAGE = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/picture.js": ("picture.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/app.webmanifest": ("app.webmanifest", "application/manifest+json"),
}


class Browser:
    """The view in the browser.

    Args:
        address: Where it is served.
        token: What has to be shown there; None for nothing.
        style: How results are drawn at first, for everyone.
        can: What there is: ``masks`` to click for, ``text`` to find by words, ``depth`` to show.
        warn: Told in one sentence what goes wrong.

    Attributes:
        delays_s: From capture until a page had drawn it, of the last pictures [s].

    Raises:
        ServeError: It cannot be served there.
    """

    def __init__(
        self,
        address: Address,
        token: str | None,
        style: Style,
        can: Mapping[str, bool],
        warn: Callable[[str], None],
    ) -> None:
        self._token, self._style, self._warn = token, style, warn
        self._viewers: tuple[Viewer, ...] = ()
        self._asked: queue.Queue[tuple[Event, View]] = queue.Queue(_MOST_WAITING)
        self._shown: tuple[Status, float] | None = None
        self._figures: Sequence[tuple[str, str]] = ()
        self._summary: Mapping[str, Any] = {}
        self._about = {"can": dict(can), "look": {"masks": style.masks, "depth": style.depth}}
        self._info: SourceInfo | None = None
        self.delays_s: deque[float] = deque(maxlen=1000)
        self._server = Server(address, self._build)

    @property
    def url(self) -> str:
        """What to open, with the token in it where there is one."""
        return self._server.address.url + (f"?token={self._token}" if self._token else "")

    @property
    def viewers(self) -> int:
        """How many pages are open."""
        return len(self._viewers)

    # The frame loop

    def begin(self, info: SourceInfo) -> None:
        """Show another source from now on: nothing that was asked for about the one before counts."""
        self.poll()
        self._info = info
        for viewer in self._viewers:
            viewer.view.begin(0, replayable=False)

    def show(self, result: Result, status: Status) -> None:
        """Show a result to everyone. Waits for nobody and draws nothing yet."""
        for viewer in self._viewers:
            viewer.view.show(result)
        self._shown = status, time.monotonic()
        if self._info is not None:
            self._feed.put(Shot(result, status, self._info))

    def poll(self, wait_s: float = 0.0) -> list[tuple[Event, View]]:
        """What was asked for since the last call, and by whom; waits at most so long for it [s]."""
        asked = []
        try:
            asked.append(self._asked.get(block=wait_s > 0, timeout=wait_s or None))
            while True:
                asked.append(self._asked.get_nowait())
        except queue.Empty:
            return asked

    def tell(self, summary: Mapping[str, Any], rows: Sequence[tuple[str, str]]) -> None:
        """How the run stands: as data for programs, and as (name, text) for people."""
        self._summary, self._figures = summary, rows

    def close(self) -> None:
        """Send everyone home. May be called twice."""
        self._feed.close()
        self._server.close()

    # The event loop

    def _build(self, address: Address) -> web.Application:
        self._feed = Feed(asyncio.get_running_loop(), self._warn)
        access = Access(address, self._token)
        application = web.Application(middlewares=[access.middleware()])
        application.on_response_prepare.append(access.add_headers)
        application.on_shutdown.append(self._say_goodbye)
        application.add_routes([web.get(path, self._page) for path in _PAGE])
        application.add_routes([web.get("/view", self._view)])
        routes = Routes(self._feed, self._style, self._health, self._metrics)
        application.add_routes(routes.table())
        application.on_shutdown.append(routes.close)
        return application

    async def _page(self, request: web.Request) -> web.Response:
        name, kind = _PAGE[request.path]
        body = resources.files("streamer.ui.browser").joinpath("page", name).read_bytes()
        return web.Response(body=body, content_type=kind, charset="utf-8")

    async def _view(self, request: web.Request) -> web.StreamResponse:
        if self.viewers >= _MOST_VIEWERS:
            raise web.HTTPServiceUnavailable(text=f"{_MOST_VIEWERS} pages are open already: close one.\n")
        viewer = Viewer(View(self._style), self._feed, self._ask, self._extras, self.delays_s.append, self._warn)
        self._viewers = (*self._viewers, viewer)
        try:
            return await viewer.serve(request)
        finally:
            self._viewers = tuple(one for one in self._viewers if one is not viewer)

    def _ask(self, event: Event, view: View) -> bool:
        try:
            self._asked.put_nowait((event, view))
        except queue.Full:
            return False
        return True

    def _extras(self) -> dict[str, Any]:
        return {
            **self._about,
            "title": "" if self._info is None else self._info.name,
            "figures": self._figures,
            "viewers": self.viewers,
        }

    def _health(self) -> tuple[bool, Mapping[str, Any]]:
        if self._shown is None:
            return False, {"state": "waiting for the first frame"}
        status, at_s = self._shown
        age_s = time.monotonic() - at_s
        state = "stalled" if status.stalled or age_s > _FRESH_S else "paused" if status.paused else "running"
        return state != "stalled", {"state": state, "silent_s": round(age_s, 2)}

    def _metrics(self) -> bytes:
        return exposition(self._summary, self.viewers, self.delays_s)

    async def _say_goodbye(self, application: web.Application) -> None:
        for viewer in self._viewers:
            await viewer.close()
