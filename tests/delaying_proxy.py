"""A long way: passes bytes on between a browser and a server, each of them so much later."""

from __future__ import annotations

import asyncio
import contextlib
import threading


class DelayingProxy:
    """A context manager; the thread that it starts ends with it.

    Args:
        port: Of the server, on the loopback.
        delay_s: For each direction [s].

    Attributes:
        port: To connect to instead.
    """

    def __init__(self, port: int, delay_s: float) -> None:
        self._target, self._delay_s = port, delay_s
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> DelayingProxy:
        self._thread.start()
        started = asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(started, self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due_s, data = await under_way.get()
                await asyncio.sleep(max(0.0, due_s - self._loop.time()))
                writer.write(data)
                await writer.drain()
                if not data:
                    writer.close()

        delivering = asyncio.create_task(deliver())
        try:
            while data := await reader.read(65536):
                under_way.put_nowait((self._loop.time() + self._delay_s, data))
        finally:
            delivering.cancel()
            writer.close()
