"""The thread that reads the source, and the mailbox between it and the frame loop."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal, Self

from streamer.data.frame import Frame
from streamer.data.running import running
from streamer.data.source import Pausable, Peekable, Source, SourceInfo
from streamer.errors import SourceError

SourceState = Literal["running", "stalled", "reopening", "ended"]

NEWER_FRAME = "newer frame"
TOO_OLD = "too old"
PAUSED = "paused"


class Reader:
    """Reads a source in a thread of its own and hands over its frames, one at a time, to one consumer.

    - Files (``live=False``): a bounded queue. Reading waits for the consumer and no frame is ever dropped.
    - Live: a mailbox for one frame, in which the newest wins. What is overwritten is counted in `drops`, and so is a
      frame that lay there for longer than ``stall_after_s`` while nothing newer came: it is no longer the present, and
      is never given out as such.

    When a live source is silent for ``stall_after_s`` the state is ``stalled``. With ``reopen`` it is then given up,
    even if its `read` never returns, and opened again in the background, with a pause that doubles with every failure;
    so it is when `read` raises `SourceError`. Indices and times go on where they were: the time away is part of them.

    Args:
        source: What to read; the reader owns it and closes it.
        live: Whether frames that nobody takes are to be dropped.
        queue_size: Frames that may lie ready when not live.
        clock: Monotonic clock [s], the same that stamps the frames.
        reopen: Makes a new source like the first, or raises `SourceError`; None to let a failure end the run.
        stall_after_s: Longest silence of a live source (three frame times, if that is longer) [s].
        first_pause_s: Pause before the first attempt to reopen [s].
        longest_pause_s: Where the doubling ends [s].

    Attributes:
        drops: Frames read but never handed over, by cause.
        frames_read: Frames that the source gave.
        reopened: How often the source was opened again.
    """

    def __init__(
        self,
        source: Source,
        live: bool,
        queue_size: int = 4,
        clock: Callable[[], float] = time.monotonic,
        reopen: Callable[[], Source] | None = None,
        stall_after_s: float = 2.0,
        first_pause_s: float = 0.25,
        longest_pause_s: float = 2.0,
    ) -> None:
        self.info: SourceInfo = source.info
        self.drops: Counter[str] = Counter()
        self.frames_read = 0
        self.reopened = 0
        self._source = source
        self._live = live
        self._capacity = 1 if live else queue_size
        self._clock = clock
        self._reopen = reopen
        frame_time_s = float(1 / source.info.rate_hz) if source.info.rate_hz else 0.0
        self._stall_after_s = max(stall_after_s, 3 * frame_time_s)
        self._pauses_s = (first_pause_s, longest_pause_s)
        self._changed = threading.Condition()
        self._queue: deque[tuple[Frame, float]] = deque()
        self._heard_at_s = clock()
        self._last: Frame | None = None
        self._failures = 0
        self._error: BaseException | None = None
        self._reopening = False
        self._finished = False
        self._paused = False
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> SourceState:
        """What the source does now; ``ended`` only when every frame has been taken, too."""
        with self._changed:
            return self._state()

    @property
    def stopped(self) -> bool:
        """Whether it was stopped, so that nothing more comes whatever the source has."""
        return self._stopped.is_set()

    @property
    def damage(self) -> str | None:
        """What the source could not read, in one sentence."""
        return self._source.damage

    @property
    def remark(self) -> str | None:
        """What the source did on the way that a person should know, in one sentence."""
        return self._source.remark

    @property
    def silent_s(self) -> float:
        """Time since the last frame arrived [s]."""
        return self._clock() - self._heard_at_s

    def get(self, timeout_s: float) -> Frame | None:
        """The next frame; None where none came in time or none will come: `state` tells which.

        Args:
            timeout_s: Longest wait [s]; 0 does not wait.

        Raises:
            SourceError: The source failed and cannot be reopened. Any other error of the source comes here too.
        """
        with self._changed:
            self._changed.wait_for(self._has_news, timeout_s)
            if self._queue:
                frame, _ = self._queue.popleft()
                self._changed.notify_all()
                return frame
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            if self._reopen is not None and self._state() == "stalled":
                self._source.close()  # a read that hangs is left to itself, and its thread ends whenever it returns
                self._start_thread(None)
            return None

    @property
    def waiting(self) -> list[Frame]:
        """The frames that lie ready to be taken, oldest first."""
        with self._changed:
            return [frame for frame, _ in self._queue]

    def __iter__(self) -> Iterator[Frame]:
        """Every frame until the end; waits through stalls."""
        while self.state != "ended":
            frame = self.get(self._stall_after_s)
            if frame is not None:
                yield frame

    def pause(self) -> None:
        """Nobody takes frames for a while. A recording waits; a camera goes on, and its frames count as dropped."""
        with self._changed:
            self._paused = True
            if isinstance(self._source, Pausable):
                self._source.pause()

    def resume(self) -> None:
        """Frames are wanted again."""
        with self._changed:
            self._paused = False
            if isinstance(self._source, Pausable):
                self._source.resume()
                self._heard_at_s = self._clock()

    def peek(self, timeout_s: float) -> Frame | None:
        """The first frame to show while nobody takes frames yet: of a recording the one that reading will begin with.

        Args:
            timeout_s: Longest wait for a source that gives frames by itself [s].
        """
        if self._thread is None and isinstance(self._source, Peekable):
            return self._source.peek()
        return self.get(timeout_s)

    def start(self) -> None:
        """Begin to read; ``with`` does it."""
        self._heard_at_s = self._clock()
        self._start_thread(self._source)

    def count_from_now(self) -> None:
        """What was read so far does not count: there was nobody yet to take it."""
        with self._changed:
            self._drop_if_too_old()
            self.drops.clear()
            self.frames_read = len(self._queue)

    def stop(self, timeout_s: float = 1.0) -> None:
        """Stop reading and let go of the source; frames not yet taken are gone. May be called twice.

        Args:
            timeout_s: Longest wait for a read in progress; one that hangs is left behind [s].
        """
        with self._changed:
            self._stopped.set()
            self._queue.clear()
            self._error = None
            self._changed.notify_all()
        self._source.close()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    # Called with the lock held.

    def _state(self) -> SourceState:
        if self._stopped.is_set() or (self._finished and not self._queue and self._error is None):
            return "ended"
        if self._reopening:
            return "reopening"
        held = self._paused and isinstance(self._source, Pausable)
        if self._live and not self._finished and not held and self.silent_s > self._stall_after_s:
            return "stalled"
        return "running"

    def _has_news(self) -> bool:
        self._drop_if_too_old()
        return bool(self._queue) or self._finished or self._stopped.is_set()

    def _drop_if_too_old(self) -> None:
        if not self._live or self._finished or not self._queue:
            return
        _, arrived_at_s = self._queue[0]
        if self._clock() - arrived_at_s > self._stall_after_s:
            self._queue.clear()
            self.drops[TOO_OLD] += 1

    def _start_thread(self, source: Source | None) -> None:
        self._reopening = source is None
        self._thread = threading.Thread(target=self._run, args=(source,), name="streamer-reader", daemon=True)
        self._thread.start()

    # Run by the reading thread.

    def _run(self, source: Source | None) -> None:
        with running("reader"):
            self._read_all(source)

    def _read_all(self, source: Source | None) -> None:
        error: BaseException | None = None
        try:
            while source is None or self._read_until_lost(source):
                source = self._open_again()
                if source is None:
                    break
        except BaseException as caught:
            error = caught
        if source is not None:
            source.close()
        with self._changed:
            if self._is_current():
                self._error = None if self._stopped.is_set() else error
                self._finished = True
                self._reopening = False
                self._changed.notify_all()

    def _is_current(self) -> bool:
        return threading.current_thread() is self._thread

    def _read_until_lost(self, source: Source) -> bool:
        """Hand over frames until the end (False), or until a source fails that can be opened again (True)."""
        shift: tuple[int, float] | None = None
        while not self._stopped.is_set():
            try:
                frame = source.read()
            except SourceError:
                if self._reopen is None or not self._live:
                    raise
                source.close()
                with self._changed:
                    self._reopening = self._is_current()
                    return self._reopening
            if frame is None:
                return False
            if shift is None:
                shift = self._shift_of(frame)
            if not self._put(frame, *shift):
                return False
        return False

    def _shift_of(self, first: Frame) -> tuple[int, float]:
        """What the indices and times [s] of a source lack to go on where those of the one before it ended."""
        last = self._last
        if last is None:
            return 0, 0.0
        away_s = max(first.captured_at_s - last.captured_at_s, 0.001)
        return last.index + 1 - first.index, last.time_s + away_s - first.time_s

    def _put(self, frame: Frame, index_shift: int, shift_s: float) -> bool:
        """Lay a frame into the mailbox; False where nobody wants frames of this thread any more."""
        frame = replace(frame, index=frame.index + index_shift, time_s=frame.time_s + shift_s)
        with self._changed:
            if not self._live:
                self._changed.wait_for(lambda: len(self._queue) < self._capacity or self._stopped.is_set())
            if self._stopped.is_set() or not self._is_current():
                return False
            if self._live and self._queue:
                self._queue.clear()
                self.drops[PAUSED if self._paused else NEWER_FRAME] += 1
            self._heard_at_s = self._clock()
            self._queue.append((frame, self._heard_at_s))
            self._last = frame
            self._failures = 0
            self.frames_read += 1
            self._changed.notify_all()
            return True

    def _open_again(self) -> Source | None:
        """Try until it works; None where the run was stopped meanwhile.

        Raises:
            SourceError: It came back at another size.
        """
        assert self._reopen is not None
        while not self._stopped.wait(self._pause_s()):
            self._failures += 1
            try:
                source = self._reopen()
            except SourceError:
                continue
            with self._changed:
                if not self._stopped.is_set():
                    self._source, self._reopening, self._heard_at_s = source, False, self._clock()
                    self.reopened += 1
                    return self._of_same_size(source)
            source.close()
        return None

    def _pause_s(self) -> float:
        """How long to wait before the next attempt: not at all after a frame, then doubling [s]."""
        first_s, longest_s = self._pauses_s
        return min(first_s * 2 ** (self._failures - 1), longest_s) if self._failures else 0.0

    def _of_same_size(self, source: Source) -> Source:
        if source.info.size == self.info.size:
            return source
        source.close()
        old, new = ("x".join(map(str, info.size)) for info in (self.info, source.info))
        raise SourceError(f"{self.info.name} came back at {new} instead of {old}: start again.")
