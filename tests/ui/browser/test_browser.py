"""The view as programs and pages meet it, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import struct
import urllib.request
from contextlib import ExitStack
from dataclasses import replace
from socket import create_connection

import aiohttp
import cv2
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from streamer.errors import ServeError
from streamer.ui.browser.address import Address
from streamer.ui.browser.browser import Browser
from streamer.ui.overlay import Style
from streamer.ui.window import events
from streamer.ui.window.hud import Status
from tests.going_on import going_on
from tests.ui.browser.shows import INFO, SIZE, browser, port_of, result

SUMMARY = {
    "frames": {"read": 12, "shown": 10, "written": {}, "dropped": {"newer frame": 2}},
    "recent_frame_rate_hz": 24.5,
    "latency_ms": {"count": 10, "mean": 30.0},
    "timings_ms": {"flow": {"count": 10, "mean": 4.0}},
    "model_timings_ms": {"encode": {"count": 2, "mean": 250.0}},
    "stages": {"masks": {"reasons": {"interval": 2}}},
    "ages": {"masks": 3, "depth": None},
    "peak_memory_mib": 512.0,
}


def kept_showing(shown, make=lambda index: result(index, (1,))):
    """Shows frame after frame from a thread of its own, as the frame loop does."""
    return going_on(lambda index: shown.show(make(index), Status()), every_s=0.01)


def fetched(shown, path):
    return urllib.request.urlopen(f"http://127.0.0.1:{port_of(shown)}{path}", timeout=20)


def test_the_snapshot_is_the_next_picture_with_its_frame():
    with browser() as shown, kept_showing(shown), fetched(shown, "/snapshot.jpg") as answer:
        image = cv2.imdecode(np.frombuffer(answer.read(), np.uint8), cv2.IMREAD_COLOR)
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert int(answer.headers["X-Frame-Id"]) >= 0
    assert image.shape == (240, 320, 3)
    blue, _, red = image[200, 10].astype(int)
    assert blue > red + 20, "red and blue are swapped"


def test_mjpeg_is_read_as_opencv_reads_a_camera():
    with browser() as shown, kept_showing(shown):
        video = cv2.VideoCapture(f"http://127.0.0.1:{port_of(shown)}/mjpeg", cv2.CAP_FFMPEG)
        images = [video.read() for _ in range(3)]
        video.release()
    assert all(read and image.shape == (240, 320, 3) for read, image in images)


def test_results_are_the_lines_of_the_sink_after_their_header():
    with browser() as shown, kept_showing(shown), fetched(shown, "/results") as lines:
        header, first, second = (json.loads(next(lines)) for _ in range(3))
    assert (header["source"], header["size"], header["masks"]) == ("door", list(SIZE), "rle")
    assert second["index"] > first["index"]
    assert first["objects"][0]["label"] == "cup"
    assert first["objects"][0]["mask"]["size"] == [240, 320]


def test_results_without_masks():
    with browser() as shown, kept_showing(shown), fetched(shown, "/results?masks=box") as lines:
        header, first = (json.loads(next(lines)) for _ in range(2))
    assert header["masks"] == "box"
    assert first["objects"][0]["mask"] is None
    with browser() as shown, pytest.raises(urllib.error.HTTPError, match="400"):
        fetched(shown, "/results?masks=all")


def test_no_more_streams_than_can_be_served():
    with browser() as shown, ExitStack() as stack:
        for _ in range(32):
            socket = stack.enter_context(create_connection(("127.0.0.1", port_of(shown))))
            socket.sendall(f"GET /results HTTP/1.1\r\nHost: 127.0.0.1:{port_of(shown)}\r\n\r\n".encode())
            assert socket.recv(12) == b"HTTP/1.1 200"
        with pytest.raises(urllib.error.HTTPError, match="503"):
            fetched(shown, "/mjpeg")
        assert fetched(shown, "/metrics").status == 200


def test_the_end_does_not_wait_for_who_reads_results():
    with browser() as shown, kept_showing(shown):
        lines = fetched(shown, "/results")
        next(lines)
        shown.close()
        with contextlib.suppress(http.client.IncompleteRead):
            lines.read()


def test_health_says_whether_frames_come():
    with browser() as shown:
        with pytest.raises(urllib.error.HTTPError, match="503"):
            fetched(shown, "/healthz")
        shown.show(result(0), Status())
        assert json.load(fetched(shown, "/healthz"))["state"] == "running"
        shown.show(result(0), Status(paused=True))
        assert json.load(fetched(shown, "/healthz"))["state"] == "paused"
        shown.show(result(0), Status(stalled=True))
        with pytest.raises(urllib.error.HTTPError, match="503"):
            fetched(shown, "/healthz")


def test_metrics_are_read_by_prometheus():
    with browser() as shown:
        shown.tell(SUMMARY, [("rate", "24.5 fps")])
        text = fetched(shown, "/metrics").read().decode()
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["streamer_frames_read_total",] == 12
    assert samples["streamer_frames_dropped_total", "newer frame"] == 2
    assert samples["streamer_frame_rate_hertz",] == 24.5
    assert samples["streamer_latency_seconds_sum",] == pytest.approx(0.3)
    assert samples["streamer_model_seconds_count", "encode"] == 2
    assert samples["streamer_model_seconds_sum", "encode"] == pytest.approx(0.5)
    assert samples["streamer_model_runs_total", "interval", "masks"] == 2  # labels by name: reason, stage
    assert samples["streamer_age_frames", "masks"] == 3
    assert samples["streamer_peak_memory_bytes",] == 512 * 2**20
    assert samples["streamer_browser_viewers",] == 0


class Client:
    """A page without a browser: says hello, and owns to what it has drawn, if it is asked to."""

    def __init__(self, socket):
        self.socket = socket
        self.received = []

    async def greet(self):
        assert json.loads(await self.socket.receive_str()) == {"type": "hello"}
        await self.say(type="hello")

    async def say(self, **message):
        await self.socket.send_str(json.dumps(message))

    async def next(self, owns=True):
        data = await self.socket.receive_bytes(timeout=20)
        (length,) = struct.unpack(">I", data[:4])
        about = json.loads(data[4 : 4 + length])
        self.received.append(about["frame_id"])
        if owns:
            await self.say(type="shown", number=about["number"])
        return about, data[4 + length :]


def on_pages(shown, count, body):
    """Runs a test with so many pages that are open and greeted."""

    async def run():
        async with aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{port_of(shown)}/view"
            clients = []
            for _ in range(count):
                clients.append(Client(await session.ws_connect(url)))
                await clients[-1].greet()
            await asyncio.wait_for(body(*clients), 60)
            for client in clients:
                await client.socket.close()

    asyncio.run(run())


def test_a_page_gets_pictures_with_what_is_known_of_their_frames():
    async def body(client):
        about, jpeg = await client.next()
        assert about["size"] == [320, 240]
        assert (about["title"], about["can"]) == ("door", {"masks": True, "depth": True})
        assert about["objects"] == [
            {
                "id": 1,
                "label": "cup",
                "color": "#38a8ff",
                "state": "tracked",
                "score": 0.9,
                "depth": None,
                "box": [60, 40, 110, 100],
            }
        ]
        assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (240, 320, 3)
        assert "title" not in (await client.next())[0], "what does not change is not said again"

    with browser() as shown, kept_showing(shown):
        on_pages(shown, 1, body)


def test_one_of_ten_pages_that_draws_nothing_keeps_nobody_waiting_and_holds_two_pictures():
    async def body(stalled, *others):
        for _ in range(20):
            await asyncio.gather(*(client.next() for client in others))
        assert all(client.received == sorted(client.received) for client in others)
        await stalled.next(owns=False)
        about, _ = await stalled.next(owns=False)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stalled.next(owns=False), 0.2)
        await stalled.say(type="shown", number=about["number"])
        late, _ = await stalled.next()
        assert late["frame_id"] >= min(client.received[-1] for client in others), "it goes on with the newest"

    with browser() as shown, kept_showing(shown):
        on_pages(shown, 10, body)


def test_ids_that_are_numpy_integers_travel_as_well():
    async def body(client):
        assert (await client.next())[0]["objects"][0]["id"] == 1

    with browser() as shown:
        numbered = replace(result(0, (1,)).tracks[0], id=np.uint8(1))
        with kept_showing(shown, make=lambda index: replace(result(index), tracks=(numbered,))):
            on_pages(shown, 1, body)


def test_a_page_that_fails_is_told_and_sent_away():
    said = []

    async def body(client):
        with pytest.raises(TypeError):
            await client.next()

    with browser(warn=said.append) as shown, kept_showing(shown):
        shown.tell({}, [("rate", object())])
        on_pages(shown, 1, body)
    assert said
    assert said[0].startswith(
        "A page of the browser failed (TypeError: Object of type object is not JSON serializable)"
    )


def test_how_each_page_looks_is_its_own():
    async def body(one, other):
        await other.say(type="look", masks=True, depth="side")
        while (about := (await other.next())[0])["halves"] == 1:
            pass
        _, jpeg = await other.next()
        assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (240, 640, 3)
        about, _ = await one.next()
        assert about["halves"] == 1

    with browser() as shown, kept_showing(shown):
        on_pages(shown, 2, body)


def test_what_is_asked_for_reaches_the_frame_loop_with_who_asked():
    async def body(one, other):
        await one.say(type="click", frame_id=3, x=10, y=20, label=1)
        await other.say(type="press", button="pause")
        (first, view), (second, another) = await asyncio.to_thread(asked_for, shown, 2)
        assert {first, second} == {events.Click(10.0, 20.0, 1, 3), events.Pause()}
        assert view is not another

    with browser() as shown:
        on_pages(shown, 2, body)


def asked_for(shown, count):
    asked = []
    while len(asked) < count:
        asked += shown.poll(10.0)
    return asked


def test_what_is_told_to_one_is_told_to_no_other():
    async def body(one, other):
        await one.say(type="click", frame_id=3, x=10, y=20, label=1)
        ((_, view),) = await asyncio.to_thread(asked_for, shown, 1)
        view.tell("point again")
        while not (about := (await one.next())[0])["message"]:
            pass
        assert about["message"] == "point again"
        for _ in range(3):
            assert (await other.next())[0]["message"] == ""

    with browser() as shown, kept_showing(shown):
        on_pages(shown, 2, body)


@pytest.mark.parametrize(
    "said",
    [["{}"], ['{"type": "hello"}'], ["x" * 5000], ['{"type": "press", "button": "undo"}'] * 1000],
    ids=["nothing", "twice", "too much", "too often"],
)
def test_a_page_that_misbehaves_is_sent_away(said):
    async def body(client):
        for text in said:
            await client.socket.send_str(text)
        while (message := await client.socket.receive(timeout=20)).type is aiohttp.WSMsgType.BINARY:
            pass
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data in (1008, 1009)

    with browser() as shown:
        on_pages(shown, 1, body)


def test_another_source_forgets_what_was_asked_about_the_one_before():
    async def body(client):
        await client.say(type="click", frame_id=3, x=10, y=20, label=1)
        await asyncio.to_thread(asked_for, shown, 1)
        await client.say(type="press", button="undo")
        while shown._asked.empty():
            await asyncio.sleep(0.01)
        shown.begin(INFO)
        assert shown.poll() == []

    with browser() as shown:
        on_pages(shown, 1, body)


def test_the_end_is_told():
    async def body(client):
        await asyncio.to_thread(shown.close)
        assert (await client.socket.receive(timeout=20)).data == 1001

    with browser() as shown:
        on_pages(shown, 1, body)


def test_a_port_that_is_taken_is_one_sentence():
    with browser() as shown, pytest.raises(ServeError, match=r"Port \d+ is taken: name another one, as in --serve"):
        Browser(Address("127.0.0.1", port_of(shown)), None, Style(), {}, print)


def test_an_address_of_another_machine_is_one_sentence():
    with pytest.raises(ServeError, match="name an address of this machine"):
        Browser(Address("192.0.2.1", 0), None, Style(), {}, print)
