"""What is served beside the page, for programs: pictures, results, figures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast, get_args

from aiohttp import web

from streamer.sinks.lines import MasksInJsonl
from streamer.ui.browser.feed import Feed
from streamer.ui.browser.pictures import Lines, Pictures
from streamer.ui.overlay import Style

_SNAPSHOT_WAIT_S = 5.0
_MOST_STREAMS = 32
_BOUNDARY = "frame"


class Routes:
    """The handlers.

    Args:
        feed: Where pictures and results come from.
        style: How pictures are drawn; what is watched with the page has the page's own.
        health: How the run stands: whether frames come, and what there is to say about it.
        metrics: The figures in Prometheus' text format.
    """

    def __init__(
        self,
        feed: Feed,
        style: Style,
        health: Callable[[], tuple[bool, Mapping[str, Any]]],
        metrics: Callable[[], bytes],
    ) -> None:
        self._feed, self._style, self._health, self._metrics = feed, style, health, metrics
        self._streams: set[asyncio.Task[Any]] = set()

    def table(self) -> list[web.RouteDef]:
        """For the application."""
        return [
            web.get("/mjpeg", self.mjpeg, allow_head=False),
            web.get("/snapshot.jpg", self.snapshot),
            web.get("/results", self.results, allow_head=False),
            web.get("/healthz", self.healthz),
            web.get("/metrics", self.metrics),
        ]

    async def close(self, application: web.Application) -> None:
        """End what would go on without an end; a signal handler of the application."""
        for stream in self._streams:
            stream.cancel()

    @contextmanager
    def _streaming(self) -> Iterator[None]:
        """What has no end of its own, as long as there are not too many of it."""
        if len(self._streams) >= _MOST_STREAMS:
            raise web.HTTPServiceUnavailable(text=f"{_MOST_STREAMS} programs are served already: end one.\n")
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            yield
        finally:
            self._streams.discard(task)

    async def mjpeg(self, request: web.Request) -> web.StreamResponse:
        """Pictures without an end, as `<img>`, VLC, ffmpeg and OpenCV read them."""
        answer = web.StreamResponse(headers={"Content-Type": f"multipart/x-mixed-replace; boundary={_BOUNDARY}"})
        with self._streaming(), self._feed.subscribed(Pictures(self._style)) as newest:
            await answer.prepare(request)
            while True:
                picture = await newest.get()
                head = (
                    f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture.jpeg)}\r\n"
                    f"X-Frame-Id: {picture.about['frame_id']}\r\n\r\n"
                )
                await answer.write(head.encode() + picture.jpeg + b"\r\n")

    async def snapshot(self, request: web.Request) -> web.Response:
        """The next picture."""
        try:
            with self._feed.subscribed(Pictures(self._style)) as newest:
                picture = await asyncio.wait_for(newest.get(), _SNAPSHOT_WAIT_S)
        except TimeoutError:
            raise web.HTTPServiceUnavailable(text="No frame has come yet.\n", headers={"Retry-After": "1"}) from None
        frame_id = str(picture.about["frame_id"])
        return web.Response(body=picture.jpeg, content_type="image/jpeg", headers={"X-Frame-Id": frame_id})

    async def results(self, request: web.Request) -> web.StreamResponse:
        """Results without an end, one JSON line each; what a reader is too slow for is left out, the newest is not."""
        masks = request.query.get("masks", "rle")
        if masks not in get_args(MasksInJsonl):
            raise web.HTTPBadRequest(text=f"masks is one of {', '.join(get_args(MasksInJsonl))}.\n")
        answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        info = None
        with self._streaming(), self._feed.subscribed(Lines(cast(MasksInJsonl, masks))) as newest:
            await answer.prepare(request)
            while True:
                told = await newest.get()
                await answer.write(told.line if told.info is info else told.header + told.line)
                info = told.info

    async def healthz(self, request: web.Request) -> web.Response:
        """200 while frames come, 503 while they do not."""
        well, about = self._health()
        return web.json_response(about, status=200 if well else 503)

    async def metrics(self, request: web.Request) -> web.Response:
        """The figures of the run."""
        return web.Response(body=self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})
