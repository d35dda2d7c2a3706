"""One page that is open somewhere: pictures to it, as fast as it draws them, and what its person asks for from it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import WSMsgType, web

from streamer.errors import ServeError
from streamer.ui.browser.feed import Feed, Newest
from streamer.ui.browser.messages import Asking, Hello, Look, Shown, parse
from streamer.ui.browser.pictures import Picture, Pictures, on_page
from streamer.ui.browser.rates import Bucket
from streamer.ui.view import View
from streamer.ui.window.events import Event

MAX_MESSAGE_BYTES = 4096
_HELLO_S = 10.0
_HEARTBEAT_S = 20.0
_LEAST_UNDER_WAY, _MOST_UNDER_WAY = 2, 8
_USUAL_RATE_HZ = 30
_MESSAGES_HZ, _MESSAGES_AT_ONCE = 120.0, 240


class UnderWay:
    """Which pictures have been sent and not been drawn yet: no more than keep the way to the page busy.

    Sockets and what lies behind them take seconds of pictures without a word, and what waits there is old when it comes
    out. So the next one goes only when the page has drawn one of those before.

    Args:
        round_trip_s: How long a small message takes there and back [s].
    """

    def __init__(self, round_trip_s: float) -> None:
        on_the_way = math.ceil(round_trip_s * _USUAL_RATE_HZ)
        self._most = min(max(_LEAST_UNDER_WAY, 1 + on_the_way), _MOST_UNDER_WAY)
        self._sent: dict[int, float | None] = {}
        self._number = 0
        self._room = asyncio.Event()
        self._room.set()

    async def room(self) -> None:
        """Wait until one more may go."""
        await self._room.wait()

    def send(self, captured_at_s: float | None) -> int:
        """One more goes, of a frame that was captured then; None where that went before. Returns its number."""
        self._number += 1
        self._sent[self._number] = captured_at_s
        if len(self._sent) >= self._most:
            self._room.clear()
        return self._number

    def drawn(self, number: int) -> float | None:
        """The page has drawn that one. Returns when its frame was captured; None if that was not on its way."""
        if number not in self._sent:
            return None
        captured_at_s = self._sent[number]
        for older in [sent for sent in self._sent if sent <= number]:  # they arrive in order
            del self._sent[older]
        self._room.set()
        return captured_at_s


class Viewer:
    """One page.

    Args:
        view: What its person sees and has chosen; written by the frame loop, but for its style.
        feed: Where the pictures come from.
        ask: Hands on what the person asks for; False where there is too much of it.
        extras: What goes with the next picture beside what is known of its frame.
        on_drawn: Told how old a frame was when the page had drawn it [s].
        warn: Told in one sentence what goes wrong.
    """

    def __init__(
        self,
        view: View,
        feed: Feed,
        ask: Callable[[Event, View], bool],
        extras: Callable[[], dict[str, Any]],
        on_drawn: Callable[[float], None],
        warn: Callable[[str], None],
    ) -> None:
        self.view = view
        self._feed, self._ask, self._extras, self._on_drawn = feed, ask, extras, on_drawn
        self._warn = warn
        self._under_way = UnderWay(0.0)
        self._restyled = asyncio.Event()
        self._last_extras: dict[str, Any] = {}
        self._delay_s: float | None = None
        self._last_captured_at_s: float | None = None
        self._socket: web.WebSocketResponse | None = None

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve the page until it is closed."""
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=MAX_MESSAGE_BYTES, compress=False)
        await socket.prepare(request)
        self._socket = socket
        try:
            self._under_way = UnderWay(await _greet(socket))
            await _until_one_ends(self._send(socket), self._listen(socket))
        except ServeError as error:
            await socket.close(code=1008, message=str(error).encode()[:120])
        except (ConnectionError, TimeoutError):
            pass  # it has gone
        except Exception as error:
            self._warn(f"A page of the browser failed ({type(error).__name__}: {error}): it opens again by itself.")
            await socket.close(code=1011)
        return socket

    async def close(self) -> None:
        """Tell the page that the run has ended."""
        if self._socket is not None:
            await self._socket.close(code=1001, message=b"The run has ended.")

    async def _send(self, socket: web.WebSocketResponse) -> None:
        while not socket.closed:
            self._restyled.clear()
            with self._feed.subscribed(Pictures(on_page(self.view.style))) as newest:
                while not self._restyled.is_set():
                    await self._send_one(socket, newest)

    async def _send_one(self, socket: web.WebSocketResponse, newest: Newest[Picture]) -> None:
        await self._under_way.room()
        picture = await newest.get()
        # A frame that is held says nothing of how long pictures take.
        is_new = picture.captured_at_s != self._last_captured_at_s
        self._last_captured_at_s = picture.captured_at_s
        number = self._under_way.send(picture.captured_at_s if is_new else None)
        await socket.send_bytes(picture.packed({"number": number, **self._own(), **self._new_extras()}))

    def _own(self) -> dict[str, Any]:
        delay_ms = None if self._delay_s is None else round(self._delay_s * 1000)
        return {"selected": self.view.selected, "message": self.view.message, "delay_ms": delay_ms}

    def _new_extras(self) -> dict[str, Any]:
        extras, before = self._extras(), self._last_extras
        self._last_extras = extras
        return {name: value for name, value in extras.items() if before.get(name) != value}

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        bucket = Bucket(_MESSAGES_HZ, _MESSAGES_AT_ONCE)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                raise ServeError("The page speaks JSON text only.")
            if not bucket.take(time.monotonic()):
                raise ServeError("The page says too much at once.")
            self._take(parse(message.data))

    def _take(self, said: Hello | Shown | Look | Asking) -> None:
        match said:
            case Shown(number=number):
                captured_at_s = self._under_way.drawn(number)
                if captured_at_s is not None:
                    self._delay_s = time.monotonic() - captured_at_s
                    self._on_drawn(self._delay_s)
            case Look(masks=masks, depth=depth):
                self.view.look(masks, depth)
                self._restyled.set()
            case Hello():
                raise ServeError("The page greets twice.")
            case _:
                for event in said.events():
                    if not self._ask(event, self.view):
                        raise ServeError("The page asks for too much at once.")


async def _until_one_ends(*parts: Coroutine[Any, Any, None]) -> None:
    """Run them side by side until the first one ends, and raise what it raises."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error


async def _greet(socket: web.WebSocketResponse) -> float:
    """Exchange a hello, which nothing else is in the way of. Returns how long it took there and back [s]."""
    start_s = time.monotonic()
    await socket.send_str('{"type":"hello"}')
    message = await socket.receive(timeout=_HELLO_S)
    if message.type is not WSMsgType.TEXT or not isinstance(parse(message.data), Hello):
        raise ServeError("The page does not say hello.")
    return time.monotonic() - start_s
