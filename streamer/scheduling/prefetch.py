"""Models that begin before they are asked, where the frames to come are known: in files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from streamer.data.frame import Frame
from streamer.models.protocols import DepthEstimator, Embedding, Segmenter
from streamer.scheduling.running import running
from streamer.scheduling.scheduler import Plan

Image = NDArray[np.uint8]
T = TypeVar("T")

_BATCH, _MOST_BYTES = 4, 2**29
REACH = 4
"""Frames to look ahead without batches: a model that is quick is done by then, one that is slow is waited for anyhow,
and whatever trouble makes useless within these frames was computed in vain."""


class LookAhead:
    """One thread that computes what the scheduler will ask for on the frames to come.

    Call it from one thread, whose workers are inline.

    Args:
        segmenter, depth_estimator: The models; None where there is none.
        batch_size: Keyframes that are encoded together; 1 encodes one after the other, bit for bit as without.
        prepare: Called once in the thread, before any model.

    Attributes:
        segmenter, depth_estimator: The same models, which hand over what has been begun.
    """

    def __init__(
        self,
        segmenter: Segmenter | None,
        depth_estimator: DepthEstimator | None,
        batch_size: int = 1,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self._thread = ThreadPoolExecutor(1, "streamer-ahead", prepare)
        self.segmenter = None if segmenter is None else EarlySegmenter(segmenter, self._thread, batch_size)
        self.depth_estimator = None if depth_estimator is None else EarlyDepth(depth_estimator, self._thread)

    def foresee(self, plans: Iterable[tuple[Frame, Plan]]) -> None:
        """Begin what these frames need, and drop whatever else was begun.

        Args:
            plans: The present frame and those that follow it, with what will be asked for on each.
        """
        plans = list(plans)
        if self.segmenter is not None:
            self.segmenter.foresee([frame.image_rgb for frame, plan in plans if plan.keyframe])
        if self.depth_estimator is not None:
            self.depth_estimator.foresee([frame.image_rgb for frame, plan in plans if plan.depth])

    def close(self) -> None:
        """Begin nothing more. A call that runs cannot be interrupted: it ends by itself, and its thread with it."""
        self.foresee([])
        self._thread.shutdown(wait=False, cancel_futures=True)


def batch_that_fits(interval: int, frame_size: tuple[int, int]) -> int:
    """How many keyframes can be encoded together without holding more than half a GiB of frames (see `reach_of`)."""
    width, height = frame_size
    return max(1, min(_BATCH, _MOST_BYTES // (3 * width * height * interval) - 1))


def reach_of(interval: int, batch_size: int) -> int:
    """How many frames to know ahead, so that a batch is begun two intervals before its first keyframe."""
    return REACH if batch_size == 1 else (batch_size + 1) * interval


class EarlySegmenter:
    """A segmenter whose embeddings can be begun before they are asked for."""

    def __init__(self, segmenter: Segmenter, thread: Executor, batch_size: int = 1) -> None:
        self._segmenter = segmenter
        self._early = _Early(self._encode, thread, batch_size)
        self.foresee, self.encode = self._early.foresee, self._early.ask

    def __getattr__(self, name: str) -> Any:
        return getattr(self._segmenter, name)

    def _encode(self, images: Sequence[Image]) -> Sequence[Embedding]:
        if len(images) == 1:
            return [self._segmenter.encode(images[0])]
        return self._segmenter.encode_batch(images)


class EarlyDepth:
    """A depth model whose maps can be begun before they are asked for."""

    def __init__(self, estimator: DepthEstimator, thread: Executor) -> None:
        self.name = estimator.name
        self._early = _Early(lambda images: [estimator.estimate(image) for image in images], thread)
        self.foresee, self.estimate = self._early.foresee, self._early.ask


@dataclass(frozen=True, slots=True, eq=False)
class _Begun(Generic[T]):
    """A call under way; it keeps the pictures, so that no other array can take their identity."""

    images: Sequence[Image]
    answers: Future[Sequence[T]]


class _Early(Generic[T]):
    """A slow function of pictures that can be begun before its value is asked for."""

    def __init__(self, call: Callable[[Sequence[Image]], Sequence[T]], thread: Executor, batch_size: int = 1) -> None:
        self._call, self._thread, self._batch_size = call, thread, batch_size
        self._begun: list[_Begun[T]] = []
        self._turn = Lock()

    def foresee(self, images: Sequence[Image]) -> None:
        """These very arrays will be asked for, in this order, and nothing else that was foreseen before."""
        kept = []
        for begun in self._begun:
            if any(_place(image, begun.images) is not None for image in images):
                kept.append(begun)
            else:
                begun.answers.cancel()
        self._begun = kept
        new = [image for image in images if self._find(image) is None]
        for start in range(0, len(new) - self._batch_size + 1, self._batch_size):
            batch = new[start : start + self._batch_size]
            self._begun.append(_Begun(batch, self._thread.submit(self._compute, batch)))

    def ask(self, image: Image) -> T:
        """The value for this array: what was begun for it, or computed now.

        Raises:
            Exception: Whatever the call raised for this array, wherever it ran.
        """
        found = self._find(image)
        if found is None:
            return self._compute([image])[0]
        begun, place = found
        return begun.answers.result()[place]

    def _compute(self, images: Sequence[Image]) -> Sequence[T]:
        # One picture at a time: two at once would take as long, and not every model allows it.
        with self._turn, running("prefetch"):
            return self._call(images)

    def _find(self, image: Image) -> tuple[_Begun[T], int] | None:
        for begun in self._begun:
            place = _place(image, begun.images)
            if place is not None:
                return begun, place
        return None


def _place(image: Image, images: Sequence[Image]) -> int | None:
    return next((place for place, known in enumerate(images) if known is image), None)
