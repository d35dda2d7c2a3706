"""A slow function of images that can be begun before its value is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
T = TypeVar("T")

MAX_BATCH = 4
"""Images that are worth computing together where a model can."""


@dataclass(frozen=True, slots=True, eq=False)
class _Begun(Generic[T]):
    """A call under way; it keeps the images, so that no other array can take their identity."""

    images: Sequence[Image]
    answers: Future[Sequence[T]]


class ImageCall(Generic[T]):
    """What a model says of an image alone, whatever was said about it: an embedding, a depth map.

    Args:
        compute: The values of a sequence of ``(H, W, 3)`` uint8 RGB images, in their order. Called for one batch at a
            time: two at once would take as long, and not every model allows it.
        max_batch: How many images are worth computing together; 1 where the model takes one after the other anyhow.
    """

    def __init__(self, compute: Callable[[Sequence[Image]], Sequence[T]], max_batch: int = 1) -> None:
        self._of_images, self._max_batch = compute, max_batch
        self._begun: list[_Begun[T]] = []
        self._turn = Lock()

    def __call__(self, image_rgb: Image) -> T:
        """The value of this very array: what was begun for it, or computed now.

        Raises:
            Exception: Whatever the call raised for this array, wherever it ran.
        """
        found = self._find(image_rgb)
        if found is None:
            return self._compute([image_rgb])[0]
        begun, place = found
        return begun.answers.result()[place]

    def begin(self, images_rgb: Sequence[Image], thread: Executor, batch_size: int = 1) -> None:
        """These very arrays will be asked for, in this order, and nothing else that was begun before.

        Args:
            images_rgb: In the order in which they will be asked for.
            thread: Where to compute.
            batch_size: How many are computed together; what does not fill a batch waits for the next call.
        """
        self._drop_all_but(images_rgb)
        batch_size = min(batch_size, self._max_batch)
        new = [image for image in images_rgb if self._find(image) is None]
        for start in range(0, len(new) - batch_size + 1, batch_size):
            batch = new[start : start + batch_size]
            self._begun.append(_Begun(batch, thread.submit(self._compute, batch)))

    def _drop_all_but(self, images_rgb: Sequence[Image]) -> None:
        kept = []
        for begun in self._begun:
            if any(_place(image, begun.images) is not None for image in images_rgb):
                kept.append(begun)
            else:
                begun.answers.cancel()
        self._begun = kept

    def _compute(self, images_rgb: Sequence[Image]) -> Sequence[T]:
        with self._turn:
            return self._of_images(images_rgb)

    def _find(self, image: Image) -> tuple[_Begun[T], int] | None:
        for begun in self._begun:
            place = _place(image, begun.images)
            if place is not None:
                return begun, place
        return None


def _place(image: Image, images: Sequence[Image]) -> int | None:
    return next((place for place, known in enumerate(images) if known is image), None)
