"""From the frame loop to everyone who watches: the newest only, made once for all, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

from streamer.ui.browser.pictures import Shot

T = TypeVar("T")
Made = TypeVar("Made", covariant=True)


class Kind(Protocol[Made]):
    """What is made of a result for some of those who watch; hashable, so that equal ones are made once."""

    def make(self, shot: Shot) -> Made: ...


class Newest(Generic[T]):
    """A mailbox for one: what is not taken in time is replaced by what is newer.

    Attributes:
        dropped: How much was replaced.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._item: T | None = None
        self._there = asyncio.Event()

    def put(self, item: T) -> None:
        """Leave an item. Waits for nobody."""
        self.dropped += self._item is not None
        self._item = item
        self._there.set()

    async def get(self) -> T:
        """Take the newest item, once there is one."""
        await self._there.wait()
        self._there.clear()
        item, self._item = self._item, None
        assert item is not None
        return item


class Feed:
    """Takes shots from the frame loop and hands what is made of them to the mailboxes of an event loop.

    Args:
        loop: Where the mailboxes are looked into.
        on_failure: Told in one sentence when something cannot be made, for the first time.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_failure: Callable[[str], None]) -> None:
        self._loop, self._on_failure = loop, on_failure
        self._boxes: dict[Kind[Any], set[Newest[Any]]] = {}
        self._changed = threading.Condition()
        self._shot: Shot | None = None
        self._wanted: tuple[Kind[Any], ...] = ()
        self._closed = self._failed = False
        self._thread = threading.Thread(target=self._work, name="browser pictures", daemon=True)
        self._thread.start()

    def put(self, shot: Shot) -> None:
        """Take a shot, from the frame loop: whatever is still waiting to be made is replaced by it."""
        if not self._wanted:
            return
        with self._changed:
            self._shot = shot
            self._changed.notify()

    @contextmanager
    def subscribed(self, kind: Kind[Made]) -> Iterator[Newest[Made]]:
        """A mailbox for what is made of every shot from now on. Only on the event loop."""
        newest: Newest[Made] = Newest()
        self._boxes.setdefault(kind, set()).add(newest)
        self._wanted = tuple(self._boxes)
        try:
            yield newest
        finally:
            self._boxes[kind].discard(newest)
            if not self._boxes[kind]:
                del self._boxes[kind]
            self._wanted = tuple(self._boxes)

    def close(self) -> None:
        """End the thread. May be called twice."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while (shot := self._take()) is not None:
            for kind in self._wanted:
                try:
                    made = kind.make(shot)
                except Exception as error:  # one frame that cannot be drawn must not end the view
                    self._tell(error)
                else:
                    self._loop.call_soon_threadsafe(self._publish, kind, made)

    def _take(self) -> Shot | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._shot is not None)
            shot, self._shot = self._shot, None
            return None if self._closed else shot

    def _tell(self, error: Exception) -> None:
        if not self._failed:
            self._failed = True
            self._on_failure(f"A picture for the browser failed ({type(error).__name__}: {error}): it goes on.")

    def _publish(self, kind: Kind[Any], made: object) -> None:
        for newest in self._boxes.get(kind, ()):
            newest.put(made)
