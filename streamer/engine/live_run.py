"""A live source in a thread of its own: results to be taken or polled, and prompts at any time, from any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from streamer.data.known_depths import KnownDepths
from streamer.data.prompt import Prompt, check_inside
from streamer.data.result import Result
from streamer.data.source import SourceInfo
from streamer.engine.run import Run
from streamer.errors import SourceError, StaleFrameError
from streamer.sources.pushed import Pushed
from streamer.sources.reader import SourceState

if TYPE_CHECKING:
    from streamer.engine.engine import Engine, Spec

_WAIT_S = 0.1


class Live:
    """A live run that nobody has to drive: made by :func:`streamer.live` and :meth:`Engine.live`.

    Frames go through the pipeline as they come, whether anyone takes the results or not, and no call waits for a model:
    masks and depth are in the results when they are there. Everything may be called from any thread. Use it in a
    ``with`` block, or call :meth:`close`.

    Iterating gives every frame once, or, to who is slower than the source, the newest one that there is by then; it
    ends with the source, or with :meth:`close`. Several may iterate. Results are safe to keep.

    Args:
        engine: Whose models are used.
        source: As for :meth:`Engine.open`.
        prompts: What to follow, said about the first frame.
        discover: Whether to look for objects without being told where, on the first frame and in every new scene.
        closing: Called once it has been closed.
        options: As for :meth:`Engine.open`.

    Raises:
        SourceError: The source cannot be opened.
        PromptError: A prompt does not lie on its frames.
    """

    def __init__(
        self,
        engine: Engine,
        source: Spec,
        prompts: Prompt | Sequence[Prompt] = (),
        discover: bool = False,
        closing: Callable[[], None] = lambda: None,
        **options: Any,
    ) -> None:
        self._pushed = source if isinstance(source, Pushed) else None
        self._stack = ExitStack()
        self._stack.callback(closing)
        try:
            opened = engine.open(source, prompts, live=True, discover=discover, deferred=True, **options)
            self._run: Run = self._stack.enter_context(opened)
        except BaseException:
            self._stack.close()
            raise
        self._working = threading.Lock()
        self._changed = threading.Condition()
        self._result: Result | None = None
        self._error: BaseException | None = None
        self._ended = self._closed = False
        self._thread = threading.Thread(target=self._work, name="streamer-live", daemon=True)
        self._thread.start()

    # What is known.

    def __iter__(self) -> Iterator[Result]:
        """Every result once, the newest where there are several.

        Raises:
            StreamerError: The source or a model failed.
        """
        index = -1
        while (result := self._next(index)) is not None:
            index = result.index
            yield result

    def latest(self, max_age_s: float | None = None) -> Result:
        """The newest result, at once.

        Args:
            max_age_s: How long ago its frame may have been captured [s]; None takes any.

        Raises:
            StaleFrameError: There is none yet, it is older than that, or the source has ended.
            StreamerError: The source or a model failed.
        """
        with self._changed:
            result, ended = self._result, self._ended
            self._raise_error()
        if result is None:
            raise StaleFrameError(f"{self.info.name} has given no frame yet: wait for one, or iterate.")
        age_s = time.monotonic() - result.captured_at_s
        if max_age_s is not None and (ended or age_s > max_age_s):
            state = "has ended" if ended else f"is {self.state}"
            raise StaleFrameError(f"The newest frame of {self.info.name} is {age_s:.2f} s old, and the source {state}.")
        return result

    @property
    def info(self) -> SourceInfo:
        """The source: its name, size, rate."""
        return self._run.info

    @property
    def state(self) -> SourceState:
        """What the source does: running, stalled (nothing comes), reopening, ended."""
        return self._run.reader.state

    @property
    def loading(self) -> bool:
        """Whether a model is still being loaded: until then there are no masks, or no depth."""
        return "loading" in self._run.pipeline.queues().values()

    def summary(self) -> dict[str, Any]:
        """Rates, latency, ages, drops and model times so far, ready for JSON; see :meth:`Meter.summary`."""
        return self._run.summary()

    # What is said.

    def click(
        self,
        point: tuple[float, float],
        label: str | None = None,
        object_id: int | None = None,
        inside: bool = True,
        seen_index: int | None = None,
    ) -> int:
        """Point at an object on the newest frame, or on one of the last that was looked at.

        Args:
            point: (x, y) [px].
            label: What it is, in words.
            object_id: Which object is meant; None begins a new one.
            inside: Whether the point is on the object, or on what is to be left out of it.
            seen_index: Index of the result that the point was found on; it is carried on from there. None for the
                newest.

        Returns:
            The object's id.

        Raises:
            PromptError: It does not lie on the frame, what it points at has gone, or masks are left out.
        """
        return self.prompt(Prompt([point], [int(inside)], object_id=object_id, label=label), seen_index)

    def box(
        self,
        box_xyxy: tuple[float, float, float, float],
        label: str | None = None,
        object_id: int | None = None,
        seen_index: int | None = None,
    ) -> int:
        """Draw a box around an object: x0, y0, x1, y1 [px]. See :meth:`click`."""
        return self.prompt(Prompt(box=box_xyxy, object_id=object_id, label=label), seen_index)

    def mask(self, mask: NDArray[np.bool_], label: str | None = None, object_id: int | None = None) -> int:
        """Give an object's true mask on the newest frame, ``(H, W)`` bool. See :meth:`click`."""
        return self.prompt(Prompt(mask=mask, object_id=object_id, label=label))

    def prompt(self, prompt: Prompt, seen_index: int | None = None) -> int:
        """Say anything about an object. See :meth:`click`."""
        check_inside([prompt], self.info.size)
        with self._working:
            return self._run.pipeline.prompt(prompt, seen_index)

    def calibrate(self, known: KnownDepths, seen_index: int | None = None) -> None:
        """Say how far the things at some pixels are; relative depth becomes meters by it.

        Args:
            known: How far they are.
            seen_index: Index of the result on whose frame they were measured, as of a sensor whose word comes late;
                they are carried on from there. None for the newest.

        Raises:
            PromptError: A point does not lie on the frame, all have gone, depth is left out, or it is metric already.
        """
        with self._working:
            self._run.pipeline.calibrate(known, seen_index)

    def text(self, text: str | Sequence[str]) -> None:
        """Look for everything that a text names, now and from time to time; its objects come with it as their label.

        Raises:
            PromptError: The detector does not know the words, or masks are left out.
        """
        with self._working:
            self._run.look_for(text)

    def remove(self, object_id: int) -> None:
        """Follow an object no longer."""
        with self._working:
            self._run.pipeline.remove(object_id)

    def undo(self) -> None:
        """Take back what was said or removed last."""
        with self._working:
            self._run.pipeline.undo()

    def discover(self) -> None:
        """Look for objects without being told where, now and in every new scene."""
        with self._working:
            self._run.pipeline.discover()

    def force_keyframe(self) -> None:
        """Have the models look at the next frame, whatever the schedule says."""
        with self._working:
            self._run.pipeline.force_keyframe()

    def push(self, image_rgb: ArrayLike, stamp_ns: int | None = None) -> int:
        """Give the next frame where the source is a :class:`Pushed`; see :meth:`Pushed.push`.

        Raises:
            SourceError: The source is none.
        """
        if self._pushed is None:
            raise SourceError(f"{self.info.name} gives its own frames: for those of yours, use streamer.Pushed.")
        return self._pushed.push(np.asarray(image_rgb), stamp_ns)

    # The end.

    def close(self, timeout_s: float = 2.0) -> None:
        """Stop, and let go of the source. May be called twice, and from any thread.

        Args:
            timeout_s: Longest wait for the frame that is being worked on [s].
        """
        with self._changed:
            closed, self._closed = self._closed, True
        if closed:
            return
        self._run.reader.stop()
        self._thread.join(timeout_s)
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        width, height = self.info.size
        return f"Live({self.info.name}, {width}x{height}, {self.state})"

    def _next(self, index: int) -> Result | None:
        """The newest result after that of this index, once there is one; None where there will be none."""

        def has_newer() -> bool:
            return self._result is not None and self._result.index > index

        with self._changed:
            self._changed.wait_for(lambda: has_newer() or self._ended or self._closed)
            if self._closed:
                return None
            if has_newer():
                return self._result
            self._raise_error()
            return None

    def _raise_error(self) -> None:
        """With the lock held: what ended the run is told to everyone who asks."""
        if self._error is not None:
            raise self._error

    # Run by the thread.

    def _work(self) -> None:
        try:
            self._play()
        except BaseException as error:
            with self._changed:
                self._error = None if self._run.reader.stopped else error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _play(self) -> None:
        reader, meter = self._run.reader, self._run.meter
        while reader.state != "ended":
            frame = reader.get(_WAIT_S)
            if frame is None:
                continue
            with self._working:
                result = self._run.process(frame)
            meter.add(result, time.monotonic())
            with self._changed:
                self._result = result
                self._changed.notify_all()
            self._run.first_out.set()
