"""An aiohttp application in a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from aiohttp import web

from streamer.errors import ServeError
from streamer.ui.browser.address import Address

_CLOSING_S = 2.0


class Server:
    """Serves an application until it is closed.

    Args:
        address: Where.
        build: Makes the application on the event loop that runs it, told where it is served in the end.

    Attributes:
        address: Where it is served: with the port that was free, if any would do.

    Raises:
        ServeError: It cannot be served there.
    """

    def __init__(self, address: Address, build: Callable[[Address], web.Application]) -> None:
        self._listening = _listen(address)
        self.address = replace(address, port=self._listening.getsockname()[1])
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(build, ready), name="browser server", daemon=True)
        self._thread.start()
        ready.result()

    def close(self) -> None:
        """Close every connection and end the thread. May be called twice."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(2 * _CLOSING_S)

    def _run(self, build: Callable[[Address], web.Application], ready: Future[None]) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(build, ready))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)
        finally:
            self._loop.close()

    async def _serve(self, build: Callable[[Address], web.Application], ready: Future[None]) -> None:
        application = build(self.address)
        runner = web.AppRunner(application, handle_signals=False, access_log=None, shutdown_timeout=_CLOSING_S / 2)
        await runner.setup()
        try:
            await web.SockSite(runner, self._listening).start()
            ready.set_result(None)
            await self._end.wait()
        finally:
            await runner.cleanup()


def _listen(address: Address) -> socket.socket:
    host = "127.0.0.1" if address.host == "localhost" else address.host
    try:
        family = socket.getaddrinfo(host, address.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, address.port), family=family)
    except OSError as error:
        raise _refused(address, error) from None


def _refused(address: Address, error: OSError) -> ServeError:
    if error.errno == errno.EADDRINUSE:
        another = f"--serve {address.host}:{address.port + 1}"
        return ServeError(f"Port {address.port} is taken: name another one, as in {another}.")
    if error.errno == errno.EACCES:
        return ServeError(f"Port {address.port} may not be used without being root: name one above 1023.")
    reason = error.strerror or error
    return ServeError(f"Nothing can be served at {address.host} ({reason}): name an address of this machine.")
