"""Models that begin before they are asked, where the frames to come are known: in files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from streamer.data.frame import Frame
from streamer.data.running import running
from streamer.models.image_call import MAX_BATCH
from streamer.scheduling.scheduler import Plan
from streamer.stages.protocol import Stage

_MAX_BYTES = 2**29
_REACH = 4
"""Frames to look ahead without batches: a model that is quick is done by then, one that is slow is waited for anyhow,
and whatever trouble makes useless within these frames was computed in vain."""


class Prefetch:
    """One thread that computes what the scheduler will ask for on the frames to come.

    Call it from one thread, whose workers are inline.

    Args:
        stages: Whose image calls are begun.
        batch_size: Images that are computed together; 1 computes one after the other, bit for bit as without.
        prepare: Called once in the thread, before any model.
    """

    def __init__(
        self, stages: Sequence[Stage], batch_size: int = 1, prepare: Callable[[], None] = lambda: None
    ) -> None:
        self._thread = _CountedThread(1, "streamer-prefetch", prepare)
        self._stages, self._batch_size = stages, batch_size

    def begin(self, planned: Iterable[tuple[Frame, Plan]]) -> None:
        """Begin what these frames need, and drop whatever else was begun.

        Args:
            planned: The present frame and those that follow it, with what will be asked for on each.
        """
        planned = list(planned)
        for stage in self._stages:
            if stage.image_call is not None:
                images = [frame.image_rgb for frame, plan in planned if stage.name in plan]
                stage.image_call.begin(images, self._thread, self._batch_size)

    def close(self) -> None:
        """Begin nothing more. A call that runs cannot be interrupted: it ends by itself, and its thread with it."""
        self.begin([])
        self._thread.shutdown(wait=False, cancel_futures=True)


class _CountedThread(ThreadPoolExecutor):
    """Counts its calls as under way, so that the end of the process knows of them."""

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future[Any]:
        def counted() -> Any:
            with running("prefetch"):
                return call(*arguments, **keywords)

        return super().submit(counted)


def batch_that_fits(interval: int, frame_size: tuple[int, int]) -> int:
    """How many keyframes can be encoded together without holding more than half a GiB of frames (see `reach_of`)."""
    width, height = frame_size
    return max(1, min(MAX_BATCH, _MAX_BYTES // (3 * width * height * interval) - 1))


def reach_of(interval: int, batch_size: int) -> int:
    """How many frames to know ahead, so that a batch is begun two intervals before its first keyframe."""
    return _REACH if batch_size == 1 else (batch_size + 1) * interval
