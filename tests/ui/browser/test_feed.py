"""From the frame loop to everyone who watches: whoever is slow costs nobody anything."""

from __future__ import annotations

import asyncio
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field

from streamer.ui.browser.feed import Feed, Newest

WATCHERS = 10


@dataclass(frozen=True)
class Numbers:
    """Makes a number of every shot, which are numbers here; `gate` holds it up."""

    name: str = "numbers"
    made: list = field(default_factory=list, compare=False)
    gate: threading.Event = field(default_factory=threading.Event, compare=False)

    def make(self, shot):
        assert self.gate.wait(10)
        self.made.append(shot)
        if shot == "bad":
            raise ValueError("it cannot be drawn")
        return shot


def in_a_loop(body):
    """Runs a test that needs a feed on an event loop; what the feed had to say comes back."""
    said = []

    async def run():
        feed = Feed(asyncio.get_running_loop(), said.append)
        try:
            await asyncio.wait_for(body(feed), 20)
        finally:
            feed.close()

    asyncio.run(run())
    return said


def test_a_mailbox_holds_the_newest_only_and_counts_the_rest():
    async def run():
        newest = Newest()
        for number in range(5):
            newest.put(number)
        assert (await newest.get(), newest.dropped) == (4, 4)
        newest.put(5)
        assert (await newest.get(), newest.dropped) == (5, 4)

    asyncio.run(run())


def test_one_that_never_looks_and_nine_that_do_get_what_is_made_once_for_all():
    kind = Numbers()
    kind.gate.set()

    async def body(feed):
        with ExitStack() as stack:
            stalled, *others = [stack.enter_context(feed.subscribed(kind)) for _ in range(WATCHERS)]
            for number in range(1, 51):
                feed.put(number)
                assert {await newest.get() for newest in others} == {number}
            assert kind.made == list(range(1, 51)), "each picture is made once, however many watch"
            assert [newest.dropped for newest in others] == [0] * (WATCHERS - 1)
            assert (await stalled.get(), stalled.dropped) == (50, 49)

    in_a_loop(body)


def test_the_frame_loop_never_waits_for_a_picture_to_be_made():
    kind = Numbers()

    async def body(feed):
        with feed.subscribed(kind) as newest:
            for number in range(1, 1001):  # nothing is made meanwhile: were anything waited for, this would not end
                feed.put(number)
            kind.gate.set()
            while (number := await newest.get()) != 1000:
                assert number < 1000
            assert len(kind.made) <= 2, "what was replaced before its turn is not made"

    in_a_loop(body)


def test_nothing_is_made_where_nobody_watches():
    kind = Numbers()
    kind.gate.set()

    async def body(feed):
        with feed.subscribed(kind) as newest:
            feed.put(1)
            assert await newest.get() == 1
        for number in range(2, 50):
            feed.put(number)
        with feed.subscribed(kind) as newest:
            feed.put(50)
            assert await newest.get() == 50
        assert kind.made == [1, 50]

    in_a_loop(body)


def test_different_wishes_are_made_apart():
    near, far = Numbers("near"), Numbers("far")
    near.gate.set(), far.gate.set()

    async def body(feed):
        with feed.subscribed(near) as one, feed.subscribed(far) as other:
            feed.put(7)
            assert (await one.get(), await other.get()) == (7, 7)
        assert (near.made, far.made) == ([7], [7])

    in_a_loop(body)


def test_a_picture_that_fails_is_told_once_and_the_next_one_comes():
    kind = Numbers()
    kind.gate.set()

    async def body(feed):
        with feed.subscribed(kind) as newest:
            for _ in range(3):
                feed.put("bad")
                while len(kind.made) == 0 or kind.made[-1] != "bad":
                    await asyncio.sleep(0.001)
            feed.put(8)
            assert await newest.get() == 8

    said = in_a_loop(body)
    assert said == ["A picture for the browser failed (ValueError: it cannot be drawn): it goes on."]
